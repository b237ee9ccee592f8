package main

import (
	"errors"
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// newKeyCommand returns `tidelock key` with its subcommands.
func newKeyCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "List the keys that states are encrypted with, and change over to another",
		Long: "Each version of a state has a data key of its own, which one of the server's keys wraps: the encryption key, or one\n" +
			"that a block wrapping_key of the configuration names.",
		Example: "  tidelock key list\n  tidelock key rotate",
		Args:    noArgs,
		RunE:    helpWithoutCommand,
	}
	cmd.AddCommand(newKeyListCommand(p), newKeyRotateCommand(p))
	return cmd
}

func newKeyListCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the keys, and how many versions need each",
		Long: "A key that is needed and not there is told with exit code 1: without it those versions can't be read. One that no\n" +
			"version needs, and that is not the active one, can be taken out of the configuration, unless plans or logs were\n" +
			"encrypted with it.",
		Example: "  tidelock key list --json | jq '.keys[] | select(.there | not)'",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := p.openStates(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer v.close()
			all, err := v.states.KeysInUse(cmd.Context())
			if err != nil {
				return err
			}
			type view struct {
				ID       string `json:"id"`
				Versions int    `json:"versions"`
				Current  int    `json:"current"`
				Active   bool   `json:"active"`
				There    bool   `json:"there"`
			}
			views := []view{}
			t := newTable("KEY", "VERSIONS", "OF THEM COUNT", "")
			var lost []error
			for _, u := range all {
				views = append(views, view(u))
				mark := ""
				switch {
				case u.Active:
					mark = "active"
				case !u.There:
					mark = "LOST"
					lost = append(lost, errs.New(errs.Unavailable, "The key %s is not there, and %d versions of states need it. Name it in a wrapping_key block, from its backup.", u.ID, u.Versions))
				}
				t.row(u.ID, humanize.Comma(int64(u.Versions)), humanize.Comma(int64(u.Current)), mark)
			}
			if asJSON {
				err = writeJSON(p.stdout, map[string]any{"keys": views})
			} else {
				err = t.write(p.stdout)
			}
			return errors.Join(append(lost, err)...)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newKeyRotateCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Wrap all data keys with the active key",
		Long: "Wraps the data key of every version anew that another key wraps. The states themselves are not rewritten, the server\n" +
			"may run meanwhile, and a stop half-way harms nothing. Name the new key in the configuration first, in a block\n" +
			"wrapping_key with active = true or as the encryption key, keep the old one in a block, and restart the server.",
		Example: "  tidelock key rotate\n  tidelock key list",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := p.openStates(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer v.close()
			done, lost, err := v.states.Rotate(cmd.Context(), state.Who{Actor: p.operator()}, nil)
			if err != nil {
				return err
			}
			left := ""
			if lost > 0 {
				left = fmt.Sprintf(" %d are wrapped by keys that are not there; see `tidelock key list`.", lost)
			}
			if asJSON {
				return writeJSON(p.stdout, map[string]any{"rotated": done, "lost": lost})
			}
			_, err = fmt.Fprintf(p.stdout, "%d data keys were wrapped anew.%s\n", done, left)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

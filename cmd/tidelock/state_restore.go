package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
)

func newStateRestoreCommand(p *program) *cobra.Command {
	var reason string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "restore CLIENT/PROJECT VERSION",
		Short: "Ask that an older version of a state count again",
		Long: "Asks for it; another person does it with `tidelock state approve-restore`, within a day. The version comes back as a\n" +
			"new one, with the next serial and the same lineage. It is refused while the state is locked, and if anything was\n" +
			"written in between. Restoring a state changes nothing of what really exists: the next plan shows the difference.",
		Example: "  tidelock state restore acme/network/prod 11 --reason \"12 lost the subnets\"",
		Args:    func(cmd *cobra.Command, args []string) error { return stateArgs(cmd, args, 2) },
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := versionNumber(args[1])
			if err != nil {
				return err
			}
			return p.onState(cmd.Context(), args[0], false, func(ctx context.Context, v *vault, c clients.Client, name string) error {
				r, err := v.states.AskRestore(ctx, c.ID, name, number, v.who, reason)
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(p.stdout, map[string]any{"id": r.ID, "state": args[0], "version": number, "asked_by": r.AskedBy, "asked_at": r.Asked, "reason": r.Reason})
				}
				_, err = fmt.Fprintf(p.stdout, "Asked. Another person approves it with:\n  tidelock state approve-restore %s\n", r.ID)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why: the one who approves reads it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	complete(cmd, "reason", cobra.NoFileCompletions)
	return cmd
}

func newStateApproveCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "approve-restore ID",
		Short:   "Approve a restore that somebody else asked for, and do it",
		Example: "  tidelock state restores\n  tidelock state approve-restore 019a2b3c-…",
		Args:    oneState,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onStates(cmd.Context(), true, func(ctx context.Context, v *vault) error {
				done, err := v.states.ApproveRestore(ctx, args[0], v.who)
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(p.stdout, viewVersion(done, done.ID))
				}
				_, err = fmt.Fprintf(p.stdout, "Done: version %d counts now, with serial %d.\n", done.Seq, done.Serial)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// restoreJSON is a restore in `tidelock state restores --json`.
type restoreJSON struct {
	ID      string        `json:"id"`
	Client  string        `json:"client"`
	Version string        `json:"version_id"`
	Status  string        `json:"status"`
	Reason  string        `json:"reason"`
	AskedBy access.Actor  `json:"asked_by"`
	Asked   time.Time     `json:"asked_at"`
	EndedBy *access.Actor `json:"ended_by,omitempty"`
	Ended   *time.Time    `json:"ended_at,omitempty"`
}

func newStateRestoresCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "restores",
		Short:   "List the restores that were asked for, the newest first",
		Example: "  tidelock state restores --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.onStates(cmd.Context(), false, func(ctx context.Context, v *vault) error {
				slugs, err := v.slugs(ctx)
				if err != nil {
					return err
				}
				all, err := v.states.Restores(ctx, "", 100)
				if err != nil {
					return err
				}
				views := []restoreJSON{}
				t := newTable("ID", "CLIENT", "STATUS", "ASKED", "BY", "REASON")
				for _, r := range all {
					one := restoreJSON{ID: r.ID, Client: slugs[r.Client], Version: r.Version, Status: r.Status, Reason: r.Reason, AskedBy: r.AskedBy, Asked: r.Asked}
					if !r.Ended.IsZero() {
						one.EndedBy, one.Ended = &r.EndedBy, &r.Ended
					}
					views = append(views, one)
					t.row(r.ID, one.Client, r.Status, day(r.Asked), r.AskedBy, strings.TrimSpace(r.Reason))
				}
				if asJSON {
					return writeJSON(p.stdout, map[string]any{"restores": views})
				}
				return t.write(p.stdout)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

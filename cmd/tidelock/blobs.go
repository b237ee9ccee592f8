package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/errs"
)

// newBlobsCommand returns `tidelock blobs` with its subcommands.
func newBlobsCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "blobs",
		Short: "Look after the stored plans, logs and large states",
		Long: "Plans, logs and states too large for a row are files in the folder blobs of the data folder, or objects in the\n" +
			"bucket of blobs.url. These commands work beside a running server, as its user, with its configuration and key.",
		Example: "  tidelock blobs check\n  tidelock blobs sweep --older-than 24h --dry-run",
		Args:    noArgs,
		RunE:    helpWithoutCommand,
	}
	cmd.AddCommand(newBlobsCheckCommand(p), newBlobsSweepCommand(p))
	return cmd
}

// olderThan is --older-than of both: what is younger may be named by a row
// that is still to come.
func olderThan(cmd *cobra.Command, age *time.Duration) {
	cmd.Flags().DurationVar(age, "older-than", 24*time.Hour, "leave alone what is younger, an hour at least: its row may be still to come")
	complete(cmd, "older-than", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{"24h", "168h", "720h"}, cobra.ShellCompDirectiveNoFileComp
	})
}

func newBlobsCheckCommand(p *program) *cobra.Command {
	var asJSON bool
	var age time.Duration
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Read every stored file that the database names, to its end",
		Long: "Reads each to its end, which proves every byte of it; versions of states by their hash too. What is missing, was\n" +
			"altered or can't be decrypted is told, with exit code 1. What no row names, and is old enough, is counted:\n" +
			"`tidelock blobs sweep` deletes that. It changes nothing.",
		Example: "  tidelock blobs check\n  tidelock blobs check --json | jq '.missing[].ref'",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.onStates(cmd.Context(), true, func(ctx context.Context, v *vault) error {
				s, err := backup.CheckBlobs(ctx, v.db, v.blobs, v.states, age, p.progress())
				if err != nil {
					return err
				}
				slugs, err := v.slugs(ctx)
				if err != nil {
					return err
				}
				for _, all := range [][]backup.Trouble{s.Missing, s.Damaged} {
					for i := range all {
						if slug := slugs[all[i].Client]; slug != "" {
							all[i].Client = slug
						}
					}
				}
				if asJSON {
					err = writeJSON(p.stdout, blobsJSON{s.Checked, s.Bytes, orEmpty(s.Missing), orEmpty(s.Damaged), s.Orphans.Count, s.Orphans.Bytes, s.Orphans.Young, s.Orphans.Alien})
				} else {
					err = p.tellBlobs(s)
				}
				if n := len(s.Missing) + len(s.Damaged); n > 0 {
					err = errors.Join(err, errs.New(errs.Internal, "%d stored files are missing or can't be used. Bring them back from a backup: `tidelock restore` puts them into an empty installation, from where they can be copied.", n))
				}
				return err
			})
		},
	}
	olderThan(cmd, &age)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was found as JSON")
	return cmd
}

// blobsJSON is what `tidelock blobs check --json` prints.
type blobsJSON struct {
	Checked     int64            `json:"checked"`
	Bytes       int64            `json:"bytes"`
	Missing     []backup.Trouble `json:"missing"`
	Damaged     []backup.Trouble `json:"damaged"`
	Orphans     int64            `json:"orphans"`
	OrphanBytes int64            `json:"orphan_bytes"`
	Young       int64            `json:"young"`   // named by no row, and too young to tell
	Unknown     int64            `json:"unknown"` // of clients that are not in the database
}

func orEmpty[T any](all []T) []T { return append([]T{}, all...) }

func (p *program) tellBlobs(s backup.Stored) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s stored files were read, %s.\n", humanize.Comma(s.Checked), humanize.IBytes(uint64(s.Bytes)))
	for _, group := range []struct {
		what string
		all  []backup.Trouble
	}{{"missing", s.Missing}, {"damaged", s.Damaged}} {
		for _, t := range group.all {
			of := ""
			if t.State != "" {
				of = fmt.Sprintf(" (version %d of the state %s/%s)", t.Seq, t.Client, t.State)
			}
			fmt.Fprintf(&b, "%s: %s/%s%s: %s\n", group.what, t.Client, t.Ref, of, t.Why)
		}
	}
	if o := s.Orphans; o.Count > 0 {
		fmt.Fprintf(&b, "%s are named by no row, %s; `tidelock blobs sweep` deletes them.\n", humanize.Comma(o.Count), humanize.IBytes(uint64(o.Bytes)))
	}
	if s.Orphans.Young > 0 {
		fmt.Fprintf(&b, "%s more are named by no row, and too young to tell.\n", humanize.Comma(s.Orphans.Young))
	}
	if s.Orphans.Alien > 0 {
		fmt.Fprintf(&b, "%s are of clients that this database does not know, another installation's perhaps, and are left alone.\n", humanize.Comma(s.Orphans.Alien))
	}
	_, err := fmt.Fprint(p.stdout, b.String())
	return err
}

func newBlobsSweepCommand(p *program) *cobra.Command {
	var asJSON, dry bool
	var age time.Duration
	cmd := &cobra.Command{
		Use:   "sweep",
		Short: "Delete stored files that no row of the database names",
		Long: "A file is stored before the row that names it, and deleted after: what a crash leaves in between is named by none.\n" +
			"Files of clients that this database does not know are left alone. It is refused while a restore is not finished,\n" +
			"since what an older database does not name may be all that is left of something newer.",
		Example: "  tidelock blobs sweep --dry-run\n  tidelock blobs sweep --older-than 24h",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.onStates(cmd.Context(), true, func(ctx context.Context, v *vault) error {
				swept, err := backup.SweepBlobs(ctx, v.db, v.blobs, age, dry, v.who.Actor)
				if err != nil {
					return err
				}
				return p.tellSwept(swept, dry, asJSON)
			})
		},
	}
	olderThan(cmd, &age)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say what would be deleted")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was deleted as JSON")
	return cmd
}

func (p *program) tellSwept(swept []blob.Item, dry, asJSON bool) error {
	type view struct {
		Client  string    `json:"client_id"`
		Ref     string    `json:"ref"`
		Size    int64     `json:"size"`
		Written time.Time `json:"written"`
	}
	views, total := []view{}, int64(0)
	for _, i := range swept {
		views = append(views, view{i.Client, i.Ref, i.Size, i.Written.UTC()})
		total += i.Size
	}
	if asJSON {
		return writeJSON(p.stdout, map[string]any{"dry_run": dry, "blobs": views, "bytes": total})
	}
	were := "were"
	if dry {
		were = "would be"
		for _, v := range views {
			if _, err := fmt.Fprintf(p.stdout, "%s/%s %s, of %s\n", v.Client, v.Ref, humanize.IBytes(uint64(v.Size)), day(v.Written)); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(p.stdout, "%s stored files %s deleted, %s.\n", humanize.Comma(int64(len(views))), were, humanize.IBytes(uint64(total)))
	return err
}

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/state"
)

const lookNow = "Nothing is applied and %d states are frozen until you have looked: see `tidelock restore status`."

// newRestoreCommand returns `tidelock restore` with its subcommands.
func newRestoreCommand(p *program) *cobra.Command {
	var identity, replica string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Bring a backup or a replica back, where there is nothing yet",
		Long: "Brings back what `tidelock backup` wrote, or with --from-replica the database that was replicated, to where the\n" +
			"configuration says. The server must not run, and the database must not exist: nothing is overwritten. The\n" +
			"encryption key must be there, from the place where you keep it. All of the file is checked before anything is\n" +
			"written, and what came back is checked again.\n\n" +
			"Afterwards nothing is applied and no state can be written, since what really exists may be newer than the backup.\n" +
			"Compare each state, thaw it, and end this with `tidelock restore finish`; docs/backup.md tells how.",
		Example: "  tidelock restore /backup/tidelock-2026-11-23.tlb\n" +
			"  tidelock restore --from-replica\n" +
			"  tidelock restore status\n" +
			"  tidelock restore finish --reason \"compared all states with their plans\"",
		Args: func(cmd *cobra.Command, args []string) error {
			if replica != "" {
				return noArgs(cmd, args)
			}
			return oneFile(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			l := config.Read(p.configPath, p.environ, config.NeedDatabase)
			if err := l.Problems.Err(); err != nil {
				return err
			}
			c := l.Config
			lock, err := lockDataDir(c.DataDir)
			if err != nil {
				return err
			}
			defer lock.Close()
			key, err := config.FindEncryptionKey(c)
			if err != nil {
				return err
			}
			t := backup.Target{DSN: c.Database.Reveal(), Temp: c.DataDir, Who: state.Who{Actor: p.operator()}, Progress: p.progress()}
			if t.Keys, err = p.restoreKeys(c, identity); err != nil {
				return err
			}
			if t.Blobs, err = parts.Blobs(ctx, c, key); err != nil {
				return err
			}
			defer t.Blobs.Close()
			var rep backup.Report
			from := ""
			if replica != "" {
				where := strings.TrimPrefix(replica, configured) // "" is what the configuration says
				store, err := parts.Replica(ctx, c, where, key)
				if err != nil {
					return err
				}
				defer store.Close()
				from = store.Where()
				rep, err = backup.RestoreReplica(ctx, store, t)
				if err != nil {
					return err
				}
			} else {
				from = args[0]
				rep, err = backup.Restore(ctx, func() (io.ReadCloser, error) {
					f, err := os.Open(from)
					if err != nil {
						return nil, errs.Wrap(errs.NotFound, err, "The file %s can't be read: %v.", from, err)
					}
					return f, nil
				}, t)
				if err != nil {
					return err
				}
			}
			if asJSON {
				return writeJSON(p.stdout, map[string]any{"from": from, "source": rep.Recovery.Source, "made": rep.Recovery.Made, "rows": rep.Manifest.Rows(), "blobs": rep.Manifest.Blobs, "missing": len(rep.Manifest.Missing), "frozen": rep.Frozen})
			}
			_, err = fmt.Fprintf(p.stdout, "What %s held of %s is back. "+lookNow+"\n", from, rep.Recovery.Made.UTC().Format("2006-01-02 15:04:05 MST"), rep.Frozen)
			return err
		},
	}
	cmd.Flags().StringVar(&identity, "identity", "", "file with the age identity of a recipient of the backup")
	cmd.Flags().StringVar(&replica, "from-replica", "", "restore the replica, of replica.url or of this folder or bucket")
	cmd.Flags().Lookup("from-replica").NoOptDefVal = configured
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what came back as JSON")
	complete(cmd, "from-replica", cobra.NoFileCompletions)
	cmd.AddCommand(newRestoreStatusCommand(p), newRestoreFinishCommand(p))
	return cmd
}

// configured is what --from-replica means without a place.
const configured = "configured"

func (p *program) restoreKeys(c config.Config, identity string) (*keyring.Ring, error) {
	if identity != "" {
		return p.backupKeys(identity)
	}
	key, err := config.FindEncryptionKey(c)
	if err != nil {
		return nil, err
	}
	return parts.Keyring(c, key)
}

func newRestoreStatusCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what is held back since a restore, and what to compare",
		Long: "Lists the states that are frozen with the serial that each has here. What was applied after the backup was made is\n" +
			"newer: compare with a laptop's copy, with the errored.tfstate of a runner, or with a plan. Push a newer state by\n" +
			"force, then thaw each.",
		Example: "  tidelock restore status\n  tidelock state thaw acme/network/prod --serial 42 --reason \"the plan shows no change\"",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, runs, err := p.openRecovery(cmd.Context())
			if err != nil {
				return err
			}
			defer v.close()
			rec, err := runs.OpenRecovery(cmd.Context(), v.db)
			if err != nil {
				return err
			}
			all, err := v.states.States(cmd.Context(), "")
			if err != nil {
				return err
			}
			slugs, err := v.slugs(cmd.Context())
			if err != nil {
				return err
			}
			type view struct {
				State  string `json:"state"`
				Serial int64  `json:"serial"`
				Why    string `json:"why"`
			}
			frozen := []view{}
			t := newTable("STATE", "SERIAL", "LAST WRITTEN")
			for _, s := range all {
				if s.Frozen != "" {
					frozen = append(frozen, view{slugs[s.Client] + "/" + s.Name, s.Serial, s.Frozen})
					t.row(slugs[s.Client]+"/"+s.Name, s.Serial, day(s.Written))
				}
			}
			if asJSON {
				return writeJSON(p.stdout, map[string]any{"held": rec != nil, "recovery": rec, "frozen": frozen})
			}
			if rec == nil {
				_, err := fmt.Fprintf(p.stdout, "Nothing is held back; %d states are frozen.\n", len(frozen))
				return err
			}
			if _, err := fmt.Fprintf(p.stdout, "The database came back from a %s on %s; it is of %s. Nothing is applied, and no new state is made.\n\n", rec.Source, day(rec.Came), day(rec.Made)); err != nil {
				return err
			}
			return t.write(p.stdout)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

func newRestoreFinishCommand(p *program) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "finish",
		Short: "Let applies begin again after a restore",
		Long: "For when every state was compared and thawed; it is refused before. Applies that were held meanwhile need the\n" +
			"comment `plan`, and then `apply`. It stands in the audit trail with your name.",
		Example: "  tidelock restore finish --reason \"compared all states with their plans\"",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if reason == "" {
				return errs.New(errs.Invalid, "Say with --reason how you know that all is right: it stands in the audit trail.")
			}
			v, runs, err := p.openRecovery(cmd.Context())
			if err != nil {
				return err
			}
			defer v.close()
			if err := v.db.Tx(cmd.Context(), func(tx *db.Tx) error {
				return runs.EndRecovery(cmd.Context(), tx, v.who.Actor, reason)
			}); err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.stdout, "Applies may begin again.")
			return err
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "how you know, for the audit trail")
	complete(cmd, "reason", cobra.NoFileCompletions)
	return cmd
}

func (p *program) openRecovery(ctx context.Context) (*vault, *run.Store, error) {
	v, err := p.openStates(ctx, false)
	if err != nil {
		return nil, nil, err
	}
	return v, run.NewStore(v.db, access.NewTrail(v.db), nil), nil
}

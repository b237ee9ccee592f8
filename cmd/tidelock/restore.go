package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
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
			"Compare each state, thaw it, and end this with `tidelock restore finish`; docs/backup.md tells how. A project whose\n" +
			"state is kept elsewhere is let go by itself, once a plan finds the serial there that was recorded last.",
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
			if identity != "" {
				t.Keys, err = p.backupKeys(identity)
			} else {
				t.Keys, err = parts.Keyring(c, key)
			}
			if err != nil {
				return err
			}
			if t.Blobs, err = parts.Blobs(ctx, c, key); err != nil {
				return err
			}
			defer t.Blobs.Close()
			var rep backup.Report
			from := ""
			if replica != "" {
				where := replica
				if where == configured {
					where = "" // what the configuration says
				}
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
	cmd.AddCommand(newRestoreStatusCommand(p), newRestoreReleaseCommand(p), newRestoreFinishCommand(p))
	return cmd
}

// configured is what --from-replica means without a place.
const configured = "configured"

func newRestoreStatusCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what is held back since a restore, and what to compare",
		Long: "Lists the states that are frozen with the serial that each has here, what plans found of projects whose state is\n" +
			"kept elsewhere, and what was made after the backup as far as stored files and folders of runs show it. Of a state\n" +
			"that is kept here, compare with a laptop's copy, with the errored.tfstate of a runner, or with a plan: push a newer\n" +
			"one by force, then thaw each. A project whose state is elsewhere is let go by itself once a plan finds the serial\n" +
			"that was recorded last.",
		Example: "  tidelock restore status\n  tidelock state thaw acme/network/prod --serial 42 --reason \"the plan shows no change\"\n" +
			"  tidelock restore release acme --repo acme/infra --project live/network --reason \"applied by hand since\"",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.onStates(cmd.Context(), true, func(ctx context.Context, v *vault) error {
				s, err := v.recovery(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(p.stdout, s)
				}
				return p.tellRecovery(s)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

// recoveryJSON is what `tidelock restore status --json` prints.
type recoveryJSON struct {
	Held     bool             `json:"held"`
	Recovery *run.Recovery    `json:"recovery"`
	Frozen   []frozenJSON     `json:"frozen"`
	Projects []reconciledJSON `json:"projects"` // whose state is kept elsewhere
	Newer    []backup.Newer   `json:"newer"`    // made after the backup
}

type frozenJSON struct {
	State  string `json:"state"`
	Serial int64  `json:"serial"`
	Why    string `json:"why"`

	written time.Time
}

type reconciledJSON struct {
	Client  string     `json:"client"`
	Repo    string     `json:"repo"`
	Project string     `json:"project"` // directory:workspace
	Status  string     `json:"status"`  // equal, differs or released
	Known   run.Serial `json:"known"`
	Found   run.Serial `json:"found"`
	Run     string     `json:"run"`
	Reason  string     `json:"reason"`
}

// recovery looks at what is held back.
func (v *vault) recovery(ctx context.Context) (s recoveryJSON, err error) {
	s = recoveryJSON{Frozen: []frozenJSON{}, Projects: []reconciledJSON{}, Newer: []backup.Newer{}}
	runs := run.NewStore(v.db, access.NewTrail(v.db), nil)
	if s.Recovery, err = runs.OpenRecovery(ctx, v.db); err != nil {
		return s, err
	}
	s.Held = s.Recovery != nil
	slugs, err := v.slugs(ctx)
	if err != nil {
		return s, err
	}
	states, err := v.states.States(ctx, "")
	if err != nil {
		return s, err
	}
	for _, st := range states {
		if st.Frozen != "" && !st.MovedAway() { // what is elsewhere needs no thaw, and must get none
			s.Frozen = append(s.Frozen, frozenJSON{slugs[st.Client] + "/" + st.Name, st.Serial, st.Frozen, st.Written})
		}
	}
	if !s.Held {
		return s, nil
	}
	known, err := runs.Reconciled(ctx, v.db, *s.Recovery)
	if err != nil {
		return s, err
	}
	for _, r := range known {
		repo, err := v.clients.Repo(ctx, v.db, r.Repo)
		if err != nil {
			return s, err
		}
		s.Projects = append(s.Projects, reconciledJSON{slugs[r.Client], repo.FullName(), r.Project, r.Status, r.Known, r.Found, r.Run, r.Reason})
	}
	newer, err := backup.FindNewer(ctx, v.db, v.blobs, filepath.Join(v.config.DataDir, "runs"), s.Recovery.Made)
	if err != nil {
		return s, err
	}
	for _, n := range newer {
		if slug := slugs[n.Client]; slug != "" {
			n.Client = slug
		}
		s.Newer = append(s.Newer, n)
	}
	return s, nil
}

func (p *program) tellRecovery(s recoveryJSON) error {
	if !s.Held {
		_, err := fmt.Fprintf(p.stdout, "Nothing is held back; %d states are frozen.\n", len(s.Frozen))
		return err
	}
	rec := s.Recovery
	if _, err := fmt.Fprintf(p.stdout, "The database came back from a %s on %s; it is of %s. Nothing is applied, but in projects that were let go, and no new state is made.\n\n", rec.Source, day(rec.Came), day(rec.Made)); err != nil {
		return err
	}
	t := newTable("STATE", "SERIAL", "LAST WRITTEN")
	for _, f := range s.Frozen {
		t.row(f.State, f.Serial, day(f.written))
	}
	if err := t.write(p.stdout); err != nil {
		return err
	}
	if len(s.Projects) > 0 {
		t := newTable("PROJECT WITH A STATE ELSEWHERE", "", "WHY")
		for _, r := range s.Projects {
			t.row(r.Repo+" "+r.Project, r.Status, r.Reason)
		}
		if _, err := fmt.Fprintln(p.stdout); err != nil {
			return err
		}
		if err := t.write(p.stdout); err != nil {
			return err
		}
	}
	if len(s.Newer) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(p.stdout, "\nMade after that, and not known to the database:"); err != nil {
		return err
	}
	t = newTable("MADE", "CLIENT", "WHAT", "NAME")
	for _, n := range s.Newer {
		t.row(day(n.Made), n.Client, n.What, n.Name)
	}
	return t.write(p.stdout)
}

func newRestoreReleaseCommand(p *program) *cobra.Command {
	var of projectFlags
	var reason string
	cmd := &cobra.Command{
		Use:   "release CLIENT --repo OWNER/NAME --project DIRECTORY",
		Short: "Let one project be applied again after a restore",
		Long: "For a project whose state is kept elsewhere, when you know that what a plan finds there is right although the\n" +
			"database that came back knows another serial. A project whose state is kept here is let go by `tidelock state thaw`.\n" +
			"It stands in the audit trail with your name.",
		Example: "  tidelock restore release acme --repo acme/infra --project live/network --reason \"applied by hand since\"",
		Args:    func(cmd *cobra.Command, args []string) error { return stateArgs(cmd, args, 1) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return errs.New(errs.Invalid, "Say with --reason how you know that all is right: it stands in the audit trail.")
			}
			return p.onStates(cmd.Context(), false, func(ctx context.Context, v *vault) error {
				c, err := v.client(ctx, args[0])
				if err != nil {
					return err
				}
				owner, err := of.owner(ctx, v, c)
				if err != nil {
					return err
				}
				runs := run.NewStore(v.db, access.NewTrail(v.db), nil)
				if err := v.db.Tx(ctx, func(tx *db.Tx) error {
					return runs.LetGo(ctx, tx, owner.Client, owner.Repo, owner.Project, v.who.Actor, reason)
				}); err != nil {
					return err
				}
				_, err = fmt.Fprintf(p.stdout, "%s in %s may be applied again: comment plan, and then apply.\n", owner.Project, of.repo)
				return err
			})
		},
	}
	of.add(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "how you know, for the audit trail")
	complete(cmd, "reason", cobra.NoFileCompletions)
	return cmd
}

func newRestoreFinishCommand(p *program) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "finish",
		Short: "Let applies begin again after a restore",
		Long: "For when every state was compared and thawed, and projects that differ were let go; it is refused before. Applies\n" +
			"that were held meanwhile need the comment `plan`, and then `apply`. It stands in the audit trail with your name.",
		Example: "  tidelock restore finish --reason \"compared all states with their plans\"",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if reason == "" {
				return errs.New(errs.Invalid, "Say with --reason how you know that all is right: it stands in the audit trail.")
			}
			return p.onStates(cmd.Context(), false, func(ctx context.Context, v *vault) error {
				runs := run.NewStore(v.db, access.NewTrail(v.db), nil)
				if err := v.db.Tx(ctx, func(tx *db.Tx) error { return runs.EndRecovery(ctx, tx, v.who.Actor, reason) }); err != nil {
					return err
				}
				_, err := fmt.Fprintln(p.stdout, "Applies may begin again.")
				return err
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "how you know, for the audit trail")
	complete(cmd, "reason", cobra.NoFileCompletions)
	return cmd
}

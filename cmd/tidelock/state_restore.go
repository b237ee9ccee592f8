package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// personFlags say who acts, where a restore takes two people.
type personFlags struct{ token string }

func (f *personFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.token, "token-file", "", "file with a token of yours, - for standard input: you are its owner (else $TIDELOCK_TOKEN, else the user of the machine)")
}

// tokenVariable is the variable of the environment that a token may stand in.
const tokenVariable = "TIDELOCK_TOKEN"

// proven is who acts on a state, and how that is known: it stands in the audit
// trail. Of a user of the machine only the machine knows.
func (f personFlags) proven(ctx context.Context, p *program, v *vault, client, name string) (state.Who, error) {
	text, given := config.Lookup(p.environ)(tokenVariable)
	if f.token != "" {
		var err error
		if text, err = p.readToken(f.token); err != nil {
			return state.Who{}, err
		}
		given = true
	}
	if text = strings.TrimSpace(text); !given || text == "" && f.token == "" {
		who := v.who
		who.Proof = "user of the machine"
		return who, nil
	}
	cred, err := v.tokens.Authenticate(ctx, text)
	if err != nil {
		return state.Who{}, err
	}
	if err := state.MayAct(cred, client, name); err != nil {
		return state.Who{}, err
	}
	who := state.By(cred)
	who.Proof = fmt.Sprintf("token %s, %s", cred.ID, cred.Name)
	return who, nil
}

// readToken reads a token from a file: on the command line every user of the
// machine could read it.
func (p *program) readToken(path string) (string, error) {
	if path == "-" {
		b, err := io.ReadAll(io.LimitReader(p.stdin, 1000))
		return string(b), err
	}
	text, problem, _ := config.ReadSecretFile(path)
	if problem != "" {
		return "", errs.New(errs.Invalid, "The token can't be read: %s", problem)
	}
	return text, nil
}

func newStateRestoreCommand(p *program) *cobra.Command {
	var reason string
	var person personFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "restore CLIENT/PROJECT VERSION",
		Short: "Ask that an older version of a state count again",
		Long: "Asks for it; another person does it with `tidelock state approve-restore`, within a day. Who asks and who approves are\n" +
			"the owners of their tokens, or users of this machine; the audit trail says which. The version comes back as a\n" +
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
				who, err := person.proven(ctx, p, v, c.ID, name)
				if err != nil {
					return err
				}
				r, err := v.states.AskRestore(ctx, c.ID, name, number, who, reason)
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
	person.add(cmd)
	complete(cmd, "reason", cobra.NoFileCompletions)
	return cmd
}

func newStateApproveCommand(p *program) *cobra.Command {
	var asJSON bool
	var person personFlags
	cmd := &cobra.Command{
		Use:   "approve-restore ID",
		Short: "Approve a restore that somebody else asked for, and do it",
		Long: "Has the version count that somebody else asked for. With a token, which needs the scope write for the state, you are\n" +
			"its owner; else the user of this machine.",
		Example: "  tidelock state restores\n  tidelock state approve-restore 019a2b3c-…\n  tidelock state approve-restore 019a2b3c-… --token-file ~/.config/tidelock/token",
		Args:    oneState,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onStates(cmd.Context(), true, func(ctx context.Context, v *vault) error {
				client, name, err := v.states.RestoreState(ctx, args[0])
				if err != nil {
					return err
				}
				who, err := person.proven(ctx, p, v, client, name)
				if err != nil {
					return err
				}
				done, err := v.states.ApproveRestore(ctx, args[0], who)
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
	person.add(cmd)
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

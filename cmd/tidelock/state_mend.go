package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/terminal"
)

func newStateUnlockCommand(p *program) *cobra.Command {
	var id, reason string
	cmd := &cobra.Command{
		Use:   "unlock CLIENT/PROJECT",
		Short: "Take a state's lock away from whoever holds it",
		Long: "For a lock whose holder is gone: look first that it is. It is an event of its own in the audit trail. A lock that\n" +
			"one of the server's own runs holds stays while the run goes on. With --id it is that lock or none.",
		Example: "  tidelock state show acme/network/prod\n  tidelock state unlock acme/network/prod --id 0a1b2c3d-… --reason \"the laptop was lost\"",
		Args:    oneState,
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return errs.New(errs.Invalid, "Say why with --reason: it stands in the audit trail.")
			}
			return p.onState(cmd.Context(), args[0], false, func(ctx context.Context, v *vault, c clients.Client, name string) error {
				taken, err := v.states.ForceUnlock(ctx, c.ID, name, v.who, id, reason)
				if err != nil {
					return err
				}
				text := "Nobody holds a lock of " + args[0] + "."
				if taken != nil {
					text = fmt.Sprintf("The lock %s of %s is taken away from %s.", taken.ID, args[0], taken.Holder())
				}
				_, err = fmt.Fprintln(p.stdout, terminal.Clean(text)) // the ID is as a client said it
				return err
			})
		},
	}
	cmd.Flags().StringVar(&id, "id", "", "the lock that is meant")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail")
	complete(cmd, "id", cobra.NoFileCompletions)
	complete(cmd, "reason", cobra.NoFileCompletions)
	return cmd
}

func newStateThawCommand(p *program) *cobra.Command {
	var serial int64
	var reason string
	cmd := &cobra.Command{
		Use:   "thaw CLIENT/PROJECT",
		Short: "Let a frozen state be written again",
		Long: "States are frozen when an older backup came back: what really exists may be newer than what the database knows.\n" +
			"Look for a newer state, the errored.tfstate of a runner or the file of a laptop, and push it by force; then thaw\n" +
			"with the serial that you found right.",
		Example: "  tidelock state thaw acme/network/prod --serial 42 --reason \"compared with the plan: nothing differs\"",
		Args:    oneState,
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" || !cmd.Flags().Changed("serial") {
				return errs.New(errs.Invalid, "Give the serial that is right with --serial, and with --reason how you know.")
			}
			return p.onState(cmd.Context(), args[0], false, func(ctx context.Context, v *vault, c clients.Client, name string) error {
				if err := v.states.Thaw(ctx, c.ID, name, serial, v.who, reason); err != nil {
					return err
				}
				_, err := fmt.Fprintf(p.stdout, "%s may be written again.\n", args[0])
				return err
			})
		},
	}
	cmd.Flags().Int64Var(&serial, "serial", 0, "the serial that is right")
	cmd.Flags().StringVar(&reason, "reason", "", "how you know, for the audit trail")
	complete(cmd, "serial", cobra.NoFileCompletions)
	complete(cmd, "reason", cobra.NoFileCompletions)
	return cmd
}

func newStateRemoveCommand(p *program) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "rm CLIENT/PROJECT",
		Short: "Take a state away; its versions stay and can be restored",
		Long: "After this Terraform finds no state, and plans to make everything anew: what exists stays, and nobody manages it.\n" +
			"It is refused while the state is locked.",
		Example: "  tidelock state rm acme/network/old --yes",
		Args:    oneState,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return errs.New(errs.Invalid, "What the state manages stays, and nobody manages it any more. Say --yes if that is meant.")
			}
			return p.onState(cmd.Context(), args[0], false, func(ctx context.Context, v *vault, c clients.Client, name string) error {
				st, err := v.states.State(ctx, c.ID, name)
				if err != nil {
					return err
				}
				if err := v.states.Delete(ctx, c.ID, name, v.who, ""); err != nil {
					return err
				}
				_, err = fmt.Fprintf(p.stdout, "%s is gone. Its last version is %d.\n", args[0], st.Seq)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "it is meant")
	return cmd
}

// erroredJSON is a version in `tidelock state errored --json`.
type erroredJSON struct {
	State string `json:"state"`
	// Base is the serial that the run began from, where that is known; Backend
	// where the project keeps its state, if that is not here.
	Base    *int64 `json:"base_serial,omitempty"`
	Backend string `json:"backend,omitempty"`
	versionJSON
}

func newStateErroredCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "errored",
		Short: "List the states that runs could not write",
		Long: "Where an apply could not write its state at the end, the server keeps it, encrypted, as a version that does not\n" +
			"count. `tidelock state push-errored` writes it after all.",
		Example: "  tidelock state errored\n  tidelock state errored --json | jq -r '.errored[].run'",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.onStates(cmd.Context(), false, func(ctx context.Context, v *vault) error {
				all, err := v.states.Errored(ctx, "")
				if err != nil {
					return err
				}
				slugs, err := v.slugs(ctx)
				if err != nil {
					return err
				}
				views := []erroredJSON{}
				t := newTable("STATE", "VERSION", "SERIAL", "BEGAN FROM", "RUN", "WRITTEN")
				for _, one := range all {
					view := erroredJSON{State: slugs[one.Client] + "/" + one.Name, Backend: one.Base.Backend, versionJSON: viewVersion(one.Version, "")}
					began := "unknown"
					if one.Known && one.Base.Serial >= 0 {
						view.Base, began = &one.Base.Serial, strconv.FormatInt(one.Base.Serial, 10)
					}
					views = append(views, view)
					t.row(view.State, one.Seq, one.Serial, began, one.Run, day(one.Created))
				}
				if asJSON {
					return writeJSON(p.stdout, map[string]any{"errored": views})
				}
				return t.write(p.stdout)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

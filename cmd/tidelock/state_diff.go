package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/internal/terminal"
)

func newStateDiffCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff CLIENT/PROJECT FROM TO",
		Short: "Compare two versions of a state",
		Long: "Compares two versions by their numbers: resources, their attributes, and outputs. What the state marks as sensitive,\n" +
			"and what looks like a secret by its name, is told to differ and not shown. States that OpenTofu encrypted can't be\n" +
			"compared here.",
		Example: "  tidelock state diff acme/network/prod 11 12\n  tidelock state diff acme/network/prod 11 12 --json | jq -r '.resources[].address'",
		Args:    func(cmd *cobra.Command, args []string) error { return stateArgs(cmd, args, 3) },
		RunE: func(cmd *cobra.Command, args []string) error {
			var numbers [2]int64
			for i := range numbers {
				n, err := versionNumber(args[i+1])
				if err != nil {
					return err
				}
				numbers[i] = n
			}
			return p.onState(cmd.Context(), args[0], true, func(ctx context.Context, v *vault, c clients.Client, name string) error {
				d, err := v.states.Compare(ctx, c.ID, name, numbers[0], numbers[1])
				if err != nil {
					return err
				}
				if asJSON {
					resources, outputs := d.Resources, d.Outputs
					if resources == nil {
						resources = []state.ResourceDiff{}
					}
					if outputs == nil {
						outputs = []state.AttributeDiff{}
					}
					return writeJSON(p.stdout, map[string]any{"from": viewVersion(d.From, ""), "to": viewVersion(d.To, ""), "resources": resources, "outputs": outputs})
				}
				return writeStateDiff(p.stdout, d)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func writeStateDiff(w io.Writer, d state.Diff) error {
	line := func(format string, args ...any) error {
		_, err := fmt.Fprintln(w, terminal.Clean(fmt.Sprintf(format, args...)))
		return err
	}
	if len(d.Resources)+len(d.Outputs) == 0 {
		return line("Versions %d and %d have the same resources and outputs.", d.From.Seq, d.To.Seq)
	}
	sign := map[string]string{state.Added: "+", state.Removed: "-", state.Changed: "~"}
	for _, r := range d.Resources {
		if err := line("%s %s", sign[r.Action], r.Address); err != nil {
			return err
		}
		for _, a := range r.Attributes {
			if err := line("    %s: %s", a.Path, sides(a)); err != nil {
				return err
			}
		}
	}
	for _, a := range d.Outputs {
		if err := line("~ output %s: %s", a.Path, sides(a)); err != nil {
			return err
		}
	}
	return nil
}

func sides(a state.AttributeDiff) string {
	if a.Sensitive {
		return "(sensitive, differs)"
	}
	side := func(s *string) string {
		if s == nil {
			return "(none)"
		}
		return *s
	}
	return side(a.Before) + " → " + side(a.After)
}

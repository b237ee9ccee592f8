package main

import (
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/policy"
)

func newPolicySchemaCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of what rules can ask for",
		Long: "Prints the JSON Schema of the rules' input: Terraform's plan JSON, at the top and under \"plan\", and what Tidelock\n" +
			"tells beside it. Rules are checked against it when they are compiled.",
		Example: "  tidelock policy schema > schemas/input.json     for an editor, or for opa check --schema",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := p.stdout.Write(policy.InputSchema())
			return err
		},
	}
}

package main

import "github.com/spf13/cobra"

// newPolicyCommand returns `tidelock policy` with its subcommands.
func newPolicyCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Read, try and test the policies that judge plans",
		Long: "Works with the rules that judge every plan: those that come with Tidelock and those of your own. Nothing here\n" +
			"changes what the server judges by; `waivers revoke` takes back what was accepted.",
		Example: "  tidelock policy list security.aws\n" +
			"  tidelock policy explain security.aws.public_ingress",
		Args: noArgs,
		RunE: helpWithoutCommand,
	}
	cmd.AddCommand(
		newPolicyListCommand(p),
		newPolicySetsCommand(p),
		newPolicyExplainCommand(p),
		newPolicyEvalCommand(p),
		newPolicyTestCommand(p),
		newPolicyReplayCommand(p),
		newPolicyNewCommand(p),
		newPolicySchemaCommand(p),
		newPolicyWaiversCommand(p),
		newPolicyDocsCommand(p),
		newPolicyComplianceCommand(p),
	)
	return cmd
}

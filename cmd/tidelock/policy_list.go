package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
)

func newPolicyListCommand(p *program) *cobra.Command {
	var flags policyFlags
	var target policyset.Target
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [RULE]",
		Short: "List the rules, with the levels that they have",
		Long: "Lists the rules that would judge a project, or of these those whose ID begins with RULE: the bundled ones, and\n" +
			"those of the server whose configuration --config or TIDELOCK_CONFIG names, at the levels that they have there.",
		Example: "  tidelock policy list\n" +
			"  tidelock policy list security.aws\n" +
			"  tidelock policy list --pack ./policies --json | jq -r '.[].id'",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeRule,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := p.deskConfig()
			if err != nil {
				return err
			}
			judges, err := flags.judges(cfg)
			if err != nil {
				return err
			}
			target.Dir = "."
			judging, err := judges.of(cmd.Context(), target)
			if err != nil {
				return err
			}
			levels, err := judging.Engine.Levels(judging.Overrides)
			if err != nil {
				return err
			}
			rules := []policy.Rule{}
			for _, r := range judging.Engine.Rules() {
				if len(args) == 0 || r.ID == args[0] || strings.HasPrefix(r.ID, args[0]+".") {
					r.Level = levels[r.Key()]
					rules = append(rules, r)
				}
			}
			if len(rules) == 0 && len(args) > 0 {
				return errs.New(errs.NotFound, "There is no rule %s. tidelock policy list shows all.", args[0])
			}
			if asJSON {
				return writeJSON(p.stdout, rules)
			}
			t := newTable("RULE", "LEVEL", "SEVERITY", "TITLE")
			for _, r := range rules {
				t.row(r.ID, r.Level, r.Severity, r.Title)
			}
			if err := t.write(p.stdout); err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "%s. tidelock policy explain RULE says more of one.\n", counted(len(rules), "rule"))
			return err
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&target.Client, "client", "", "as it is for this client")
	cmd.Flags().StringVar(&target.Repo, "repo", "", "as it is for this repository, as owner/name")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	complete(cmd, "client", cobra.NoFileCompletions)
	complete(cmd, "repo", cobra.NoFileCompletions)
	return cmd
}

// completeRule completes one argument that names a rule.
func completeRule(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return prefixesOfRules(""), cobra.ShellCompDirectiveNoFileComp
}

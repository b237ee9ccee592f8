package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/errs"
)

// newRootCommand returns the tree of commands. started is set once a command's
// own code is reached: an error before that is one of the command line.
func newRootCommand(p *program, started *bool) *cobra.Command {
	root := &cobra.Command{
		Use:   "tidelock",
		Short: "Plan and apply Terraform on GitHub pull requests",
		Long: "Tidelock is a GitHub App that plans Terraform and OpenTofu on pull requests, comments the plan, its cost and\n" +
			"the policies' verdict, and applies on merge exactly what was reviewed.",
		Example: "  tidelock plan                 what would my pull request say? In any clone, without a server\n" +
			"  tidelock config check         what is wrong with the configuration?\n" +
			"  tidelock doctor               is everything there that the server needs?\n" +
			"  tidelock migrate --status     which version has the database?",
		Version:       buildVersion().String(),
		Args:          noArgs,
		RunE:          helpWithoutCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmd.ValidateRequiredFlags(); err != nil { // cobra asks later, when started would be true
				return err
			}
			*started = true
			return nil
		},
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true}, // ours has examples
	}
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetVersionTemplate("{{.Version}}\n")
	root.PersistentFlags().StringVarP(&p.configPath, "config", "c", "", "configuration file (else $TIDELOCK_CONFIG, ./tidelock-server.hcl, /etc/tidelock/tidelock-server.hcl)")
	if err := root.MarkPersistentFlagFilename("config", "hcl"); err != nil {
		panic(err) // the flag stands one line above
	}
	root.AddCommand(
		newServeCommand(p),
		newDemoCommand(p),
		newInitCommand(p),
		newValidateCommand(p),
		newProjectsCommand(p),
		newPlanCommand(p),
		newFmtCommand(p),
		newProvidersCommand(p),
		newConvertCommand(p),
		newPolicyCommand(p),
		newPricesCommand(p),
		newCostCommand(p),
		newDriftCommand(p),
		newAppCommand(p),
		newStateCommand(p),
		newInventoryCommand(p),
		newTokenCommand(p),
		newKeyCommand(p),
		newMigrateCommand(p),
		newBackupCommand(p),
		newBlobsCommand(p),
		newRestoreCommand(p),
		newDoctorCommand(p),
		newToolsCommand(p),
		newHealthcheckCommand(p),
		newConfigCommand(p),
		newVersionCommand(p),
		newCompletionCommand(p),
		newRunnerCommand(p),
	)
	root.SetHelpCommand(&cobra.Command{
		Use:               "help [COMMAND]",
		Short:             "Show the help of a command",
		Example:           "  tidelock help doctor",
		ValidArgsFunction: completeCommands,
		RunE: func(cmd *cobra.Command, args []string) error {
			target, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				*started = false // a wrong name is an error of the command line
				if err == nil {
					err = noArgs(target, rest)
				}
				return err
			}
			return target.Help()
		},
	})
	return root
}

// helpWithoutCommand answers a command that only has subcommands.
func helpWithoutCommand(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// noArgs refuses arguments: to a command that has subcommands, as one that
// does not exist, with the names that may have been meant.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasAvailableSubCommands() {
		return errs.New(errs.Invalid, "%s takes no argument, but got %q.", cmd.CommandPath(), args[0])
	}
	cmd.SuggestionsMinimumDistance = 2 // letters
	meant := ""
	if names := cmd.SuggestionsFor(args[0]); len(names) > 0 {
		meant = "; perhaps you mean " + strings.Join(names, " or ")
	}
	return errs.New(errs.Invalid, "There is no command %q in %s%s.", args[0], cmd.CommandPath(), meant)
}

func completeCommands(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	parent, _, err := cmd.Root().Find(args)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, sub := range parent.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

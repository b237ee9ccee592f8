package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/doctor"
	"github.com/tidelock/tidelock/internal/errs"
)

// newConfigCommand returns `tidelock config` with its subcommands.
func newConfigCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Check and show the server's configuration",
		Example: "  tidelock config check\n  tidelock config show",
		Args:    noArgs,
		RunE:    helpWithoutCommand,
	}
	cmd.AddCommand(newConfigCheckCommand(p), newConfigShowCommand(p))
	return cmd
}

func newConfigCheckCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Report everything that is wrong with the configuration",
		Long: "Reads the configuration as the server would, secrets included, and reports all its problems at once.\n" +
			"Nothing is started and nothing is asked over the network; `tidelock doctor` does that.",
		Example: "  tidelock config check\n  tidelock config check --config /etc/tidelock/tidelock-server.hcl --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l := config.Read(p.configPath, p.environ, config.NeedAll)
			err := l.Problems.Err()
			var lines []string
			if err == nil {
				var wrong error
				if lines, wrong = doctor.LocalPacks(cmd.Context(), l.Config); wrong != nil {
					l.Problems = append(l.Problems, config.Problem{Setting: "policy", Message: errs.Sentence(wrong)})
					err = l.Problems.Err()
				}
			}
			if asJSON {
				problems := l.Problems
				if problems == nil {
					problems = config.Problems{}
				}
				if werr := writeJSON(p.stdout, map[string]any{"file": l.File, "ok": err == nil, "problems": problems}); werr != nil {
					return werr
				}
				return told(err)
			}
			for _, w := range l.Problems.Warnings() {
				fmt.Fprintf(p.stderr, "warning: %s\n", w)
			}
			if err != nil {
				return err
			}
			from := l.File
			if from == "" {
				from = "the environment, without a file"
			}
			fmt.Fprintf(p.stdout, "The configuration is in order (from %s).\n", from)
			for _, line := range lines {
				fmt.Fprintln(p.stdout, line)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the problems as JSON")
	return cmd
}

func newConfigShowCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show [SETTING]",
		Short: "Show the settings in force and where each comes from",
		Long: "Shows every setting as it holds, defaults included, and says which come from the file and which from the\n" +
			"environment. Secrets are never shown. With a SETTING such as github.app_id only its value is printed.",
		Example:           "  tidelock config show\n  tidelock config show data_dir\n  tidelock config show --json",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeSettings,
		RunE: func(cmd *cobra.Command, args []string) error {
			l := config.Read(p.configPath, p.environ, config.NeedAll)
			if err := l.Problems.Err(); err != nil {
				return err
			}
			if len(args) == 1 {
				value, ok := l.Value(args[0])
				if !ok {
					return errs.New(errs.Invalid, "There is no setting %q; `tidelock config show` lists them all.", args[0])
				}
				_, err := fmt.Fprintln(p.stdout, value)
				return err
			}
			if asJSON {
				return writeJSON(p.stdout, l.JSON())
			}
			return l.Write(p.stdout)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print values and sources as JSON")
	return cmd
}

func completeSettings(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var found []string
	for _, name := range config.SettingNames() {
		if strings.HasPrefix(name, prefix) {
			found = append(found, name)
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

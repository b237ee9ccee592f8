package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/doctor"
	"github.com/tidelock/tidelock/internal/errs"
)

// newDoctorCommand returns `tidelock doctor`.
func newDoctorCommand(p *program) *cobra.Command {
	var asJSON, whole bool
	cmd := &cobra.Command{
		Use:   "doctor [CHECK...]",
		Short: "Check that everything is there that the server needs",
		Long: "Checks the configuration, the GitHub App's key, permissions and events, the disk, the database and the\n" +
			"Terraform binary, and says how to mend what is wrong. It changes nothing, and it may be run beside a server.\n" +
			"With --whole the check database reads all of SQLite's file, as the server does by itself each day.\n" +
			"It exits with 1 when a check fails. With names of checks, only those are made:\n\n" + listChecks(),
		Example:           "  tidelock doctor\n  tidelock doctor permissions events\n  tidelock doctor --whole database\n  tidelock doctor --json",
		Args:              knownChecks,
		ValidArgsFunction: completeChecks,
		RunE: func(cmd *cobra.Command, args []string) error {
			l := config.Read(p.configPath, p.environ, config.NeedAll)
			clinic := doctor.New(l, p.environ)
			if whole {
				clinic.Whole()
			}
			found := doctor.Examine(cmd.Context(), clinic, args)
			err := doctor.Verdict(found)
			if asJSON {
				if werr := writeJSON(p.stdout, map[string]any{"ok": err == nil, "checks": found}); werr != nil {
					return werr
				}
				return told(err)
			}
			if werr := doctor.Write(p.stdout, found); werr != nil {
				return werr
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&whole, "whole", false, "read all of the database's file, however long that takes")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was found as JSON")
	return cmd
}

func knownChecks(_ *cobra.Command, args []string) error {
	for _, arg := range args {
		if !slices.ContainsFunc(doctor.Checks(), func(k doctor.Check) bool { return k.Name == arg }) {
			return errs.New(errs.Invalid, "There is no check %q; `tidelock doctor --help` lists them.", arg)
		}
	}
	return nil
}

func completeChecks(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, k := range doctor.Checks() {
		if strings.HasPrefix(k.Name, prefix) && !slices.Contains(args, k.Name) {
			names = append(names, cobra.CompletionWithDesc(k.Name, k.About))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func listChecks() string {
	var b strings.Builder
	for i, k := range doctor.Checks() {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "  %-16s%s", k.Name, k.About)
	}
	return b.String()
}

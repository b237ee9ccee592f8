package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/errs"
)

// formatFlags gives a command --format, of which the first is usual, and
// --json, which is short for --format json. Before the command runs, into has
// what they say, and it is one of them.
func formatFlags(cmd *cobra.Command, into *string, formats []string) {
	list := strings.Join(formats[:len(formats)-1], ", ") + " or " + formats[len(formats)-1]
	asJSON := cmd.Flags().Bool("json", false, "print JSON, as --format json does")
	cmd.Flags().StringVar(into, "format", formats[0], list)
	complete(cmd, "format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if *asJSON {
			*into = "json"
		}
		if !slices.Contains(formats, *into) {
			return codedError{errs.New(errs.Invalid, "--format is %s, not %q.", list, *into), exitUsage}
		}
		return nil
	}
}

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policydoc"
	"github.com/tidelock/tidelock/policies"
)

func newPolicyDocsCommand(p *program) *cobra.Command {
	var packs []string
	var format string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "docs",
		Short: "Write the reference of the rules that come with Tidelock",
		Long: "Writes of each bundled rule what it finds, how bad that is, why, how to mend it, an example that it finds and one\n" +
			"that it does not, the controls that it gives evidence for, and the settings of its pack. The levels are those that\n" +
			"the rules come with: tidelock policy list shows those of the server.",
		Example: "  tidelock policy docs --pack security.aws | less\n" +
			"  tidelock policy docs --format html > rules.html\n" +
			"  tidelock policy docs --json | jq '.packs[].rules[].id'",
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				format = "json"
			}
			return writePolicyDocs(p.stdout, format, packs)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&packs, "pack", nil, "only this pack, or the rules whose ID begins so, as security.aws; may be given again")
	f.StringVar(&format, "format", "markdown", "markdown, json or html")
	f.BoolVar(&asJSON, "json", false, "print JSON, as --format json does")
	complete(cmd, "pack", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return policies.Packs(), cobra.ShellCompDirectiveNoFileComp
	})
	complete(cmd, "format", cobra.FixedCompletions([]string{"markdown", "json", "html"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func writePolicyDocs(w io.Writer, format string, packs []string) error {
	e, err := policy.New(policy.Options{})
	if err != nil {
		return err
	}
	ref := policydoc.New(e).Only(packs...)
	if len(ref.Packs) == 0 {
		return errs.New(errs.NotFound, "No bundled rule begins with %s. The packs are %s.", strings.Join(packs, " or "), strings.Join(policies.Packs(), ", "))
	}
	switch format {
	case "markdown":
		_, err := fmt.Fprint(w, ref.Markdown())
		return err
	case "json":
		return writeJSON(w, ref)
	case "html":
		return ref.HTML(w)
	}
	return errs.New(errs.Invalid, "--format is markdown, json or html, not %q.", format)
}

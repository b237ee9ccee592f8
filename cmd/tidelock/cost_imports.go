package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/errs"
)

func newCostImportsCommand(p *program) *cobra.Command {
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "imports",
		Short:   "Show who imported which billing exports",
		Long:    "Lists the imports that changed something, the last one first: when, who, from which files with their checksums,\nand what became of each billing period.",
		Example: "  tidelock cost imports\n  tidelock cost imports --limit 1 --json | jq '.[0].parts'",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return codedError{errs.New(errs.Invalid, "--limit must be at least 1."), exitUsage}
			}
			return p.billingImports(cmd.Context(), limit, asJSON)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "how many at most")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	complete(cmd, "limit", cobra.NoFileCompletions)
	return cmd
}

func (p *program) billingImports(ctx context.Context, limit int, asJSON bool) (err error) {
	store, end, why, err := p.billingStore(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if closed := end(); err == nil {
			err = closed
		}
	}()
	if store == nil {
		return errs.New(errs.NotFound, "%s", why)
	}
	all, err := store.History(ctx, limit)
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(p.stdout, append([]actuals.Import{}, all...))
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(p.stdout, "Nothing was imported yet.")
		return err
	}
	t := newTable("WHEN", "WHO", "FILE", "SHA-256", "LINES", "WHAT")
	for _, in := range all {
		count := map[string]int{}
		for _, part := range in.Parts {
			count[part.What]++
		}
		var what []string
		for _, word := range [...]string{actuals.Added, actuals.Replaced, actuals.Removed, actuals.Same} {
			if count[word] > 0 {
				what = append(what, fmt.Sprintf("%d %s", count[word], word))
			}
		}
		if in.Client != "" {
			what = append(what, "for "+in.Client)
		}
		if in.Forced {
			what = append(what, "forced")
		}
		for i, s := range in.Sources {
			if i == 0 {
				t.row(in.At.Format("2006-01-02 15:04"), in.Actor, s.Name, s.SHA256[:min(len(s.SHA256), 12)], humanize.Comma(s.Lines), strings.Join(what, ", "))
				continue
			}
			t.row("", "", s.Name, s.SHA256[:min(len(s.SHA256), 12)], humanize.Comma(s.Lines), "")
		}
	}
	return t.write(p.stdout)
}

package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/explorer"
	"github.com/tidelock/tidelock/internal/terminal"
)

func jsonText(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

func newInventoryUsesCommand(p *program) *cobra.Command {
	var client, module, provider, format string
	var list piece
	cmd := &cobra.Command{
		Use:   "uses",
		Short: "List which projects use which modules and providers",
		Long: "Lists what the code of each project used when it was planned last: modules with their sources, and providers with\n" +
			"the versions of the lock file. A name may be given by its last parts (aws, vpc/aws) and with wildcards. VERSION is\n" +
			"a version, a Git reference, or a constraint. Of a module that the code asks for by a constraint, the version that\n" +
			"was installed is not known: it is listed where the version that is asked for satisfies that.",
		Example: "  tidelock inventory uses --module terraform-aws-modules/vpc/aws@5.1.2\n" +
			"  tidelock inventory uses --client acme --provider 'aws@< 5.0' --json\n" +
			"  tidelock inventory uses --limit 1000 --format csv",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			kind, name := "", module
			var wanted explorer.Wanted
			var err error
			switch {
			case module != "" && provider != "":
				return errs.New(errs.Invalid, "Give --module or --provider, not both.")
			case module != "":
				kind = explorer.Module
			case provider != "":
				kind, name = explorer.Provider, provider
			}
			if name != "" {
				if wanted, err = explorer.ParseWanted(name); err != nil {
					return err
				}
			}
			if err := list.check(); err != nil {
				return err
			}
			v, x, id, err := p.openInventory(ctx, client)
			if err != nil {
				return err
			}
			defer v.close()
			slugs, err := v.slugs(ctx)
			if err != nil {
				return err
			}
			all, next, err := listUses(ctx, x, id, kind, wanted, list)
			if err != nil {
				return err
			}
			for i := range all {
				all[i].Client = slugs[all[i].Client]
			}
			if err := writeUses(p, format, explorer.UsesPage{Uses: all, Next: next}); err != nil {
				return err
			}
			if len(all) > 0 {
				if next != "" {
					fmt.Fprintln(p.stderr, terminal.Clean(list.more(len(all), next)))
				}
				return nil
			}
			q := explorer.Query{Client: id, Module: wanted}
			if kind == explorer.Provider {
				q = explorer.Query{Client: id, Provider: wanted}
			}
			return (&inventory{piece: list}).tell(ctx, p, x, q, 0, "", slugs)
		},
	}
	f := cmd.Flags()
	f.StringVar(&client, "client", "", "only this client, by its slug (else all)")
	f.StringVar(&module, "module", "", "only this module, as SOURCE[@VERSION]")
	f.StringVar(&provider, "provider", "", "only this provider, as NAME[@VERSION]")
	list.flags(cmd)
	formatFlags(cmd, &format, inventoryFormats)
	for _, name := range []string{"client", "module", "provider"} {
		complete(cmd, name, cobra.NoFileCompletions)
	}
	return cmd
}

// listUses returns the piece of the list that is asked for, and where to go on.
func listUses(ctx context.Context, x *explorer.Index, client, kind string, wanted explorer.Wanted, list piece) (all []explorer.Use, next string, err error) {
	if list.limit == 0 && list.after == "" {
		all, err = x.Uses(ctx, client, kind, wanted)
		return all, "", err
	}
	all = []explorer.Use{}
	next, err = list.each(func(after string, limit int) (int, string, error) {
		page, err := x.UsesAfter(ctx, client, kind, wanted, after, limit)
		all = append(all, page.Uses...)
		return len(page.Uses), page.Next, err
	})
	return all, next, err
}

func writeUses(p *program, format string, page explorer.UsesPage) error {
	all := page.Uses
	switch format {
	case "json":
		return writeJSON(p.stdout, page)
	case "csv":
		out := csv.NewWriter(p.stdout)
		_ = out.Write(explorer.UseColumns) // told by Error
		for _, u := range all {
			row := u.Cells()
			for i := range row {
				row[i] = inert(row[i])
			}
			if err := out.Write(row); err != nil {
				return fmt.Errorf("write CSV: %w", err)
			}
		}
		out.Flush()
		return out.Error()
	}
	if len(all) == 0 {
		return nil
	}
	t := newTable("PROJECT", "USES", "VERSION", "AS", "AS OF")
	for _, u := range all {
		t.row(u.Client+"/"+u.Project, u.Kind+" "+providerName(u.Name), u.Version, u.Path, day(u.AsOf))
	}
	return t.write(p.stdout)
}

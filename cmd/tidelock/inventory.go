package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/explorer"
	"github.com/tidelock/tidelock/internal/terminal"
)

// inventory is one call of `tidelock inventory`.
type inventory struct {
	client, project, typ, address, text string
	attributes                          []string
	module, provider                    string
	format                              string
	full                                bool
	piece                               piece
}

// piece is how much of a list is asked for.
type piece struct {
	limit int    // 0 for all
	after string // where another piece ended; "" for the beginning
}

func (p *piece) flags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&p.limit, "limit", 0, "how many to list (else all)")
	cmd.Flags().StringVar(&p.after, "after", "", "go on where another list ended, as that said")
	complete(cmd, "limit", cobra.NoFileCompletions)
	complete(cmd, "after", cobra.NoFileCompletions)
}

func (p *piece) check() error {
	if p.limit < 0 {
		return errs.New(errs.Invalid, "--limit is how many to list, not %d.", p.limit)
	}
	return nil
}

// each asks for pages until there are enough, and returns where to go on, "" at
// the end.
func (p *piece) each(page func(after string, limit int) (n int, next string, err error)) (next string, err error) {
	left := p.limit
	for next = p.after; ; {
		n := 0
		if n, next, err = page(next, left); err != nil {
			return "", err
		}
		if left -= n; next == "" || p.limit > 0 && left <= 0 {
			return next, nil
		}
	}
}

// more tells people of what is not in a list of n.
func (p *piece) more(n int, next string) string {
	return fmt.Sprintf("There are more than these %d. To go on: --after '%s'", n, strings.ReplaceAll(next, "'", `'\''`))
}

// inventoryFormats are what it can be written as.
var inventoryFormats = []string{"table", "csv", "json"}

func newInventoryCommand(p *program) *cobra.Command {
	var c inventory
	cmd := &cobra.Command{
		Use:   "inventory",
		Short: "Search the resources of all states, or export them",
		Long: "Lists managed resources: of the states that are kept here as they are now, and of other projects as their latest\n" +
			"plan found them. All flags must fit. In TYPE, ADDRESS, PROJECT, and the key and value of an attribute, * is any\n" +
			"text and ? any character; brackets are what they are. VERSION is a version, a Git reference, or a constraint.\n" +
			"Sensitive values are in no inventory and can't be searched. Of a long value the first 200 bytes are kept.\n\n" +
			"It needs the settings data_dir and database and the encryption key, and nothing of GitHub.",
		Example: "  tidelock inventory --client acme --type 'aws_db_*' --attribute publicly_accessible=true\n" +
			"  tidelock inventory --address 'module.vpc.*' --project network/prod\n" +
			"  tidelock inventory --provider 'hashicorp/aws@< 5.0' --json | jq -r '.resources[].project' | sort -u\n" +
			"  tidelock inventory --client acme --full --format json > acme.json\n" +
			"  tidelock inventory --json --limit 1000 --after \"$(jq -r .next page.json)\"\n" +
			"  tidelock inventory uses --module terraform-aws-modules/vpc/aws@5.1.2",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.run(cmd.Context(), p)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.client, "client", "", "only this client, by its slug (else all)")
	f.StringVar(&c.project, "project", "", "only this state or project, with wildcards")
	f.StringVar(&c.typ, "type", "", "only resources of this type, with wildcards")
	f.StringVar(&c.address, "address", "", "only this address, with wildcards")
	f.StringVar(&c.text, "text", "", "only those with this in their address, ID or ARN")
	f.StringArrayVar(&c.attributes, "attribute", nil, "only those with this KEY=VALUE, as in tags.env=prod; may be repeated")
	f.StringVar(&c.module, "module", "", "only those of this module, as SOURCE[@VERSION]")
	f.StringVar(&c.provider, "provider", "", "only those of this provider, as NAME[@VERSION]")
	c.piece.flags(cmd)
	f.BoolVar(&c.full, "full", false, "with all attributes that may be shown, in csv and json")
	formatFlags(cmd, &c.format, inventoryFormats)
	for _, name := range []string{"client", "project", "type", "address", "text", "attribute", "module", "provider"} {
		complete(cmd, name, cobra.NoFileCompletions)
	}
	cmd.AddCommand(newInventoryUsesCommand(p))
	return cmd
}

// query reads the flags. The client's slug is looked up later.
func (c *inventory) query() (q explorer.Query, err error) {
	q = explorer.Query{Project: c.project, Type: c.typ, Address: c.address, Text: c.text, Full: c.full && c.format != "table"}
	for _, a := range c.attributes {
		m, err := explorer.ParseMatch(a)
		if err != nil {
			return q, err
		}
		q.Attributes = append(q.Attributes, m)
	}
	for _, w := range []struct {
		text string
		into *explorer.Wanted
	}{{c.module, &q.Module}, {c.provider, &q.Provider}} {
		if w.text == "" {
			continue
		}
		if *w.into, err = explorer.ParseWanted(w.text); err != nil {
			return q, err
		}
	}
	return q, c.piece.check()
}

// openInventory opens the inventory and brings it up to date: a server may not
// be running. What can't be read is told on standard error.
func (p *program) openInventory(ctx context.Context, slug string) (v *vault, x *explorer.Index, client string, err error) {
	if v, err = p.openStates(ctx, true); err != nil {
		return nil, nil, "", err
	}
	if client, err = v.clientID(ctx, slug); err != nil {
		v.close()
		return nil, nil, "", err
	}
	x = explorer.New(v.db, v.states, nil, nil)
	if _, err := x.Refresh(ctx, client); err != nil {
		if ctx.Err() != nil {
			v.close()
			return nil, nil, "", err
		}
		fmt.Fprintln(p.stderr, terminal.Clean("Not all states could be read: "+errs.Sentence(err)))
	}
	return v, x, client, nil
}

func (c *inventory) run(ctx context.Context, p *program) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	v, x, client, err := p.openInventory(ctx, c.client)
	if err != nil {
		return err
	}
	defer v.close()
	q.Client = client
	slugs, err := v.slugs(ctx)
	if err != nil {
		return err
	}
	out := newInventoryWriter(p.stdout, c.format)
	add := func(r explorer.Resource) error {
		r.Client = slugs[r.Client]
		return out.add(r)
	}
	next := ""
	if c.piece.limit == 0 {
		q.After = c.piece.after
		err = x.Each(ctx, q, add)
	} else {
		next, err = c.piece.each(func(after string, limit int) (int, string, error) {
			q.After, q.Limit = after, limit
			page, err := x.Search(ctx, q)
			for i := 0; err == nil && i < len(page.Resources); i++ {
				err = add(page.Resources[i])
			}
			return len(page.Resources), page.Next, err
		})
	}
	if err != nil {
		return err
	}
	if err := out.close(next); err != nil {
		return err
	}
	return c.tell(ctx, p, x, q, out.n, next, slugs)
}

// tell says on standard error what the list does not.
func (c *inventory) tell(ctx context.Context, p *program, x *explorer.Index, q explorer.Query, n int, next string, slugs map[string]string) error {
	say := func(text string) { fmt.Fprintln(p.stderr, terminal.Clean(text)) }
	if n == 0 && c.piece.after == "" {
		say("Nothing was found.")
		hints, err := x.Hints(ctx, q)
		if err != nil {
			return err
		}
		for _, h := range hints {
			say(h)
		}
	}
	if next != "" {
		say(c.piece.more(n, next))
	}
	all, err := x.Sources(ctx, q.Client)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.Note != "" {
			say(fmt.Sprintf("%s/%s: %s", slugs[s.Client], s.Name, s.Note))
		}
	}
	return nil
}

// inventoryWriter writes resources as they come: an export may be long.
type inventoryWriter struct {
	w      io.Writer
	format string
	table  *table
	csv    *csv.Writer
	n      int
}

func newInventoryWriter(w io.Writer, format string) *inventoryWriter {
	out := &inventoryWriter{w: w, format: format}
	switch format {
	case "csv":
		out.csv = csv.NewWriter(w)
		_ = out.csv.Write(explorer.ResourceColumns) // told by Error at the end
	case "table":
		out.table = newTable("PROJECT", "ADDRESS", "ID", "REGION", "PROVIDER")
	}
	return out
}

func (o *inventoryWriter) add(r explorer.Resource) error {
	o.n++
	switch o.format {
	case "csv":
		row := r.Cells()
		for i := range row {
			row[i] = inert(row[i])
		}
		return o.csv.Write(row)
	case "json":
		text, err := jsonText(r)
		if err != nil {
			return err
		}
		between := ",\n"
		if o.n == 1 {
			between = "{\n  \"resources\": [\n"
		}
		_, err = io.WriteString(o.w, between+"    "+text)
		return err
	}
	o.table.row(r.Client+"/"+r.Project, r.Address, r.ID, r.Region, providerName(r.Provider)+versionAfter(r.ProviderVersion))
	return nil
}

// close ends the list; next is where to go on, "" where this is all.
func (o *inventoryWriter) close(next string) error {
	switch o.format {
	case "csv":
		o.csv.Flush()
		return o.csv.Error()
	case "json":
		end := "\n  ]"
		if o.n == 0 {
			end = "{\n  \"resources\": []"
		}
		if next != "" {
			text, err := jsonText(next)
			if err != nil {
				return err
			}
			end += ",\n  \"next\": " + text
		}
		_, err := io.WriteString(o.w, end+"\n}\n")
		return err
	}
	if o.n == 0 {
		return nil
	}
	return o.table.write(o.w)
}

// providerName is a provider's address as people write it.
func providerName(address string) string {
	return strings.TrimPrefix(strings.TrimPrefix(address, "registry.terraform.io/"), "registry.opentofu.org/")
}

func versionAfter(v string) string {
	if v == "" {
		return ""
	}
	return " " + v
}

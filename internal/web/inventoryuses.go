package web

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/explorer"
)

var errNoInventory = errs.New(errs.NotFound, "This server keeps no inventory.")

// usesPage is a piece of the list of which projects use what.
type usesPage struct {
	Uses []explorer.Use `json:"uses"`
	Next string         `json:"next,omitempty"`

	Client  string   `json:"-"`
	Asked   string   `json:"-"` // the module or provider
	NextURL string   `json:"-"`
	Exports []choice `json:"-"`
}

// usesQuery is what is asked for of uses.
type usesQuery struct {
	client, kind string
	wanted       explorer.Wanted
}

func readUses(form url.Values, client string) (q usesQuery, err error) {
	q.client = client
	module, provider := form.Get("module"), form.Get("provider")
	if len(module) > maxQuery || len(provider) > maxQuery || len(form.Get("after")) > 4000 {
		return q, errs.New(errs.Invalid, "module and provider must not be longer than %d bytes.", maxQuery)
	}
	switch {
	case module != "" && provider != "":
		return q, errs.New(errs.Invalid, "Ask for a module or for a provider, not for both.")
	case module != "":
		q.kind = explorer.Module
		q.wanted, err = explorer.ParseWanted(module)
	case provider != "":
		q.kind = explorer.Provider
		q.wanted, err = explorer.ParseWanted(provider)
	}
	return q, err
}

func (s *site) inventoryUses(r *http.Request) (shown, error) {
	if s.Inventory == nil {
		return shown{}, errNoInventory
	}
	l, err := s.listing(r.Context(), s.DB, r)
	if err != nil {
		return shown{}, err
	}
	form := r.URL.Query()
	q, err := readUses(form, l.client.ID)
	if err != nil {
		return shown{}, err
	}
	found, err := s.Inventory.UsesAfter(r.Context(), q.client, q.kind, q.wanted, form.Get("after"), l.limit)
	if err != nil {
		return shown{}, err
	}
	slugs := slugsOf(l.clients)
	p := usesPage{Uses: []explorer.Use{}, Next: found.Next, Client: l.client.Slug, Asked: form.Get("module") + form.Get("provider")}
	for _, u := range found.Uses {
		u.Client = slugs[u.Client]
		p.Uses = append(p.Uses, u)
	}
	form.Set("what", "uses")
	p.Exports = exportsOf("/api/v1/inventory/export", form)
	if p.Next != "" {
		form.Del("what")
		form.Set("after", p.Next)
		p.NextURL = "/inventory/uses?" + form.Encode()
	}
	return shown{title: "Modules and providers", nav: "inventory", data: p}, nil
}

// exportsOf are the addresses of the whole of what a form asks for.
func exportsOf(at string, form url.Values) (all []choice) {
	whole := url.Values{}
	for name, values := range form {
		if name != "after" && name != "limit" && strings.Join(values, "") != "" {
			whole[name] = values
		}
	}
	for _, format := range []string{"csv", "json"} {
		whole.Set("format", format)
		all = append(all, choice{Name: strings.ToUpper(format), URL: at + "?" + whole.Encode()})
	}
	return all
}

// exportTime is how long an export may take to go.
const exportTime = 15 * time.Minute

// exporter writes one line after the other.
type exporter struct {
	http.ResponseWriter
	name string // of the list
	csv  *csv.Writer
	n    int
}

func (e *exporter) add(cells []string, v any) error {
	e.n++
	if e.csv != nil {
		for i := range cells {
			cells[i] = spreadsheet(cells[i])
		}
		return e.csv.Write(cells)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	between := ",\n"
	if e.n == 1 {
		between = "{\n  \"" + e.name + "\": [\n"
	}
	_, err = io.WriteString(e, between+"    "+string(text))
	return err
}

func (e *exporter) close() error {
	if e.csv != nil {
		e.csv.Flush()
		return e.csv.Error()
	}
	end := "\n  ]\n}\n"
	if e.n == 0 {
		end = "{\n  \"" + e.name + "\": []\n}\n"
	}
	_, err := io.WriteString(e, end)
	return err
}

// spreadsheet keeps a text from being taken for a formula: names and values are
// others'.
func spreadsheet(cell string) string {
	if cell = plain(cell); cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
		return "'" + cell
	}
	return cell
}

// export answers with the whole of what is asked for, as it comes: it is never
// held at once.
func (s *site) export(w http.ResponseWriter, r *http.Request) error {
	if s.Inventory == nil {
		return errNoInventory
	}
	ctx, form := r.Context(), r.URL.Query()
	what, format := cmp.Or(form.Get("what"), "resources"), cmp.Or(form.Get("format"), "json")
	if format != "csv" && format != "json" || what != "resources" && what != "uses" {
		return errs.New(errs.Invalid, "format must be csv or json, and what resources or uses.")
	}
	l, err := s.listing(ctx, s.DB, r)
	if err != nil {
		return err
	}
	slugs := slugsOf(l.clients)
	e := &exporter{ResponseWriter: w, name: what}
	var columns []string
	var each func(context.Context) error
	if what == "uses" {
		q, err := readUses(form, l.client.ID)
		if err != nil {
			return err
		}
		all, err := s.Inventory.Uses(ctx, q.client, q.kind, q.wanted)
		if err != nil {
			return err
		}
		columns = explorer.UseColumns
		each = func(context.Context) error {
			for _, u := range all {
				u.Client = slugs[u.Client]
				if err := e.add(u.Cells(), u); err != nil {
					return err
				}
			}
			return nil
		}
	} else {
		q, err := inventoryQuery(form, askedOf(form, l.client.Slug))
		if err != nil {
			return err
		}
		q.Client, q.After = l.client.ID, ""
		columns = explorer.ResourceColumns
		each = func(ctx context.Context) error {
			return s.Inventory.Each(ctx, q, func(res explorer.Resource) error {
				res.Client = slugs[res.Client]
				return e.add(res.Cells(), res)
			})
		}
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(exportTime)) // a recorder in a test has none
	head := w.Header()
	head.Set("Content-Disposition", `attachment; filename="tidelock-`+what+`.`+format+`"`)
	head.Set("Content-Type", "application/json; charset=utf-8")
	if format == "csv" {
		head.Set("Content-Type", "text/csv; charset=utf-8")
		e.csv = csv.NewWriter(w)
		_ = e.csv.Write(columns) // told by Error at the end
	}
	if r.Method == http.MethodHead {
		return nil
	}
	err = each(ctx)
	if err == nil {
		err = e.close()
	}
	if err != nil {
		// It has begun: nobody must take a part for the whole.
		if ctx.Err() == nil {
			s.Log.Error("export not sent to its end", keyPath, r.URL.Path, keyError, err)
		}
		panic(http.ErrAbortHandler)
	}
	return nil
}

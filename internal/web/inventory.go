package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/explorer"
)

// inventoryPage is what was found among the resources of all states.
type inventoryPage struct {
	Resources []explorer.Resource `json:"resources"`
	Uses      []explorer.Use      `json:"uses"`     // of the module or provider that was asked for
	Hints     []string            `json:"hints"`    // where nothing was found
	Behind    int                 `json:"behind"`   // states that are not in it as they are now
	Problems  []string            `json:"problems"` // states that can't be looked into
	Next      string              `json:"next,omitempty"`

	Asked   inventoryForm `json:"-"`
	Clients []choice      `json:"-"` // to choose from
	NextURL string        `json:"-"`
	Exports []choice      `json:"-"`

	MoreUses string `json:"more_uses,omitempty"` // where the rest of the uses is
}

// inventoryForm is what was asked for, as it was typed.
type inventoryForm struct{ Client, Project, Type, Address, Text, Attribute, Module, Provider string }

// Empty reports whether nothing was asked for.
func (f inventoryForm) Empty() bool { return f == inventoryForm{} }

// usesShown bounds the list of uses.
const usesShown = 200

func (s *site) inventory(r *http.Request) (shown, error) {
	if s.Inventory == nil {
		return shown{}, errNoInventory
	}
	ctx := r.Context()
	l, err := s.listing(ctx, s.DB, r)
	if err != nil {
		return shown{}, err
	}
	form := r.URL.Query()
	p := inventoryPage{Uses: []explorer.Use{}, Hints: []string{}, Problems: []string{}, Asked: askedOf(form, l.client.Slug)}
	q, err := inventoryQuery(form, p.Asked)
	if err != nil {
		return shown{}, err
	}
	q.Client, q.Limit = l.client.ID, l.limit
	found, err := s.Inventory.Search(ctx, q)
	if err != nil {
		return shown{}, err
	}
	slugs := slugsOf(l.clients)
	p.Resources, p.Behind, p.Next = found.Resources, found.Behind, found.Next
	for i := range p.Resources {
		p.Resources[i].Client = slugs[p.Resources[i].Client]
	}
	if p.Next != "" {
		form.Set("after", p.Next)
		p.NextURL = "/inventory?" + form.Encode()
	}
	if len(p.Resources) == 0 && !p.Asked.Empty() {
		hints, err := s.Inventory.Hints(ctx, q)
		if err != nil {
			return shown{}, err
		}
		p.Hints = append(p.Hints, hints...)
	}
	if p.Uses, p.MoreUses, err = s.usesOf(r, q, slugs, form); err != nil {
		return shown{}, err
	}
	p.Exports = exportsOf("/api/v1/inventory/export", form)
	sources, err := s.Inventory.Sources(ctx, q.Client)
	if err != nil {
		return shown{}, err
	}
	for _, one := range sources {
		if one.Note != "" {
			p.Problems = append(p.Problems, slugs[one.Client]+"/"+one.Name+": "+one.Note)
		}
	}
	for _, c := range l.clients {
		p.Clients = append(p.Clients, choice{Name: c.Name, URL: c.Slug, Chosen: c.ID == l.client.ID})
	}
	return shown{title: "Inventory", nav: "inventory", data: p}, nil
}

// usesOf lists the projects that use the module or provider that is asked for,
// and where there are more.
func (s *site) usesOf(r *http.Request, q explorer.Query, slugs map[string]string, form url.Values) (out []explorer.Use, more string, err error) {
	out = []explorer.Use{}
	for _, w := range []struct {
		kind string
		explorer.Wanted
	}{{explorer.Module, q.Module}, {explorer.Provider, q.Provider}} {
		if w.Empty() {
			continue
		}
		p, err := s.Inventory.UsesAfter(r.Context(), q.Client, w.kind, w.Wanted, "", usesShown)
		if err != nil {
			return nil, "", err
		}
		if p.Next != "" && more == "" {
			rest := url.Values{w.kind: {form.Get(w.kind)}, "after": {p.Next}, "limit": {strconv.Itoa(usesShown)}}
			if c := form.Get("client"); c != "" {
				rest.Set("client", c)
			}
			more = "/inventory/uses?" + rest.Encode()
		}
		for _, u := range p.Uses {
			u.Client = slugs[u.Client]
			out = append(out, u)
		}
	}
	return out, more, nil
}

// askedOf is the form as it was typed.
func askedOf(form url.Values, client string) inventoryForm {
	return inventoryForm{
		Client: client, Project: form.Get("project"), Type: form.Get("type"), Address: form.Get("address"), Text: form.Get("q"), Attribute: strings.Join(form["attribute"], " "),
		Module: form.Get("module"), Provider: form.Get("provider"),
	}
}

// inventoryQuery reads the form. Several attributes stand one after the other
// in one field, or in several.
func inventoryQuery(form url.Values, asked inventoryForm) (q explorer.Query, err error) {
	q = explorer.Query{Project: asked.Project, Type: asked.Type, Address: asked.Address, Text: asked.Text, After: form.Get("after"), Full: form.Get("full") == "1"}
	for name, values := range form {
		for _, v := range values {
			if limit := map[bool]int{true: 4000, false: maxQuery}[name == "after"]; len(v) > limit {
				return q, errs.New(errs.Invalid, "%s must not be longer than %d bytes.", plain(strconv.Quote(name)), limit)
			}
		}
	}
	for _, text := range form["attribute"] {
		for _, one := range strings.Fields(text) {
			m, err := explorer.ParseMatch(one)
			if err != nil {
				return q, err
			}
			q.Attributes = append(q.Attributes, m)
		}
	}
	if asked.Module != "" {
		if q.Module, err = explorer.ParseWanted(asked.Module); err != nil {
			return q, err
		}
	}
	if asked.Provider != "" {
		q.Provider, err = explorer.ParseWanted(asked.Provider)
	}
	return q, err
}

// shortProvider is a provider's address as people write it.
func shortProvider(address string) string {
	return strings.TrimPrefix(strings.TrimPrefix(address, "registry.terraform.io/"), "registry.opentofu.org/")
}

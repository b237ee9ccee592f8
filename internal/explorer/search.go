package explorer

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// Bounds of a page.
const (
	defaultLimit = 100
	maxLimit     = 1000
	chunk        = 1000 // rows that are read at a time
	scanChunk    = 5000 // the same, where each time costs a look at all
	// common is one of how many resources has to fit for all of them to be
	// looked through in the answer's order: a page is full soon. What fewer fit
	// is found faster where they lie.
	common = 20
)

// cursor is where a page ended.
type cursor struct{ client, address, source string }

func (c cursor) String() string {
	b, err := json.Marshal([]string{c.client, c.address, c.source})
	if err != nil {
		return "" // strings always can be
	}
	return string(b)
}

func parseCursor(text string) (c cursor, err error) {
	var parts []string
	if text == "" {
		return c, nil
	}
	if json.Unmarshal([]byte(text), &parts) != nil || len(parts) != 3 {
		return c, errs.New(errs.Invalid, "That is no place to go on from.")
	}
	return cursor{parts[0], parts[1], parts[2]}, nil
}

// Search returns a page of what the query asks for.
func (x *Index) Search(ctx context.Context, q Query) (Page, error) {
	p := Page{Resources: []Resource{}}
	limit := min(q.Limit, maxLimit)
	if limit <= 0 {
		limit = defaultLimit
	}
	next, err := x.search(ctx, q, func(r Resource) bool {
		if len(p.Resources) == limit {
			return false
		}
		p.Resources = append(p.Resources, r)
		return true
	})
	if err != nil {
		return Page{}, fmt.Errorf("search the inventory: %w", err)
	}
	p.Next = next
	p.Behind, err = x.Behind(ctx, q.Client)
	return p, err
}

// Each calls f for all that the query asks for, however much it is. It reads in
// pieces, so that what is written meanwhile may be among it or not.
func (x *Index) Each(ctx context.Context, q Query, f func(Resource) error) error {
	var failed error
	_, err := x.search(ctx, q, func(r Resource) bool {
		failed = f(r)
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	if err != nil {
		return fmt.Errorf("search the inventory: %w", err)
	}
	return nil
}

// Behind is how many of a client's states, or of all, are not in the inventory
// as they are now: they were written a moment ago, or can't be read.
func (x *Index) Behind(ctx context.Context, client string) (n int, err error) {
	if err := x.db.QueryRowContext(ctx, `SELECT count(*)`+behind, client, format).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the states that are not in the inventory: %w", err)
	}
	return n, nil
}

// search gives what it finds to take until that refuses; then next is where to
// go on.
func (x *Index) search(ctx context.Context, q Query, take func(Resource) bool) (next string, err error) {
	at, err := parseCursor(q.After)
	if err != nil {
		return "", err
	}
	known, err := x.sources(ctx, q.Client)
	if err != nil {
		return "", err
	}
	wanted := q.wanted(known)
	if wanted != nil && len(wanted) == 0 {
		return "", nil
	}
	f := x.filter(q, wanted, known, true)
	walks := f.looks
	for {
		var found []Resource
		var last bool
		var end cursor
		if walks {
			found, end, err = x.stretch(ctx, f, at, q.Full || !q.told())
			last = end == cursor{}
			if walks = len(found) >= chunk/common; !walks {
				f = x.filter(q, wanted, known, false)
			}
		} else {
			found, last, err = x.chunk(ctx, f, at, q.Full || !q.told())
		}
		if err != nil {
			return "", err
		}
		for _, r := range found {
			here := cursor{r.Client, r.Address, r.source}
			s := known.byID[r.source]
			if !q.fits(r, s.name, wanted) {
				at = here
				continue
			}
			r.Project, r.Kept = s.name, s.kind == kindState
			r.ProviderVersion = known.pins[s.group()][r.Provider]
			if !q.Full {
				r.Attributes = nil
			}
			if !take(r) {
				return at.String(), nil
			}
			at = here
		}
		if last {
			return "", nil
		}
		if end != (cursor{}) {
			at = end
		}
	}
}

// filter is what the database can tell of a query: it lets through all that
// fits, and perhaps more.
type filter struct {
	where []string
	args  []any
	// client is all that is looked through, "" for everything; until is where
	// that ends.
	client string
	until  cursor
	looks  bool // at all resources, for no index knows what fits
	// scan says that all rows are looked through in the order in which they
	// lie, rather than in that of the answer: for what few of them fit. texts
	// says so of the attributes' rows.
	scan, texts bool
	joined      bool // attributes are looked at
	chunk       int
}

func (f *filter) arg(v any) string {
	f.args = append(f.args, v)
	return fmt.Sprintf("$%d", len(f.args))
}

// free keeps the index of a column from being used where all rows are looked
// through anyway.
func (f *filter) free(column string) string {
	if f.scan {
		return column + " || ''"
	}
	return column
}

func (f *filter) pattern(column, pattern string) {
	switch {
	case pattern == "" || strings.Trim(pattern, "*") == "":
	case wild(pattern):
		f.where = append(f.where, column+` LIKE `+f.arg(like(pattern))+` ESCAPE '\'`)
	default:
		f.where = append(f.where, column+" = "+f.arg(pattern))
	}
}

// filter has all rows looked through in the order of the answer, where inOrder,
// if they have to be looked through.
func (x *Index) filter(q Query, wanted map[string][]need, known *knowledge, inOrder bool) *filter {
	f := &filter{chunk: chunk, client: q.Client}
	direct := q.Type != "" && !wild(q.Type) || q.Address != "" && !wild(q.Address)
	f.joined = len(q.Attributes) > 0
	f.looks = (f.joined || q.Text != "") && !direct
	if f.looks && !inOrder {
		f.scan, f.texts, f.chunk = true, f.joined, scanChunk
	}
	if q.Client != "" {
		f.where = append(f.where, f.free("r.client_id")+" = "+f.arg(q.Client))
	}
	f.pattern("r.type", q.Type)
	f.pattern("r.address", q.Address)
	if q.Text != "" {
		t := f.arg("%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(q.Text)) + "%")
		f.where = append(f.where, fmt.Sprintf(`(lower(r.address) LIKE %s ESCAPE '\' OR lower(r.cloud_id) LIKE %s ESCAPE '\' OR lower(r.arn) LIKE %s ESCAPE '\')`, t, t, t))
	}
	holds := "instr(a.text, "
	if x.db.Dialect() == db.Postgres {
		holds = "strpos(a.text, "
	}
	for _, m := range q.Attributes {
		if part := m.part(); part != "" {
			f.where = append(f.where, holds+f.arg(part)+") > 0")
		}
	}
	var ids []string
	for id, s := range known.byID {
		if (wanted == nil || wanted[id] != nil) && (q.Project == "" || matches(q.Project, s.name)) {
			ids = append(ids, id)
		}
	}
	if (wanted != nil || q.Project != "") && len(ids) <= 200 {
		slices.Sort(ids)
		marks := []string{"''"}
		for _, id := range ids {
			marks = append(marks, f.arg(id))
		}
		f.where = append(f.where, "r.source_id IN ("+strings.Join(marks, ", ")+")")
	}
	return f
}

// told reports whether the database alone tells which attributes fit.
func (q Query) told() bool {
	return !slices.ContainsFunc(q.Attributes, func(m Match) bool { return wild(m.Path) || wild(m.Value) || len(m.Value) > maxValue/2 })
}

// part is what the lines of a resource must hold for the match.
func (m Match) part() string {
	value, _, open := strings.Cut(strings.ReplaceAll(m.Value, "?", "*"), "*")
	open = open || len(m.Value) > maxValue
	if len(value) > maxValue/2 {
		value, open = strings.ToValidUTF8(value[:maxValue/2], ""), true
	}
	part := "=" + value
	if !wild(m.Path) {
		part = "\n" + m.Path + part
	}
	if !open {
		part += "\n"
	}
	return part
}

// stretch reads what fits of the next rows in the order of the answer, and returns
// where these end; nowhere, if there are no more.
func (x *Index) stretch(ctx context.Context, f *filter, after cursor, attributes bool) (all []Resource, end cursor, err error) {
	g := filter{client: f.client}
	if g.client != "" {
		g.where = append(g.where, "r.client_id = "+g.arg(g.client))
	}
	g.from(after)
	err = x.db.QueryRowContext(ctx, `SELECT r.client_id, r.address, r.source_id FROM inventory_resources r`+g.text()+
		fmt.Sprintf(` ORDER BY r.client_id, r.address, r.source_id LIMIT 1 OFFSET %d`, chunk-1), g.args...).Scan(&end.client, &end.address, &end.source)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, end, err
	}
	until := *f
	until.until, until.chunk = end, math.MaxInt32 // what another writes meanwhile may come between
	all, _, err = x.chunk(ctx, &until, after, attributes)
	return all, end, err
}

// from leaves out what comes before the place.
func (f *filter) from(after cursor) { f.beside(">", after) }

func (f *filter) beside(sign string, at cursor) {
	switch {
	case at == cursor{}:
	case f.client != "" && !f.scan: // by the index, in which the client comes first
		f.where = append(f.where, fmt.Sprintf("(r.address, r.source_id) %s (%s, %s)", sign, f.arg(at.address), f.arg(at.source)))
	default:
		f.where = append(f.where, fmt.Sprintf("(%s, r.address, r.source_id) %s (%s, %s, %s)", f.free("r.client_id"), sign, f.arg(at.client), f.arg(at.address), f.arg(at.source)))
	}
}

// text is the condition.
func (f *filter) text() string {
	if len(f.where) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(f.where, " AND ")
}

// chunk reads the next rows.
func (x *Index) chunk(ctx context.Context, f *filter, after cursor, attributes bool) (all []Resource, last bool, err error) {
	g := filter{where: slices.Clone(f.where), args: slices.Clone(f.args), client: f.client, scan: f.scan}
	g.from(after)
	g.beside("<=", f.until)
	text, from := "''", "inventory_resources r"
	switch {
	case f.texts: // SQLite keeps to the order of a CROSS JOIN
		from = "inventory_attributes a CROSS JOIN inventory_resources r"
	case attributes || f.joined:
		from = "inventory_resources r CROSS JOIN inventory_attributes a"
	}
	if attributes {
		text = "a.text"
	}
	if from != "inventory_resources r" {
		g.where = append(g.where, "a.source_id = r.source_id AND a.address = r.address")
	}
	query := `SELECT r.source_id, r.client_id, r.address, r.type, r.name, r.module, r.provider, r.cloud_id, r.arn, r.region, ` + text + ` FROM ` + from + g.text() +
		fmt.Sprintf(` ORDER BY %s, r.address, r.source_id LIMIT %d`, f.free("r.client_id"), f.chunk)
	err = db.Each(ctx, x.db, func(scan func(...any) error) error {
		var r Resource
		var text string
		if err := scan(&r.source, &r.Client, &r.Address, &r.Type, &r.Name, &r.Module, &r.Provider, &r.ID, &r.ARN, &r.Region, &text); err != nil {
			return err
		}
		for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
			if path, value, ok := strings.Cut(line, "="); ok {
				r.Attributes = append(r.Attributes, Attribute{path, value})
			}
		}
		all = append(all, r)
		return nil
	}, query, g.args...)
	return all, len(all) < f.chunk, err
}

// fits is the whole of the query.
func (q Query) fits(r Resource, project string, wanted map[string][]need) bool {
	if q.Type != "" && !matches(q.Type, r.Type) || q.Address != "" && !matches(q.Address, r.Address) {
		return false
	}
	if q.Project != "" && !matches(q.Project, project) || !q.Provider.Empty() && !q.Provider.names(r.Provider) {
		return false
	}
	for _, m := range q.Attributes {
		if q.told() && !q.Full {
			break
		}
		if !slices.ContainsFunc(r.Attributes, func(a Attribute) bool { return matches(m.Path, a.Path) && matches(m.Value, a.Value) }) {
			return false
		}
	}
	if wanted == nil {
		return true
	}
	return slices.ContainsFunc(wanted[r.source], func(n need) bool { return n.fits(r) })
}

// need is what a resource must be of, in one source.
type need struct {
	paths     []string // one of these modules; nil for any
	providers []string // one of these providers; nil for any
}

func (n need) fits(r Resource) bool {
	if n.providers != nil && !slices.Contains(n.providers, r.Provider) {
		return false
	}
	if n.paths == nil {
		return true
	}
	module := withoutKeys(r.Module)
	return slices.ContainsFunc(n.paths, func(p string) bool { return module == p || strings.HasPrefix(module, p+".") })
}

// withoutKeys is a module's address without the keys of its instances, as code
// has it.
func withoutKeys(address string) string {
	var out strings.Builder
	quoted, escaped, inside := false, false, false
	for i := range len(address) {
		c := address[i]
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case inside && c == '"':
			quoted = !quoted
		case c == '[' && !quoted:
			inside = true
		case c == ']' && !quoted:
			inside = false
		case !inside:
			out.WriteByte(c)
		}
	}
	return out.String()
}

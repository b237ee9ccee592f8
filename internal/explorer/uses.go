package explorer

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// knowledge is what is known of a client's sources, or of everybody's.
type knowledge struct {
	byID   map[string]source
	groups map[string][]string          // sources of one state, by group
	pins   map[string]map[string]string // versions of providers, by group
	uses   []found
}

// found is a use and the source that tells of it.
type found struct {
	Use
	group string
}

// group is the same for a state that is kept here and the project whose plans
// work on it.
func (s source) group() string {
	if s.lineage == "" {
		return s.id
	}
	return s.client + "\x00" + s.lineage
}

func (x *Index) sources(ctx context.Context, client string) (*knowledge, error) {
	k := &knowledge{byID: map[string]source{}, groups: map[string][]string{}, pins: map[string]map[string]string{}}
	err := db.Each(ctx, x.db, func(scan func(...any) error) error {
		var s source
		if err := scan(&s.id, &s.client, &s.kind, &s.name, &s.dir, &s.workspace, &s.lineage, &s.version, &s.note, &s.asOf, &s.resources); err != nil {
			return err
		}
		k.byID[s.id] = s
		k.groups[s.group()] = append(k.groups[s.group()], s.id)
		return nil
	}, `SELECT id, client_id, kind, name, dir, workspace, lineage, version_id, note, as_of_ms, resources FROM inventory_sources WHERE client_id = $1 OR $1 = '' ORDER BY id`, client)
	if err != nil {
		return nil, err
	}
	return k, db.Each(ctx, x.db, func(scan func(...any) error) error {
		var id string
		var f found
		if err := scan(&id, &f.Kind, &f.Path, &f.Name, &f.Version); err != nil {
			return err
		}
		s := k.byID[id]
		f.group, f.source = s.group(), s.id
		f.Client, f.Project, f.Dir, f.Workspace, f.AsOf = s.client, s.name, s.dir, s.workspace, db.FromMillis(s.asOf)
		k.uses = append(k.uses, f)
		if f.Kind == Provider {
			if k.pins[f.group] == nil {
				k.pins[f.group] = map[string]string{}
			}
			k.pins[f.group][f.Name] = f.Version
		}
		return nil
	}, `SELECT u.source_id, u.kind, u.path, u.name, u.version FROM inventory_uses u JOIN inventory_sources s ON s.id = u.source_id WHERE s.client_id = $1 OR $1 = ''
		ORDER BY s.client_id, s.name, u.source_id, u.kind, u.path, u.name`, client)
}

// wanted tells what resources of each source must be of, nil where the query
// asks for no module and no version.
func (q Query) wanted(k *knowledge) map[string][]need {
	versioned := q.Provider.Version != "" // else the resources themselves tell
	if q.Module.Empty() && !versioned {
		return nil
	}
	paths, providers := map[string][]string{}, map[string][]string{}
	for _, u := range k.uses {
		switch {
		case u.Kind == Module && !q.Module.Empty() && q.Module.names(u.Name) && q.Module.versions(u.Version):
			paths[u.group] = append(paths[u.group], u.Path)
		case u.Kind == Provider && versioned && q.Provider.names(u.Name) && q.Provider.versions(u.Version):
			providers[u.group] = append(providers[u.group], u.Name)
		}
	}
	out := map[string][]need{}
	for group, ids := range k.groups {
		var n need
		if !q.Module.Empty() {
			if n.paths = paths[group]; n.paths == nil {
				continue
			}
		}
		if versioned {
			if n.providers = providers[group]; n.providers == nil {
				continue
			}
		}
		for _, id := range ids {
			out[id] = append(out[id], n)
		}
	}
	return out
}

// Uses returns which modules and providers the projects of a client use, or of
// all where client is ""; only those that are wanted, where any are. Kind is
// Module, Provider, or "" for both. They come by client, project, kind, path and name.
func (x *Index) Uses(ctx context.Context, client, kind string, wanted Wanted) ([]Use, error) {
	k, err := x.sources(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("list modules and providers: %w", err)
	}
	all := []Use{}
	for _, u := range k.uses {
		if kind != "" && u.Kind != kind || !wanted.Empty() && !(wanted.names(u.Name) && wanted.versions(u.Version)) {
			continue
		}
		all = append(all, u.Use)
	}
	slices.SortFunc(all, func(a, b Use) int { return slices.Compare(a.place(), b.place()) })
	return all, nil
}

// place is where a use stands in a list, whatever the database thinks of letters.
func (u Use) place() []string { return []string{u.Client, u.Project, u.source, u.Kind, u.Path, u.Name} }

// UsesPage is a piece of a list of uses.
type UsesPage struct {
	Uses []Use  `json:"uses"`
	Next string `json:"next,omitempty"` // for the next call; "" where this is the last
}

// UsesAfter is Uses in pieces: at most limit of those that come after the place
// where another piece ended, "" for the first. Limit is bounded as a Query's.
func (x *Index) UsesAfter(ctx context.Context, client, kind string, wanted Wanted, after string, limit int) (UsesPage, error) {
	var from []string
	if after != "" {
		if err := json.Unmarshal([]byte(after), &from); err != nil || len(from) != len(Use{}.place()) {
			return UsesPage{}, errs.New(errs.Invalid, "That is no place to go on from.")
		}
	}
	all, err := x.Uses(ctx, client, kind, wanted)
	if err != nil {
		return UsesPage{}, err
	}
	at := 0
	if from != nil {
		at, _ = slices.BinarySearchFunc(all, from, func(u Use, from []string) int {
			return cmp.Or(slices.Compare(u.place(), from), -1) // behind the one that is the same
		})
	}
	if limit = min(limit, maxLimit); limit <= 0 {
		limit = defaultLimit
	}
	p := UsesPage{Uses: all[at:min(at+limit, len(all))]}
	if at+limit < len(all) {
		next, err := json.Marshal(p.Uses[len(p.Uses)-1].place())
		if err != nil {
			return UsesPage{}, err
		}
		p.Next = string(next)
	}
	return p, nil
}

// Source is a state or project whose resources the inventory has.
type Source struct {
	Client    string
	Name      string
	Kept      bool // its state is kept here
	Resources int
	Note      string // why nothing, or not all, is there
}

// Sources returns what the inventory of a client, or of all, is made of.
func (x *Index) Sources(ctx context.Context, client string) ([]Source, error) {
	var all []Source
	err := db.Each(ctx, x.db, func(scan func(...any) error) error {
		var s Source
		var kind string
		err := scan(&s.Client, &s.Name, &kind, &s.Resources, &s.Note)
		s.Kept = kind == kindState
		all = append(all, s)
		return err
	}, `SELECT client_id, name, kind, resources, note FROM inventory_sources WHERE client_id = $1 OR $1 = '' ORDER BY client_id, name, id`, client)
	if err != nil {
		return nil, fmt.Errorf("list what the inventory is made of: %w", err)
	}
	return all, nil
}

// Counts returns how many resources of each type a client has, or all.
func (x *Index) Counts(ctx context.Context, client string) (map[string]int, error) {
	counts := map[string]int{}
	err := db.Each(ctx, x.db, func(scan func(...any) error) error {
		var typ string
		var n int
		err := scan(&typ, &n)
		counts[typ] = n
		return err
	}, `SELECT type, count(*) FROM inventory_resources WHERE client_id = $1 OR $1 = '' GROUP BY type`, client)
	if err != nil {
		return nil, fmt.Errorf("count resources: %w", err)
	}
	return counts, nil
}

package explorer

import (
	"context"
	"fmt"

	"github.com/tidelock/tidelock/internal/db"
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
		f.group = s.group()
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
// Module, Provider, or "" for both.
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
	return all, nil
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

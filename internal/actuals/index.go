package actuals

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/db"
)

// ProjectKey names a client's project.
type ProjectKey struct {
	Client    string // ID
	Repo      int64
	Dir       string
	Workspace string
}

// Known keeps which of the cloud's resources a project holds. What it held
// earlier stays known: a resource is billed for the month in which it went.
// Where nothing has changed, little is written.
func (s *Store) Known(ctx context.Context, k ProjectKey, name string, all []Resource) error {
	type row struct {
		key string
		r   *Resource
	}
	var rows []row
	seen := map[string]bool{}
	for i := range all {
		for _, key := range all[i].Keys {
			if !seen[key] { // two resources may share a name
				seen[key] = true
				rows = append(rows, row{key, &all[i]})
			}
		}
	}
	digest, now := digestOf(all), db.Millis(s.now())
	err := s.db.Tx(ctx, func(tx *db.Tx) error {
		var last string
		var seen int64
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(digest), ''), coalesce(max(seen_ms), 0) FROM resource_projects WHERE repo_id = $1 AND dir = $2 AND workspace = $3 AND client_id = $4`, k.Repo, k.Dir, k.Workspace, k.Client).Scan(&last, &seen); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO resource_projects (repo_id, dir, workspace, client_id, name, digest, seen_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (repo_id, dir, workspace) DO UPDATE SET client_id = excluded.client_id, name = excluded.name, digest = excluded.digest, seen_ms = excluded.seen_ms`,
			k.Repo, k.Dir, k.Workspace, k.Client, name, digest, now); err != nil {
			return err
		}
		if last == digest {
			return nil
		}
		// What the state had before was there until it was read last, however
		// long ago it was written here.
		if _, err := tx.ExecContext(ctx, `UPDATE resource_keys SET seen_ms = $4 WHERE repo_id = $1 AND dir = $2 AND workspace = $3 AND seen_ms < $4
			AND seen_ms = (SELECT max(seen_ms) FROM resource_keys WHERE repo_id = $1 AND dir = $2 AND workspace = $3)`, k.Repo, k.Dir, k.Workspace, seen); err != nil {
			return err
		}
		for some := range slices.Chunk(rows, 100) {
			var text strings.Builder
			text.WriteString(`INSERT INTO resource_keys (client_id, key, repo_id, dir, workspace, address, type, region, seen_ms) VALUES `)
			var args []any
			for i, r := range some {
				if i > 0 {
					text.WriteString(", ")
				}
				n := i * 9
				fmt.Fprintf(&text, "($%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d)", n+1, n+2, n+3, n+4, n+5, n+6, n+7, n+8, n+9)
				args = append(args, k.Client, r.key, k.Repo, k.Dir, k.Workspace, r.r.Address, r.r.Type, r.r.Region, now)
			}
			text.WriteString(` ON CONFLICT (client_id, key, repo_id, dir, workspace) DO UPDATE SET address = excluded.address, type = excluded.type, region = excluded.region, seen_ms = excluded.seen_ms`)
			if _, err := tx.ExecContext(ctx, text.String(), args...); err != nil {
				return err
			}
		}
		// All that the state has was seen now.
		_, err := tx.ExecContext(ctx, `DELETE FROM resource_keys WHERE repo_id = $1 AND dir = $2 AND workspace = $3 AND seen_ms < $4`, k.Repo, k.Dir, k.Workspace, db.Millis(s.now().Add(-keyAge)))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep which resources %s/%s holds: %w", k.Dir, k.Workspace, err)
	}
	return nil
}

// keyAge is for how long it is known which project held a resource that is in
// no state any more.
const keyAge = 400 * 24 * time.Hour

// place is a project of a client.
type place struct {
	repo           int64
	dir, workspace string
}

// index is what is known of a client's resources and projects.
type index struct {
	keys  map[string]place
	names map[place]string
	words map[string][]place // projects by what a tag may call them
}

func indexOf(ctx context.Context, q db.Querier, client string) (*index, error) {
	x := &index{keys: map[string]place{}, names: map[place]string{}, words: map[string][]place{}}
	err := db.Each(ctx, q, func(scan func(...any) error) error {
		var p place
		var name string
		if err := scan(&p.repo, &p.dir, &p.workspace, &name); err != nil {
			return err
		}
		x.names[p] = name
		for _, word := range slices.Compact([]string{name, p.dir, p.dir + "/" + p.workspace}) {
			if !slices.Contains(x.words[word], p) {
				x.words[word] = append(x.words[word], p)
			}
		}
		return nil
	}, `SELECT p.repo_id, p.dir, p.workspace, p.name FROM resource_projects p JOIN clients c ON c.id = p.client_id WHERE c.slug = $1`, client)
	if err != nil {
		return nil, err
	}
	// The same ID in two projects: the state that was read last has it now.
	// The same name in two: it says nothing.
	shared := map[string]bool{}
	err = db.Each(ctx, q, func(scan func(...any) error) error {
		var key string
		var p place
		if err := scan(&key, &p.repo, &p.dir, &p.workspace); err != nil {
			return err
		}
		if old, ok := x.keys[key]; ok && old != p && strings.HasPrefix(key, "name:") {
			shared[key] = true
		}
		x.keys[key] = p
		return nil
	}, `SELECT key, repo_id, dir, workspace FROM resource_keys k JOIN clients c ON c.id = k.client_id WHERE c.slug = $1 ORDER BY k.seen_ms, k.repo_id, k.dir, k.workspace`, client)
	for key := range shared {
		delete(x.keys, key)
	}
	return x, err
}

// find tells which project a charge belongs to, and how that is known; "" where
// it is not.
func (x *index) find(provider, service, resource, tags, projectTag string) (place, string) {
	keys := idKeys(resource)
	if len(keys) == 0 && resource != "" && !strings.ContainsAny(resource, "/:") && strings.Contains(strings.ToLower(service), "simple storage service") {
		keys = []string{"bucket:" + strings.ToLower(resource)}
	}
	for _, k := range keys {
		if p, ok := x.keys[k]; ok {
			return p, ByID
		}
	}
	if tags == "" {
		return place{}, ""
	}
	have := tagsOf(tags)
	if word := tagValue(have, projectTag); word != "" {
		if ps := x.words[word]; len(ps) == 1 {
			return ps[0], ByTag
		}
	}
	if name := tagValue(have, "Name"); name != "" {
		if p, ok := x.keys[nameKey(name)]; ok {
			return p, ByTag
		}
	}
	return place{}, ""
}

package explorer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// Planned is a plan that was made of a project.
type Planned struct {
	Client         string // ID
	Repo           int64
	Dir, Workspace string
	Name           string // the project's
	Lineage        string // of its state, "" while it has none
	Plan           *tfplan.Plan
	Pins           map[string]string // versions of the lock file, by provider
}

// Planned keeps what a plan tells of a project: which modules and providers its
// code uses and, where its state is not one of those that are kept here, which
// resources that has. Where nothing has changed, little is written.
func (x *Index) Planned(ctx context.Context, p Planned) error {
	src := source{
		id: planID(p.Repo, p.Dir, p.Workspace), client: p.Client, kind: kindPlan, repo: p.Repo, dir: p.Dir, workspace: p.Workspace, name: p.Name, lineage: p.Lineage, asOf: db.Millis(x.now()),
	}
	uses, err := usesOf(p.Plan.Raw, p.Pins)
	if err != nil {
		return fmt.Errorf("read the modules of %s: %w", p.Name, err)
	}
	here, err := x.kept(ctx, p.Client, p.Lineage)
	if err != nil {
		return err
	}
	var rows []row
	if !here {
		rows = plannedRows(p.Plan)
	}
	src.version = digestOf(src, uses, rows)
	same, err := x.same(ctx, src)
	if same || err != nil {
		return err
	}
	w, err := x.begin(ctx, src)
	if err != nil {
		return fmt.Errorf("begin to note the resources of %s: %w", p.Name, err)
	}
	for _, r := range rows {
		if err := w.add(ctx, r); err != nil {
			return fmt.Errorf("note the resources of %s: %w", p.Name, err)
		}
	}
	err = w.finish(ctx, func(tx *db.Tx) error { return writeUses(ctx, tx, src.id, uses) })
	if err != nil && !errors.Is(err, errOvertaken) {
		return fmt.Errorf("note the resources of %s: %w", p.Name, err)
	}
	return nil
}

func planID(repo int64, dir, workspace string) string {
	return fmt.Sprintf("%s/%d/%s/%s", kindPlan, repo, url.PathEscape(workspace), dir)
}

// kept reports whether the client's state of the lineage is kept here.
func (x *Index) kept(ctx context.Context, client, lineage string) (bool, error) {
	if lineage == "" {
		return false, nil
	}
	var n int
	err := x.db.QueryRowContext(ctx, `SELECT count(*) FROM states WHERE client_id = $1 AND lineage = $2 AND version_id <> ''`, client, lineage).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("find the state of a plan: %w", err)
	}
	return n > 0, nil
}

// same notes that a plan told nothing new, and reports whether it was so.
func (x *Index) same(ctx context.Context, src source) (same bool, err error) {
	err = x.db.Tx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE inventory_sources SET as_of_ms = $1 WHERE id = $2 AND version_id = $3 AND format = $4`, src.asOf, src.id, src.version, format)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		same = n == 1
		return err
	})
	return same, err
}

func digestOf(src source, uses []Use, rows []row) string {
	sum := sha256.New()
	text := func(all ...string) {
		for _, s := range all {
			sum.Write([]byte(strconv.Itoa(len(s)) + ":" + s)) // never fails
		}
	}
	text(src.client, src.name, src.lineage)
	for _, u := range uses {
		text(u.Kind, u.Path, u.Name, u.Version)
	}
	for _, r := range rows {
		text(r.digest)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// plannedRows are the managed resources that are there before the plan: nothing
// that is only planned.
func plannedRows(p *tfplan.Plan) []row {
	g := state.NewSecrets()
	for _, v := range p.SensitiveValues() {
		g.Add(v, true)
	}
	var all []state.Instance
	for _, c := range p.Changes {
		if c.Before == nil {
			continue
		}
		address := c.Address
		if c.PrevAddress != "" {
			address = c.PrevAddress
		}
		if c.Deposed != "" {
			address += " (deposed " + c.Deposed + ")"
		}
		in := state.Instance{
			Address: address, Module: c.ModuleAddress, Mode: c.Mode, Type: c.Type, Name: c.Name, Provider: c.Provider,
			Attributes: state.Flatten(c.Type, c.Before, func(path []string) bool { return masked(c.BeforeSensitive, path) || masked(c.AfterSensitive, path) }),
		}
		g.Learn(in)
		all = append(all, in)
	}
	g.Close()
	var rows []row
	for _, in := range all {
		if r, ok := rowOf(in, g); ok {
			rows = append(rows, r)
		}
	}
	return rows
}

// masked reports whether a mask covers the path or something in it.
func masked(mask any, path []string) bool {
	for _, step := range path {
		if _, list := mask.([]any); !list {
			mask = tfplan.MaskMember(mask, step)
			continue
		}
		i, err := strconv.Atoi(step)
		if err != nil {
			return false
		}
		mask = tfplan.MaskElement(mask, i)
	}
	return tfplan.MaskCovers(mask)
}

// planConfig is a plan's configuration, as far as it is read here.
type planConfig struct {
	Configuration struct {
		Providers map[string]struct {
			FullName string `json:"full_name"`
			Version  string `json:"version_constraint"`
		} `json:"provider_config"`
		Root calls `json:"root_module"`
	} `json:"configuration"`
}

type calls struct {
	Calls map[string]struct {
		Source  string `json:"source"`
		Version string `json:"version_constraint"`
		Module  calls  `json:"module"`
	} `json:"module_calls"`
}

// maxUses bounds what is kept of one project's code.
const maxUses = 2000

// usesOf are the modules and providers that a plan's configuration uses, in
// order.
func usesOf(raw []byte, pins map[string]string) ([]Use, error) {
	var c planConfig
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, err
	}
	providers := maps.Clone(pins)
	if providers == nil {
		providers = map[string]string{}
	}
	for _, p := range c.Configuration.Providers {
		if providers[p.FullName] == "" && p.FullName != "" {
			providers[p.FullName] = p.Version
		}
	}
	var all []Use
	for name, v := range providers {
		all = append(all, Use{Kind: Provider, Name: cut(clean(name)), Version: cut(clean(v))})
	}
	c.Configuration.Root.collect("", &all)
	slices.SortFunc(all, func(a, b Use) int {
		return slices.Compare([]string{a.Kind, a.Path, a.Name}, []string{b.Kind, b.Path, b.Name})
	})
	return all[:min(len(all), maxUses)], nil
}

func (c calls) collect(at string, into *[]Use) {
	for name, call := range c.Calls {
		path := strings.TrimPrefix(at+".module."+name, ".")
		source, version := sourceOf(call.Source, call.Version)
		*into = append(*into, Use{Kind: Module, Path: cut(clean(path)), Name: cut(clean(source)), Version: cut(clean(version))})
		call.Module.collect(path, into)
	}
}

// sourceOf is a module's source without credentials and without how it is
// fetched, and the version that the source or the call asks for: modules of Git
// have it as ?ref=.
func sourceOf(source, version string) (string, string) {
	bare, query, _ := strings.Cut(source, "?")
	if q, err := url.ParseQuery(query); err == nil && q.Get("ref") != "" {
		version = q.Get("ref")
	}
	bare = strings.TrimPrefix(bare, "git::")
	if scheme, rest, ok := strings.Cut(bare, "://"); ok {
		host, more, _ := strings.Cut(rest, "/")
		if at := strings.LastIndexByte(host, '@'); at >= 0 {
			host = host[at+1:]
		}
		bare = scheme + "://" + host + "/" + more
	}
	if strings.HasPrefix(bare, ".") {
		local := strings.HasPrefix(bare, "./")
		if bare = path.Clean(bare); local {
			bare = "./" + bare
		}
	}
	return bare, version
}

func writeUses(ctx context.Context, tx *db.Tx, source string, uses []Use) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM inventory_uses WHERE source_id = $1`, source); err != nil {
		return err
	}
	for _, u := range uses {
		if _, err := tx.ExecContext(ctx, `INSERT INTO inventory_uses (source_id, kind, path, name, version) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (source_id, kind, path, name) DO NOTHING`,
			source, u.Kind, u.Path, u.Name, u.Version); err != nil {
			return err
		}
	}
	return nil
}

// dropPlanned takes away the resources that plans told of a state that is kept
// here now. What the code uses stays.
func (x *Index) dropPlanned(ctx context.Context, tx *db.Tx, client, lineage string) error {
	if lineage == "" {
		return nil
	}
	var ids []string
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT id FROM inventory_sources WHERE client_id = $1 AND lineage = $2 AND kind = $3 AND resources > 0`, client, lineage, kindPlan)
	for _, id := range ids {
		for _, query := range []string{
			`DELETE FROM inventory_attributes WHERE source_id = $1`, `DELETE FROM inventory_resources WHERE source_id = $1`,
			`UPDATE inventory_sources SET version_id = '', resources = 0, turn = turn + 1 WHERE id = $1`,
		} {
			if err == nil {
				_, err = tx.ExecContext(ctx, query, id)
			}
		}
	}
	return err
}

// planAge is for how long a project stays that is planned no more.
const planAge = 400 * 24 * time.Hour

// Prune takes away what plans told of projects that were not planned for more
// than a year.
func (x *Index) Prune(ctx context.Context) error {
	before := db.Millis(x.now().Add(-planAge))
	err := x.forget(ctx, `kind = 'plan' AND as_of_ms < $1`, before)
	if err != nil {
		return fmt.Errorf("prune the inventory: %w", err)
	}
	return nil
}

// forgetLeft takes away all that is known of clients that have left: unlike
// their states it lies in the clear. Should one come back, it is read anew.
func (x *Index) forgetLeft(ctx context.Context) error {
	const left = `client_id IN (SELECT id FROM clients WHERE status = 'deleted')`
	var n int
	err := x.db.QueryRowContext(ctx, `SELECT count(*) FROM inventory_sources WHERE `+left).Scan(&n)
	if err == nil && n > 0 {
		err = x.forget(ctx, left)
	}
	if err != nil {
		return fmt.Errorf("forget the resources of clients that have left: %w", err)
	}
	return nil
}

// forget takes the sources away that the condition names, with all that is known
// from them.
func (x *Index) forget(ctx context.Context, where string, args ...any) error {
	return x.db.Tx(ctx, func(tx *db.Tx) error {
		for _, table := range []string{"inventory_uses", "inventory_attributes", "inventory_resources"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE source_id IN (SELECT id FROM inventory_sources WHERE `+where+`)`, args...); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM inventory_sources WHERE `+where, args...)
		return err
	})
}

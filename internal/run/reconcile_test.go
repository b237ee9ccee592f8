package run_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// queued asks for a plan of a project whose state is kept elsewhere.
func (w *world) queued(pull int, head, dir, backend string) run.Run {
	w.t.Helper()
	var out []run.Run
	c := w.open(pull, head).Change
	w.tx(func(tx *db.Tx) (err error) {
		out, _, err = w.store.AddPlans(context.Background(), tx, c, []run.Wanted{{Project: planner.Project{Name: dir, Dir: dir, Workspace: "default", Backend: backend}, InputsDigest: "in"}}, "", ada)
		return err
	})
	return out[0]
}

// ends takes a queued plan to its end, which has read that state.
func (w *world) ends(r run.Run, lineage string, serial int64) run.Run {
	w.t.Helper()
	w.now = w.now.Add(time.Second)
	w.tx(func(tx *db.Tx) (err error) {
		if r, err = w.store.Begin(context.Background(), tx, r, "node"); err != nil {
			return err
		}
		r.StateLineage, r.StateSerial = lineage, serial
		return w.store.Finish(context.Background(), tx, r, run.Planned)
	})
	return w.reread(r)
}

// comeBack has the database come back from a backup, as of this moment.
func (w *world) comeBack() run.Recovery {
	w.t.Helper()
	made := w.now
	w.now = w.now.Add(time.Hour)
	var rec run.Recovery
	w.tx(func(tx *db.Tx) (err error) {
		rec, err = w.store.BeginRecovery(context.Background(), tx, "backup", made, ada)
		return err
	})
	w.now = w.now.Add(time.Minute)
	return rec
}

func (w *world) heldBack(r run.Run) string {
	w.t.Helper()
	why, err := w.store.HeldBack(context.Background(), w.db, r)
	if err != nil {
		w.t.Fatal(err)
	}
	return why
}

func (w *world) finish() (err error) {
	return w.db.Tx(context.Background(), func(tx *db.Tx) error {
		return w.store.EndRecovery(context.Background(), tx, ada, "looked")
	})
}

// TestFault35_EqualSerialLetsAProjectGo: a plan reads the serial of a state that
// is kept elsewhere. Where that is what was recorded last, nothing was applied
// since the backup; anything else is held, and told with both serials.
func TestFault35_EqualSerialLetsAProjectGo(t *testing.T) {
	const held = "Nothing is applied since the database came back"
	applied := func(final run.Status, left run.Serial) func(*world) {
		return func(w *world) {
			plan := w.ends(w.queued(1, "one", "net", "s3"), "l1", 41)
			w.now = w.now.Add(time.Second)
			w.applyTo(w.addApply(plan), final, left)
		}
	}
	for name, c := range map[string]struct {
		before func(w *world) // the restore
		found  run.Serial
		status string // "" for no finding
		says   string // of what is held
	}{
		"as recorded":      {func(w *world) { w.ends(w.queued(1, "one", "net", "s3"), "l1", 41) }, run.Serial{Lineage: "l1", Serial: 41}, run.Equal, ""},
		"newer than known": {func(w *world) { w.ends(w.queued(1, "one", "net", "s3"), "l1", 41) }, run.Serial{Lineage: "l1", Serial: 42}, run.Differs, "found serial 42 of lineage l1, and the database that came back recorded serial 41 of lineage l1 last"},
		"older than known": {func(w *world) { w.ends(w.queued(1, "one", "net", "s3"), "l1", 41) }, run.Serial{Lineage: "l1", Serial: 40}, run.Differs, "serial 40"},
		"another lineage":  {func(w *world) { w.ends(w.queued(1, "one", "net", "s3"), "l1", 41) }, run.Serial{Lineage: "l2", Serial: 41}, run.Differs, "lineage l2"},
		"nothing anywhere": {func(*world) {}, run.Serial{}, "", held},
		"both encrypted":   {func(w *world) { w.ends(w.queued(1, "one", "net", "s3"), "", 0) }, run.Serial{}, "", held},
		"nothing known":    {func(*world) {}, run.Serial{Lineage: "l1", Serial: 1}, run.Differs, "knows nothing of the project"},
		"known, and gone":  {func(w *world) { w.ends(w.queued(1, "one", "net", "s3"), "l1", 41) }, run.Serial{}, run.Differs, "found no state"},
		"the newest counts": {func(w *world) {
			w.ends(w.queued(1, "one", "net", "s3"), "l1", 41)
			w.ends(w.queued(2, "two", "net", "s3"), "l1", 42)
		}, run.Serial{Lineage: "l1", Serial: 41}, run.Differs, "serial 42"},
		"an apply was last":   {applied(run.Applied, run.Serial{Lineage: "l1", Serial: 42}), run.Serial{Lineage: "l1", Serial: 42}, run.Equal, ""},
		"one that failed":     {applied(run.Failed, run.Serial{Lineage: "l1", Serial: 42}), run.Serial{Lineage: "l1", Serial: 42}, run.Equal, ""},
		"applied once more":   {applied(run.Applied, run.Serial{Lineage: "l1", Serial: 42}), run.Serial{Lineage: "l1", Serial: 44}, run.Differs, "found serial 44 of lineage l1, and the database that came back recorded serial 42 of lineage l1 last"},
		"as before an apply":  {applied(run.Applied, run.Serial{Lineage: "l1", Serial: 42}), run.Serial{Lineage: "l1", Serial: 41}, run.Differs, "recorded serial 42"},
		"one that can't tell": {applied(run.Applied, run.Serial{}), run.Serial{Lineage: "l1", Serial: 42}, run.Differs, "after which nobody noted the serial"},
		"another workspace":   {func(w *world) { w.ends(w.queued(1, "one", "other", "s3"), "l1", 41) }, run.Serial{Lineage: "l1", Serial: 41}, run.Differs, "knows nothing"},
		"a state kept here":   {func(w *world) { w.ends(w.queued(1, "one", "net", ""), "l1", 41) }, run.Serial{Lineage: "l1", Serial: 41}, "", held},
		"one that we keep": {func(w *world) {
			w.keeps("net")
			applied(run.Applied, run.Serial{Lineage: "l1", Serial: 42})(w)
		}, run.Serial{Lineage: "l1", Serial: 42}, "", held},
		"of an earlier plan": {nil, run.Serial{Lineage: "l1", Serial: 41}, "", held},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t))
			backend := "s3"
			if name == "a state kept here" {
				backend = ""
			}
			var r run.Run
			if c.before != nil {
				c.before(w)
			} else { // queued before the restore, and ended after
				w.ends(w.queued(1, "one", "net", "s3"), "l1", 41)
				r = w.queued(5, "five", "net", "s3")
			}
			rec := w.comeBack()
			if c.before != nil {
				r = w.queued(3, "three", "net", backend)
			}
			if w.heldBack(r) == "" {
				t.Fatal("not held before a plan has looked")
			}
			r = w.ends(r, c.found.Lineage, c.found.Serial)
			all, err := w.store.Reconciled(t.Context(), w.db, rec)
			if err != nil {
				t.Fatal(err)
			}
			why := w.heldBack(r)
			if c.status == "" {
				if len(all) != 0 || !strings.Contains(why, c.says) {
					t.Errorf("%+v, held: %q", all, why)
				}
				return
			}
			if len(all) != 1 || all[0].Status != c.status || all[0].Found != c.found || all[0].Run != r.ID {
				t.Fatalf("%+v", all)
			}
			if c.status == run.Equal {
				if why != "" {
					t.Errorf("held: %s", why)
				}
			} else if !strings.Contains(why, c.says) || !strings.Contains(why, held) {
				t.Errorf("held: %q", why)
			}
			events, err := w.trail.List(t.Context(), "", 5)
			if err != nil || !strings.Contains(string(events[1].Detail)+events[1].Action, "restore."+c.status) {
				t.Errorf("%+v, %v", events, err)
			}
		})
	}
}

// keeps has the project's state be kept here, although its code declares a
// backend: one that names the server. A restore freezes it.
func (w *world) keeps(dir string) {
	w.t.Helper()
	w.tx(func(tx *db.Tx) error {
		_, err := tx.ExecContext(context.Background(), `INSERT INTO states (id, client_id, name, version_id, serial, lineage, frozen, created_ms) VALUES ('s1', $1, 'infra/net', 'v1', 42, 'l1', 'restored', 1)`, w.repo.ClientID)
		if err == nil {
			_, err = tx.ExecContext(context.Background(), `INSERT INTO state_projects (client_id, repo_id, project, name, bound_ms) VALUES ($1, $2, $3, 'infra/net', 1)`, w.repo.ClientID, w.repo.ID, dir+":default")
		}
		return err
	})
}

// TestFault35_APersonLetsOneProjectGo: what differs keeps the restore from
// being ended, until a person has let that project go, or a plan finds what was
// known after all.
func TestFault35_APersonLetsOneProjectGo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		let := func(project string) error {
			return w.db.Tx(t.Context(), func(tx *db.Tx) error {
				return w.store.LetGo(t.Context(), tx, w.repo.ClientID, w.repo.ID, project, ada, "compared by hand")
			})
		}
		if err := let("net:default"); !errs.Is(err, errs.NotFound) {
			t.Errorf("let go without a restore: %v", err)
		}
		w.ends(w.queued(1, "one", "net", "s3"), "l1", 41)
		w.ends(w.queued(2, "two", "app", "gcs"), "l2", 7)
		rec := w.comeBack()
		net := w.ends(w.queued(3, "three", "net", "s3"), "l1", 42)
		app := w.ends(w.queued(4, "four", "app", "gcs"), "l2", 8)
		if err := w.finish(); !errs.Is(err, errs.Conflict) || !strings.Contains(err.Error(), "tidelock restore release") {
			t.Errorf("finished: %v", err)
		}
		if err := let("nte:default"); !errs.Is(err, errs.NotFound) || !strings.Contains(err.Error(), "Nothing was let go") {
			t.Errorf("a project that nobody knows was let go: %v", err)
		}
		if err := let("net:default"); err != nil {
			t.Fatal(err)
		}
		if why := w.heldBack(net); why != "" {
			t.Errorf("held: %s", why)
		}
		if w.heldBack(app) == "" {
			t.Error("another project was let go with it")
		}
		// A later plan does not undo what a person said.
		w.ends(w.queued(5, "five", "net", "s3"), "l1", 43)
		app = w.ends(w.queued(6, "six", "app", "gcs"), "l2", 7)
		if why := w.heldBack(net) + w.heldBack(app); why != "" {
			t.Errorf("held: %s", why)
		}
		all, err := w.store.Reconciled(t.Context(), w.db, rec)
		if err != nil || len(all) != 2 || all[0].Status != run.Equal || all[1].Status != run.Released || all[1].Found.Serial != 42 {
			t.Errorf("%+v, %v", all, err)
		}
		if err := w.finish(); err != nil {
			t.Error(err)
		}
		if events, err := w.trail.List(t.Context(), w.repo.ClientID, 50); err != nil || !has(events, "restore.released") || !has(events, "restore.equal") {
			t.Errorf("%v", err)
		}
		// The next restore begins with nothing.
		w.comeBack()
		if w.heldBack(net) == "" {
			t.Error("what was said of one restore counts for the next")
		}
	})
}

func has(all []access.Entry, action string) bool {
	for _, e := range all {
		if e.Action == action {
			return true
		}
	}
	return false
}

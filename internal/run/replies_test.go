package run_test

import (
	"context"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

func TestRepliesAreFoldedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := context.Background()
		reply := func(pull int, comment int64) run.Reply {
			return run.Reply{Client: w.repo.ClientID, Repo: w.repo.ID, Pull: pull, Comment: comment, Node: "IC_x"}
		}
		save := func(r run.Reply) {
			t.Helper()
			if err := w.store.SaveReply(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
		unfolded := func() (ids []int64) {
			t.Helper()
			all, err := w.store.Unfolded(ctx, d, w.repo.ID, 3, w.now)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range all {
				if r.Node != "IC_x" || r.Client != w.repo.ClientID || r.Pull != 3 {
					t.Errorf("came back as %+v", r)
				}
				ids = append(ids, r.Comment)
			}
			return ids
		}
		save(reply(3, 10))
		save(reply(3, 10)) // told twice
		save(reply(4, 11)) // another pull's
		w.now = w.now.Add(time.Minute)
		save(reply(3, 12)) // not before now
		if got := unfolded(); len(got) != 1 || got[0] != 10 {
			t.Errorf("to be folded: %v, not only 10", got)
		}
		if err := w.store.SetFolded(ctx, reply(3, 10)); err != nil {
			t.Fatal(err)
		}
		if got := unfolded(); len(got) != 0 {
			t.Errorf("folded, and still there: %v", got)
		}
		w.now = w.now.Add(time.Millisecond)
		if got := unfolded(); len(got) != 1 || got[0] != 12 {
			t.Errorf("to be folded later: %v, not only 12", got)
		}
	})
}

func TestBusySince(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := context.Background()
		c := w.open(3, "aaa").Change
		began := w.now
		since := func() (at time.Time) {
			t.Helper()
			w.tx(func(tx *db.Tx) (err error) {
				at, err = w.store.BusySince(ctx, tx, c.ID)
				return err
			})
			return at
		}
		posted := func() map[string]run.Check {
			t.Helper()
			all, err := w.store.Checks(ctx, d, c.ID)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		if !run.Began(posted()).IsZero() {
			t.Error("under way before anything began")
		}
		since()
		w.now = w.now.Add(time.Minute)
		if got := since(); !got.Equal(began) {
			t.Errorf("since %v, not %v", got, began)
		}
		if got := run.Began(posted()); !got.Equal(began) {
			t.Errorf("began %v, not %v", got, began)
		}
		w.tx(func(tx *db.Tx) error { return w.store.AtRest(ctx, tx, c.ID) })
		if got := since(); !got.Equal(w.now) {
			t.Errorf("since %v after a rest, not %v", got, w.now)
		}
	})
}

func TestPostedForGoesOverToTheNextHead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := context.Background()
		first, second, other := w.open(3, "aaa").Change, w.open(3, "bbb").Change, w.open(4, "ccc").Change
		for change, checks := range map[string][]run.Check{
			first.ID: {{Name: "(comment 2)", ID: 7, State: "old"}, {Name: "tidelock/plan", ID: 1}}, second.ID: {{Name: "(comment 2)", ID: 9, State: "new"}},
			other.ID: {{Name: "(comment 3)", ID: 11}},
		} {
			for _, k := range checks {
				if err := w.store.SaveCheck(ctx, change, k); err != nil {
					t.Fatal(err)
				}
			}
		}
		got, err := w.store.PostedFor(ctx, d, w.repo.ID, 3, "(comment %")
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got["(comment 2)"] != (run.Check{Name: "(comment 2)", ID: 9, State: "new"}) {
			t.Errorf("posted: %+v", got)
		}
		// What is said for the first head again counts for both.
		if err := w.store.SaveShared(ctx, first, run.Check{Name: "(comment 2)", ID: 9, State: "newest"}); err != nil {
			t.Fatal(err)
		}
		if got, err = w.store.PostedFor(ctx, d, w.repo.ID, 3, "(comment %"); err != nil || got["(comment 2)"].State != "newest" {
			t.Errorf("posted: %+v %v", got, err)
		}
		if of, err := w.store.Checks(ctx, d, second.ID); err != nil || len(of) != 0 {
			t.Errorf("the second head still has %+v %v", of, err)
		}
	})
}

func TestUnderWay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := context.Background()
		c := w.open(3, "aaa").Change
		want := func(what string, want bool) {
			t.Helper()
			if got, err := w.store.UnderWay(ctx, d, c.ID); err != nil || got != want {
				t.Errorf("%s: under way is %v (%v), not %v", what, got, err, want)
			}
		}
		want("before there are plans", false)
		var r run.Run
		w.tx(func(tx *db.Tx) error {
			made, _, err := w.store.AddPlans(ctx, tx, c, []run.Wanted{{Project: planner.Project{Name: "a", Dir: "a", Workspace: "default"}, Commit: "aaa"}}, "", ada)
			r = made[0]
			return err
		})
		want("queued", true)
		w.tx(func(tx *db.Tx) (err error) {
			r, err = w.store.Begin(ctx, tx, r, "node")
			return err
		})
		want("running", true)
		w.tx(func(tx *db.Tx) (err error) {
			r, err = w.store.Requeue(ctx, tx, r, "Somebody else holds the lock of the state.")
			return err
		})
		want("waiting for somebody else", false)
		if !r.Waits() {
			t.Errorf("%+v waits", r)
		}
		w.tx(func(tx *db.Tx) error { return w.store.Cancel(ctx, tx, r, ada, "") })
		want("canceled", false)
	})
}

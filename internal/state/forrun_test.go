package state_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// repos makes the repositories 1 and 2 of acme.
func (w *world) repos() {
	w.t.Helper()
	for _, id := range []int64{1, 2} {
		if _, err := w.db.ExecContext(w.t.Context(), `INSERT INTO repos (id, client_id, owner, name, status, created_ms) VALUES ($1, $2, 'acme', $3, 'active', 0)`,
			id, w.acme.ID, []string{"", "infra", "other"}[id]); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) access(run string) state.RunAccess {
	return state.RunAccess{Client: w.acme.ID, Name: prod, Run: run, Commit: "abc", Actor: access.Actor{Kind: access.Bot}, Write: true, Until: w.now().Add(time.Hour)}
}

// Fault 28 and 9, the store's side: a run's lock is its own, also after the
// server died; what it wrote is written once, however often the server dies
// between the write and the unlock.
func TestFault28_RunHoldsItsLockAcrossRestarts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		if _, err := w.store.LockForRun(ctx, w.access("r1"), "apply"); err != nil {
			t.Fatal(err)
		}
		st, err := w.store.LockForRun(ctx, w.access("r1"), "apply") // the next server
		if err != nil || st.Lock == nil || st.Lock.Run != "r1" {
			t.Fatalf("its own lock again: %+v, %v", st, err)
		}
		var held *state.HeldError
		if _, err := w.store.LockForRun(ctx, w.access("r2"), "apply"); !errors.As(err, &held) || held.Lock.Run != "r1" {
			t.Errorf("another run: %v", err)
		}
		if _, err := w.store.ForceUnlock(ctx, w.acme.ID, prod, state.Who{Actor: alice}, "", "hurry"); !errs.Is(err, errs.Conflict) {
			t.Errorf("taken from a run that goes on: %v", err)
		}
		for range 2 {
			v, err := w.store.WriteForRun(ctx, w.acme.ID, prod, "r1", "abc", 1, strings.NewReader(doc(1, "l", "a")))
			if err != nil || v.Seq != 1 || v.Run != "r1" {
				t.Fatalf("%+v, %v", v, err)
			}
		}
		for range 2 {
			if err := w.store.LeaveRun(ctx, w.acme.ID, prod, "r1"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.store.LockForRun(ctx, w.access("r2"), "apply"); err != nil {
			t.Fatal(err)
		}
		if v, err := w.store.WriteForRun(ctx, w.acme.ID, prod, "r1", "abc", 1, strings.NewReader(doc(1, "l", "a"))); err != nil || v.Seq != 1 {
			t.Errorf("written once already, under another's lock by now: %+v, %v", v, err)
		}
		if _, err := w.store.WriteForRun(ctx, w.acme.ID, prod, "r1", "abc", 2, strings.NewReader(doc(2, "l", "b"))); !errs.Is(err, errs.Conflict) {
			t.Errorf("written under another's lock: %v", err)
		}
	})
}

// Fault 29 and 30: an errored state is pushed over what its run began from,
// under the lock that the run left, and over nothing else.
func TestFault30_PushIsGuarded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		who := state.Who{Actor: access.Actor{Kind: access.Bot}, Run: "r1"}
		keep := func(serial int, text string, b state.Base) state.Version {
			t.Helper()
			v, err := w.store.KeepErrored(ctx, w.acme.ID, prod, who, strings.NewReader(doc(serial, "l", text)), "no room")
			if err != nil {
				t.Fatal(err)
			}
			if err := w.store.NoteBase(ctx, v, b); err != nil {
				t.Fatal(err)
			}
			return v
		}
		push := func(v state.Version) error {
			_, err := w.store.PushErrored(ctx, w.acme.ID, prod, v.Seq, state.Who{Actor: alice})
			return err
		}
		if _, err := w.store.Write(ctx, state.Write{Client: w.acme.ID, Name: prod, Who: who, Body: strings.NewReader(doc(4, "l", "base"))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.LockForRun(ctx, w.access("r1"), "apply"); err != nil {
			t.Fatal(err)
		}
		for name, b := range map[string]state.Base{
			"began from an older one": {Serial: 3, Lineage: "l"}, "another lineage": {Serial: 4, Lineage: "m"}, "nobody knows": {Serial: -1}, "kept elsewhere": {Serial: 4, Lineage: "l", Backend: "s3"},
		} {
			if err := push(keep(6, name, b)); !errs.Is(err, errs.Conflict) {
				t.Errorf("%s: %v", name, err)
			}
		}
		good := keep(6, "good", state.Base{Serial: 4, Lineage: "l"})
		for range 2 { // the second finds it done
			if err := push(good); err != nil {
				t.Fatal(err)
			}
		}
		st, err := w.store.State(ctx, w.acme.ID, prod)
		if err != nil || st.Serial != 6 || st.Lock != nil {
			t.Errorf("%+v, %v", st, err)
		}
	})
}

// A directory's name opens no state: one that is there is bound by somebody
// who may, and two projects never share one.
func TestThreat_DirectoryNameOpensNoState(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.repos()
		ctx := t.Context()
		owner := func(repo int64, key string) state.Owner {
			return state.Owner{Client: w.acme.ID, Repo: repo, Project: key}
		}
		if _, err := w.store.Write(ctx, state.Write{Client: w.acme.ID, Name: "infra/secret", Who: state.Who{Actor: alice}, Body: strings.NewReader(doc(1, "l", "a"))}); err != nil {
			t.Fatal(err)
		}
		theirs := owner(1, "secret:default")
		if _, err := w.store.Claim(ctx, theirs, "infra/secret"); !errs.Is(err, errs.Conflict) {
			t.Errorf("claimed: %v", err)
		}
		if err := w.store.Free(ctx, theirs, "infra/secret"); !errs.Is(err, errs.Conflict) {
			t.Errorf("free: %v", err)
		}
		if _, err := w.store.NameOf(ctx, theirs); !errs.Is(err, errs.NotFound) {
			t.Errorf("bound all the same: %v", err)
		}
		if err := w.store.Bind(ctx, theirs, "infra/secret", state.Who{Actor: alice}); err != nil {
			t.Fatal(err)
		}
		if name, err := w.store.Claim(ctx, theirs, "renamed/secret"); err != nil || name != "infra/secret" {
			t.Errorf("after a rename: %q, %v", name, err)
		}
		names := map[string]bool{}
		for _, o := range []state.Owner{owner(1, "a/b:default"), owner(1, "a:b"), owner(2, "a:b")} {
			name, err := w.store.Claim(ctx, o, "infra/a/b")
			if err != nil || names[name] {
				t.Errorf("%+v: %q, %v", o, name, err)
			}
			names[name] = true
		}
	})
}

// Nor does a block that names one: whose it is the database knows, or an
// administrator says.
func TestThreat_BlockOpensNoState(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.repos()
		ctx := t.Context()
		owner := func(key string) state.Owner { return state.Owner{Client: w.acme.ID, Repo: 1, Project: key} }
		if _, err := w.store.Write(ctx, state.Write{Client: w.acme.ID, Name: "net/secret", Who: state.Who{Actor: alice}, Body: strings.NewReader(doc(1, "l", "a"))}); err != nil {
			t.Fatal(err)
		}
		a, b := owner("a:default"), owner("b:default")
		for _, claim := range []bool{false, true} {
			if err := w.store.Named(ctx, a, "net/secret", claim); !errs.Is(err, errs.Forbidden) {
				t.Errorf("a state that somebody made, claim %v: %v", claim, err)
			}
			if err := w.store.Named(ctx, a, "../beta", claim); !errs.Is(err, errs.Invalid) {
				t.Errorf("a name that leads out, claim %v: %v", claim, err)
			}
		}
		// A plan binds nothing; an apply does, and from then on it is nobody else's.
		if err := w.store.Named(ctx, a, "net/a", false); err != nil {
			t.Error(err)
		}
		if _, err := w.store.NameOf(ctx, a); !errs.Is(err, errs.NotFound) {
			t.Errorf("bound by a plan: %v", err)
		}
		for range 2 {
			if err := w.store.Named(ctx, a, "net/a", true); err != nil {
				t.Error(err)
			}
		}
		if name, err := w.store.NameOf(ctx, a); err != nil || name != "net/a" {
			t.Errorf("%q, %v", name, err)
		}
		if err := w.store.Named(ctx, b, "net/a", true); !errs.Is(err, errs.Forbidden) {
			t.Errorf("another project's: %v", err)
		}
		var elsewhere *state.Elsewhere
		if err := w.store.Named(ctx, a, "net/b", true); !errors.As(err, &elsewhere) || elsewhere.Name != "net/a" || !errs.Is(err, errs.Conflict) {
			t.Errorf("another name than the project's: %v", err)
		}
		if err := w.store.Bind(ctx, b, "net/secret", state.Who{Actor: alice}); err != nil {
			t.Fatal(err)
		}
		if err := w.store.Named(ctx, b, "net/secret", false); err != nil {
			t.Errorf("once it is bound: %v", err)
		}
	})
}

func TestProjectName(t *testing.T) {
	for want, p := range map[string][3]string{
		"infra": {"infra", ".", "default"}, "infra/live/prod": {"infra", "live/prod", ""}, "infra/live/blue": {"infra", "live", "blue"},
		"infra/-.hidden/a-b": {"infra", ".hidden/a b", "default"}, "infra/lock-": {"infra", "lock", "default"},
	} {
		if got := state.ProjectName(p[0], p[1], p[2]); got != want || state.CheckName(got) != nil {
			t.Errorf("%v: %q, want %q (%v)", p, got, want, state.CheckName(got))
		}
	}
	long := state.ProjectName("infra", strings.Repeat("deep/", 60)+"x", "default")
	if err := state.CheckName(long); err != nil {
		t.Error(err)
	}
}

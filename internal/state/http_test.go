package state_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/state"
)

const at = "/state/acme/net/prod"

func TestVerbsOfAState(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		token := w.token(w.acme, "**")
		w.want(404, token, "GET", at, "")
		w.want(404, token, "HEAD", at, "")
		w.want(200, token, "DELETE", at, "")
		one, two := doc(1, "l", "one"), doc(2, "l", "two")
		w.want(200, token, "POST", at, one, "Content-MD5", sumOf(one))
		a := w.want(200, token, "GET", at, "")
		if a.body != one || a.head.Get("Content-MD5") != sumOf(one) || a.head.Get("Content-Type") != "application/json" {
			t.Errorf("got %q, %v", a.body, a.head)
		}
		if a := w.want(200, token, "HEAD", at, ""); a.body != "" || a.head.Get("Content-Length") != fmt.Sprint(len(one)) {
			t.Errorf("HEAD: %q, %v", a.body, a.head)
		}
		w.want(200, token, "PUT", at, two)
		if a := w.want(200, token, "GET", at, ""); a.body != two {
			t.Errorf("got %q", a.body)
		}
		w.want(405, token, "PATCH", at, "")
		w.want(405, token, "GET", at+"/lock", "")
		w.want(200, token, "DELETE", at, "")
		w.want(200, token, "DELETE", at, "")
		w.want(404, token, "GET", at, "")
		w.want(200, token, "POST", at, doc(1, "other", "anew")) // a state of the same name, made anew
		if got := w.events(w.acme.ID); !slices.Contains(got, "state.deleted") || !slices.Contains(got, "state.written") {
			t.Errorf("audit: %v", got)
		}
		if err := w.trail.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Clients repeat what was not answered: the second time must be as good.
func TestRepeatedRequestsAreAnsweredAlike(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		token, one := w.token(w.acme, "**"), doc(1, "l", "one")
		for range 2 {
			w.want(200, token, "LOCK", at, lockInfo("A"))
		}
		for range 2 {
			w.want(200, token, "POST", at+"?ID=A", one, "Content-MD5", sumOf(one))
		}
		for range 2 {
			w.want(200, token, "UNLOCK", at, lockInfo("A"))
		}
		w.want(200, token, "POST", at+"?ID=A", one) // a repetition that comes after the unlock
		if all, err := w.store.Versions(t.Context(), w.acme.ID, "net/prod", 10); err != nil || len(all) != 1 {
			t.Errorf("%d versions, %v", len(all), err)
		}
	})
}

func TestLocksAreHeld(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		token, other := w.token(w.acme, "**"), w.token(w.acme, "**", access.ScopeRead, access.ScopeWrite, access.ScopeLock)
		w.want(200, token, "LOCK", at, lockInfo("A"))
		for _, c := range []struct{ method, path string }{{"LOCK", at}, {"POST", at + "/lock"}} {
			a := w.want(423, other, c.method, c.path, lockInfo("B"))
			var holder state.LockInfo
			if err := json.Unmarshal([]byte(a.body), &holder); err != nil || holder.ID != "A" || holder.Who != "carol@laptop" {
				t.Errorf("the holder is told as %q, %v", a.body, err)
			}
		}
		w.want(423, other, "LOCK", at, lockInfo("A")) // the same ID, from somebody else
		// Who it is was said by a client, and is shown in terminals.
		w.want(200, token, "LOCK", "/state/acme/esc", `{"ID":"E","Who":"eve\u001b[2J\u009b","Operation":"x\ny"}`)
		if st, err := w.store.State(t.Context(), w.acme.ID, "esc"); err != nil || strings.ContainsAny(st.Lock.Holder(), "\x1b\n\u009b") || !strings.HasPrefix(st.Lock.Holder(), "eve\uFFFD[2J") {
			t.Errorf("the holder is shown as %q, %v", st.Lock.Holder(), err)
		}
		w.want(409, other, "POST", at, doc(1, "l", "x"))
		w.want(409, other, "POST", at+"?ID=B", doc(1, "l", "x"))
		w.want(200, token, "POST", at+"?ID=A", doc(1, "l", "x"))
		w.want(409, other, "DELETE", at, "")
		w.want(409, other, "UNLOCK", at, lockInfo("B"))
		w.want(200, token, "UNLOCK", at, lockInfo("A"))
		w.want(200, other, "LOCK", at, lockInfo("B"))
	})
}

// Threat "lock hijack": only the holder releases, else it takes a right of its
// own; a holder who lost the lock writes nothing.
func TestThreat_LockHijack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		holder := w.token(w.acme, "**")
		thief := w.token(w.acme, "**", access.ScopeRead, access.ScopeWrite, access.ScopeLock)
		owner := w.token(w.acme, "**", access.ScopeForceUnlock)
		lock := func() { w.want(200, holder, "LOCK", at, lockInfo("A")) }
		lock()
		// The thief learns the ID from the refusal, and still can't use it.
		w.want(403, thief, "UNLOCK", at, lockInfo("A"))
		w.want(403, thief, "UNLOCK", at, `{"ID":"A"}`)
		w.want(403, thief, "UNLOCK", at, "")
		w.want(403, thief, "DELETE", at+"/lock", "")
		w.want(409, owner, "UNLOCK", at, `{"ID":"B"}`)
		if st, err := w.store.State(t.Context(), w.acme.ID, "net/prod"); err != nil || st.Lock == nil {
			t.Fatal("the lock is gone", err)
		}
		// Terraform's force-unlock, OpenTofu's, and GitLab's form of each.
		w.want(200, owner, "UNLOCK", at, "")
		lock()
		w.want(200, owner, "UNLOCK", at, `{"ID":"A","Operation":"","Info":"","Who":"","Version":"","Created":"0001-01-01T00:00:00Z","Path":""}`)
		lock()
		w.want(200, owner, "DELETE", at+"/lock", "")
		// The holder who does not know of it is refused.
		w.want(409, holder, "POST", at+"?ID=A", doc(1, "l", "late"))
		w.want(404, holder, "GET", at, "")
		n := 0
		for _, a := range w.events(w.acme.ID) {
			if a == "state.force_unlocked" {
				n++
			}
		}
		if n != 3 {
			t.Errorf("%d forced unlocks in the audit trail, not 3", n)
		}
	})
}

// A lock that one of our runs holds is not taken away while the run goes on.
func TestThreat_LockOfARunStays(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	token, err := w.store.RunToken(ctx, state.RunAccess{Client: w.acme.ID, Name: "net/prod", Run: "r1", Commit: "abc", Actor: access.Actor{Kind: access.Bot}, Write: true, Until: w.now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	owner, run := w.token(w.acme, "**"), token.Reveal()
	w.want(200, run, "LOCK", at, lockInfo("A"))
	w.want(200, run, "POST", at+"?ID=A", doc(1, "l", "x"))
	w.want(409, owner, "UNLOCK", at, "")
	v, err := w.store.Current(ctx, w.acme.ID, "net/prod")
	if err != nil || v.Run != "r1" || v.Commit != "abc" || v.Actor.Kind != access.Bot {
		t.Errorf("version %+v, %v", v, err)
	}
	// It opens its own project alone, and nothing once the run has ended.
	w.want(403, run, "GET", "/state/acme/net/dev", "")
	w.want(403, run, "UNLOCK", at, "")
	if err := w.db.Tx(ctx, func(tx *db.Tx) error { return w.store.EndRun(ctx, tx, "r1") }); err != nil {
		t.Fatal(err)
	}
	w.want(401, run, "GET", at, "")
	w.want(200, owner, "UNLOCK", at, "")
	// A plan's may not write.
	if token, err = w.store.RunToken(ctx, state.RunAccess{Client: w.acme.ID, Name: "net/prod", Run: "r2", Until: w.now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	w.want(200, token.Reveal(), "GET", at, "")
	w.want(403, token.Reveal(), "POST", at, doc(2, "l", "x"))
	w.pass(2 * time.Hour)
	w.want(401, token.Reveal(), "GET", at, "")
}

// Fault 29: of two who wrote, the second is told, whatever it is that differs.
func TestFault29_ConflictsAreRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		token, now := w.token(w.acme, "**"), doc(5, "l", "now")
		w.want(200, token, "POST", at, now)
		for says, body := range map[string]string{ // the log
			"has other: it is another state": doc(6, "other", "x"), "has none: it is another state": doc(6, "", "x"), "the older 4": doc(4, "l", "x"), "already, with another content": doc(5, "l", "x"),
		} {
			before := len(w.log.String())
			if a := w.want(409, token, "POST", at, body); !strings.Contains(a.body, "othing was changed") {
				t.Errorf("%s: %s", says, a.body)
			}
			if said := w.log.String()[before:]; !strings.Contains(said, "level=WARN") || !strings.Contains(said, says) {
				t.Errorf("the log does not say %q: %s", says, said)
			}
		}
		w.want(200, token, "POST", at, now)
		if a := w.want(200, token, "GET", at, ""); a.body != now {
			t.Errorf("changed to %s", a.body)
		}
		if !slices.Contains(w.events(w.acme.ID), "state.refused") {
			t.Errorf("not in the audit trail: %v", w.events(w.acme.ID))
		}
		// What Terraform can't ask for over HTTP an operator can.
		ctx := t.Context()
		if _, err := w.store.Write(ctx, state.Write{Client: w.acme.ID, Name: "net/prod", Who: state.Who{Actor: alice}, Body: strings.NewReader(doc(4, "other", "x")), Force: true}); err == nil {
			t.Error("forced without a reason")
		}
		v, err := w.store.Write(ctx, state.Write{Client: w.acme.ID, Name: "net/prod", Who: state.Who{Actor: alice}, Body: strings.NewReader(doc(4, "other", "x")), Force: true, Reason: "mended by hand"})
		if err != nil || v.Kind != state.KindForce || w.events(w.acme.ID)[0] != "state.forced" {
			t.Errorf("forced: %+v, %v, %v", v, err, w.events(w.acme.ID)[0])
		}
	})
}

func TestOpenTofusEncryptedStates(t *testing.T) {
	w := sqliteWorld(t)
	token := w.token(w.acme, "**")
	sealed := func(serial int, data string) string {
		return fmt.Sprintf(`{"serial":%d,"lineage":"l","meta":{"key_provider.pbkdf2.x":"eyJz"},"encrypted_data":%q,"encryption_version":"v0"}`, serial, data)
	}
	w.want(200, token, "POST", at, sealed(1, "QUJD"))
	w.want(200, token, "POST", at, sealed(2, "REVG"))
	w.want(409, token, "POST", at, sealed(1, "QUJD"))
	w.want(409, token, "POST", at, sealed(2, "R0hJ"))
	if a := w.want(200, token, "GET", at, ""); a.body != sealed(2, "REVG") {
		t.Error(a.body)
	}
	if _, err := w.store.Compare(t.Context(), w.acme.ID, "net/prod", 1, 2); err == nil || !strings.Contains(err.Error(), "encrypted") {
		t.Errorf("compared: %v", err)
	}
}

// However many wrong tokens come from an address, a right one is let in; the
// log and the trail are not flooded.
func TestThreat_GuessingIsSlowedDown(t *testing.T) {
	w := sqliteWorld(t)
	right := w.token(w.acme, "**")
	codes := map[int]int{}
	for range 100 {
		codes[w.ask("tlk_guess", "GET", at, "").code]++
	}
	if codes[401] != 30 || codes[429] != 70 {
		t.Errorf("answered with %v", codes)
	}
	w.want(404, right, "GET", at, "")
	if n := len(w.events("")); n > 40 {
		t.Errorf("%d events", n)
	}
	w.pass(time.Minute)
	w.want(401, "tlk_guess", "GET", at, "")
}

// Fault 25: a database that is locked is waited for a while; then 503, and
// nothing was changed.
func TestFault25_LockedDatabaseIs503(t *testing.T) {
	dsn := dbtest.SQLiteDSN(t)
	d := dbtest.Open(t, dsn, db.Busy(30*time.Millisecond, 2))
	w := newWorld(t, d)
	token := w.token(w.acme, "**")
	w.want(404, token, "GET", at, "") // the token's use is recorded now, and not below
	other, release, ended := dbtest.Open(t, dsn), make(chan struct{}), make(chan error, 1)
	holds := make(chan struct{})
	go func() {
		ended <- other.Tx(t.Context(), func(*db.Tx) error { close(holds); <-release; return nil })
	}()
	<-holds
	for _, c := range []struct{ method, body string }{{"POST", doc(1, "l", "x")}, {"LOCK", lockInfo("A")}, {"UNLOCK", lockInfo("A")}, {"DELETE", ""}} {
		if a := w.want(503, token, c.method, at, c.body); a.head.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", c.method)
		}
	}
	close(release)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	w.want(404, token, "GET", at, "")
	w.want(200, token, "POST", at, doc(1, "l", "x"))
}

// Fault 23: nothing that writes begins on a full disk.
func TestFault23_FullDiskGivesNoLock(t *testing.T) {
	var full error
	w := sqliteWorld(t, func(o *state.Options) { o.Room = func() error { return full } })
	token := w.token(w.acme, "**")
	w.want(200, token, "LOCK", at, lockInfo("A"))
	w.want(200, token, "UNLOCK", at, lockInfo("A"))
	full = errFull
	w.want(503, token, "LOCK", at, lockInfo("A"))
	if !strings.Contains(w.log.String(), "all but full") {
		t.Errorf("log: %s", w.log)
	}
}

// Fault 24, the store's side: a disk that is full in the middle of the work
// loses nothing of what was answered, and the write goes through once there is
// room.
func TestFault24_FullDatabaseIs503(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	token, now := w.token(w.acme, "**"), doc(1, "l", "now")
	w.want(200, token, "LOCK", at, lockInfo("A"))
	w.want(200, token, "POST", at+"?ID=A", now)
	pages := func(n string) {
		t.Helper()
		if _, err := d.Writer().ExecContext(t.Context(), "PRAGMA max_page_count = "+n); err != nil {
			t.Fatal(err)
		}
	}
	pages("1") // as many as there are
	large := doc(2, "l", noise(200_000))
	if a := w.want(503, token, "POST", at+"?ID=A", large); !strings.Contains(a.body, "disk is full") {
		t.Errorf("says %s", a.body)
	}
	if a := w.want(200, token, "GET", at, ""); a.body != now {
		t.Errorf("became %s", a.body)
	}
	pages("1000000")
	w.want(200, token, "POST", at+"?ID=A", large)
	w.want(200, token, "UNLOCK", at, lockInfo("A"))
	if a := w.want(200, token, "GET", at, ""); a.body != large {
		t.Errorf("%d bytes came back", len(a.body))
	}
}

func TestQuotas(t *testing.T) {
	w := sqliteWorld(t, func(o *state.Options) { o.Limits = state.Limits{States: 2, Bytes: 40_000} })
	token, beta := w.token(w.acme, "**"), w.token(w.beta, "**")
	w.want(200, token, "POST", "/state/acme/a", doc(1, "l", "x"))
	w.want(200, token, "LOCK", "/state/acme/b", lockInfo("A"))
	a := w.want(507, token, "POST", "/state/acme/c", doc(1, "l", "x"))
	if !strings.Contains(a.body, "2 states") {
		t.Errorf("says %s", a.body)
	}
	w.want(507, token, "LOCK", "/state/acme/c", lockInfo("A"))
	w.want(200, beta, "POST", "/state/beta/c", doc(1, "l", "x"))
	// What has a lock began within the quota, and may end above it.
	w.want(200, token, "POST", "/state/acme/b?ID=A", doc(1, "l", noise(60_000)))
	w.want(507, token, "POST", "/state/acme/a", doc(2, "l", "x"))
	w.want(507, token, "LOCK", "/state/acme/a", lockInfo("B"))
	w.want(200, token, "GET", "/state/acme/a", "")
}

func TestMethodsOfTheHandlerNeedAServer(t *testing.T) {
	// A recorder has no connection whose deadline could be moved.
	w := sqliteWorld(t)
	r := httptest.NewRequest(http.MethodGet, at, nil)
	r.SetBasicAuth("x", w.token(w.acme, "**"))
	rec := httptest.NewRecorder()
	w.store.Handler(w.clients).ServeHTTP(rec, r)
	if rec.Code != http.StatusNotFound {
		t.Error(rec.Code)
	}
}

// A client that closes its half of the connection ends the request, and may
// listen yet: it must not take silence for success.
func TestAnEndedRequestIsNoSuccess(t *testing.T) {
	w := sqliteWorld(t)
	token := w.token(w.acme, "**")
	ctx, end := context.WithCancel(t.Context())
	end()
	r := httptest.NewRequest(http.MethodPost, at, strings.NewReader(doc(1, "l", "x"))).WithContext(ctx)
	r.SetBasicAuth("x", token)
	rec := httptest.NewRecorder()
	w.store.Handler(w.clients).ServeHTTP(rec, r)
	if rec.Code != http.StatusServiceUnavailable {
		t.Errorf("answered with %d", rec.Code)
	}
	w.want(404, token, "GET", at, "")
}

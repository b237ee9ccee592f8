package state_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/state"
)

const prod = "net/prod"

// write writes a state of acme's and fails the test where that does.
func (w *world) write(body string) state.Version {
	w.t.Helper()
	v, err := w.store.Write(context.Background(), state.Write{Client: w.acme.ID, Name: prod, Who: state.Who{Actor: alice}, Body: strings.NewReader(body)})
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// read returns a version's content; 0 is the one that counts.
func (w *world) read(seq int64) (string, error) {
	w.t.Helper()
	var r io.ReadCloser
	var err error
	if seq == 0 {
		_, r, err = w.store.Read(context.Background(), w.acme.ID, prod)
	} else {
		_, r, err = w.store.ReadVersion(context.Background(), w.acme.ID, prod, seq)
	}
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

func TestEveryWriteIsAVersion(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var bodies []string
		for i := range 4 {
			bodies = append(bodies, doc(i+1, "l", fmt.Sprint("value ", i)))
			w.write(bodies[i])
		}
		all, err := w.store.Versions(t.Context(), w.acme.ID, prod, 100)
		if err != nil || len(all) != 4 {
			t.Fatal(len(all), err)
		}
		for i, v := range all {
			n := 4 - i
			if v.Seq != int64(n) || v.Serial != int64(n) || v.Actor != alice || v.Size != int64(len(bodies[n-1])) || v.Resources != 1 || v.Instances != 1 || len(v.SHA256) != 64 || v.TerraformVersion != "1.11.4" {
				t.Errorf("version %+v", v)
			}
			if got, err := w.read(v.Seq); err != nil || got != bodies[n-1] {
				t.Errorf("version %d: %q, %v", n, got, err)
			}
		}
		if got, err := w.read(0); err != nil || got != bodies[3] {
			t.Errorf("current: %q, %v", got, err)
		}
		if _, err := w.read(9); !errs.Is(err, errs.NotFound) {
			t.Errorf("version 9: %v", err)
		}
		use, err := w.store.Usage(t.Context(), w.acme.ID)
		if err != nil || use.States != 1 || use.Bytes < 400 {
			t.Errorf("usage %+v, %v", use, err)
		}
	})
}

// Fault 31: which version is the newest is not a matter of the clock.
func TestFault31_ClockJumpsBack(t *testing.T) {
	w := sqliteWorld(t)
	w.write(doc(1, "l", "one"))
	w.pass(-48 * time.Hour)
	w.write(doc(2, "l", "two"))
	all, err := w.store.Versions(t.Context(), w.acme.ID, prod, 10)
	if err != nil || len(all) != 2 || all[0].Serial != 2 || !all[0].Created.Before(all[1].Created) {
		t.Errorf("versions %+v, %v", all, err)
	}
	if got, err := w.read(0); err != nil || got != doc(2, "l", "two") {
		t.Errorf("%q, %v", got, err)
	}
}

// Two people bring an older version back.
func TestRestoreTakesTwo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		for i, value := range []string{"one", "two", "three"} {
			w.write(doc(10*(i+1), "l", value))
		}
		asker, other := state.Who{Actor: alice}, state.Who{Actor: bob}
		if _, err := w.store.AskRestore(ctx, w.acme.ID, prod, 1, asker, " "); !errs.Is(err, errs.Invalid) {
			t.Errorf("without a reason: %v", err)
		}
		if _, err := w.store.AskRestore(ctx, w.acme.ID, prod, 3, asker, "x"); !errs.Is(err, errs.Conflict) {
			t.Errorf("the one that counts: %v", err)
		}
		r, err := w.store.AskRestore(ctx, w.acme.ID, prod, 1, asker, "two lost the subnets")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.ApproveRestore(ctx, r.ID, state.Who{Actor: access.Actor{Kind: access.User, Name: "Alice-again", ID: alice.ID}}); !errs.Is(err, errs.Forbidden) {
			t.Errorf("approved by the asker under another name: %v", err)
		}
		if _, err := w.store.Lock(ctx, w.acme.ID, prod, other, []byte(lockInfo("A"))); err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.ApproveRestore(ctx, r.ID, other); !errs.Is(err, errs.Conflict) {
			t.Errorf("while it is locked: %v", err)
		}
		if _, err := w.store.AskRestore(ctx, w.acme.ID, prod, 2, asker, "x"); !errs.Is(err, errs.Conflict) {
			t.Errorf("asked while it is locked: %v", err)
		}
		if err := w.store.Unlock(ctx, w.acme.ID, prod, other, "A"); err != nil {
			t.Fatal(err)
		}
		v, err := w.store.ApproveRestore(ctx, r.ID, other)
		if err != nil {
			t.Fatal(err)
		}
		if v.Seq != 4 || v.Serial != 31 || v.Lineage != "l" || v.Kind != state.KindRestore || v.Actor != bob || !strings.Contains(v.Reason, "version 1") {
			t.Errorf("version %+v", v)
		}
		if got, err := w.read(0); err != nil || got != doc(31, "l", "one") {
			t.Errorf("%s, %v", got, err)
		}
		if got, err := w.read(1); err != nil || got != doc(10, "l", "one") {
			t.Errorf("the old version became %s, %v", got, err)
		}
		if _, err := w.store.ApproveRestore(ctx, r.ID, other); !errs.Is(err, errs.Conflict) {
			t.Errorf("twice: %v", err)
		}
		w.write(doc(32, "l", "goes on"))

		// What was written meanwhile ends the wish, and so does a day.
		if r, err = w.store.AskRestore(ctx, w.acme.ID, prod, 2, asker, "x"); err != nil {
			t.Fatal(err)
		}
		w.write(doc(33, "l", "meanwhile"))
		if _, err := w.store.ApproveRestore(ctx, r.ID, other); !errs.Is(err, errs.Conflict) {
			t.Errorf("after a write: %v", err)
		}
		if r, err = w.store.AskRestore(ctx, w.acme.ID, prod, 2, asker, "x"); err != nil {
			t.Fatal(err)
		}
		w.pass(25 * time.Hour)
		if _, err := w.store.ApproveRestore(ctx, r.ID, other); !errs.Is(err, errs.Conflict) {
			t.Errorf("after a day: %v", err)
		}
		// One that was deleted comes back, too.
		if err := w.store.Delete(ctx, w.acme.ID, prod, asker, ""); err != nil {
			t.Fatal(err)
		}
		if r, err = w.store.AskRestore(ctx, w.acme.ID, prod, 5, asker, "deleted by mistake"); err != nil {
			t.Fatal(err)
		}
		if v, err = w.store.ApproveRestore(ctx, r.ID, other); err != nil || v.Serial != 34 {
			t.Errorf("after a deletion: %+v, %v", v, err)
		}
		all, err := w.store.Restores(ctx, w.acme.ID, 10)
		if err != nil || len(all) != 4 || all[0].Status != state.RestoreDone || all[1].Status != state.RestoreDropped {
			t.Errorf("restores %+v, %v", all, err)
		}
		if err := w.trail.Verify(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestVersionsArePruned(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(o *state.Options) { o.Keep = state.Keep{Count: 3, Age: 24 * time.Hour} })
		ctx := t.Context()
		large := doc(1, "l", noise(600_000)) // in a blob
		w.write(large)
		for i := 2; i <= 8; i++ {
			w.write(doc(i, "l", fmt.Sprint(i)))
		}
		if n, err := w.store.Prune(ctx); err != nil || n != 0 {
			t.Errorf("%d young ones removed, %v", n, err)
		}
		if _, err := w.store.AskRestore(ctx, w.acme.ID, prod, 2, state.Who{Actor: alice}, "x"); err != nil {
			t.Fatal(err)
		}
		w.pass(25 * time.Hour)
		if n, err := w.store.Prune(ctx); err != nil || n != 4 {
			t.Errorf("%d removed, not 4: %v", n, err)
		}
		all, err := w.store.Versions(ctx, w.acme.ID, prod, 10)
		if err != nil || len(all) != 4 || all[3].Seq != 2 {
			t.Errorf("left %d, %v", len(all), err)
		}
		if got, err := w.read(0); err != nil || got != doc(8, "l", "8") {
			t.Errorf("%q, %v", got, err)
		}
		if left := files(t, w.blobs); len(left) != 0 {
			t.Errorf("blobs left: %v", left)
		}
		// Of a deleted state too, the last one stays.
		if err := w.store.Delete(ctx, w.acme.ID, prod, state.Who{Actor: alice}, ""); err != nil {
			t.Fatal(err)
		}
		w.pass(1000 * time.Hour)
		w.store.Keep = state.Keep{Count: 1}
		if _, err := w.store.Prune(ctx); err != nil {
			t.Fatal(err)
		}
		if all, err = w.store.Versions(ctx, w.acme.ID, prod, 10); err != nil || len(all) == 0 || all[0].Seq != 8 {
			t.Errorf("left %+v, %v", all, err)
		}
		use, err := w.store.Usage(ctx, w.acme.ID)
		sum := int64(0)
		for _, v := range all {
			sum += v.Stored
		}
		if err != nil || use.Bytes != sum {
			t.Errorf("usage %+v, not %d, %v", use, sum, err)
		}
	})
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Fault 30, the store's side: a state that a run could not write is kept,
// whoever holds the lock, and pushed later by a person with all checks.
func TestFault30_ErroredStateIsKeptAndPushed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(o *state.Options) { o.Limits.Bytes = 1 })
		ctx := t.Context()
		run := state.Who{Actor: access.Actor{Kind: access.Bot}, Run: "r1", Commit: "abc", Token: "t1"}
		if _, err := w.store.Lock(ctx, w.acme.ID, prod, run, []byte(lockInfo("A"))); err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.Write(ctx, state.Write{Client: w.acme.ID, Name: prod, Who: run, LockID: "A", Body: strings.NewReader(doc(1, "l", "before"))}); err != nil {
			t.Fatal(err)
		}
		var kept state.Version
		for range 2 { // the runner's result may be read twice
			v, err := w.store.KeepErrored(ctx, w.acme.ID, prod, run, strings.NewReader(doc(2, "l", "after")), "HTTP error: 500")
			if err != nil {
				t.Fatal(err)
			}
			kept = v
		}
		if kept.Seq != 2 || kept.Kind != state.KindErrored || kept.Run != "r1" {
			t.Errorf("kept %+v", kept)
		}
		if got, err := w.read(0); err != nil || got != doc(1, "l", "before") {
			t.Errorf("it counts: %s, %v", got, err)
		}
		open, err := w.store.Errored(ctx, w.acme.ID)
		if err != nil || len(open) != 1 {
			t.Errorf("offered %+v, %v", open, err)
		}
		w.store.Limits.Bytes = 0
		if _, err := w.store.PushErrored(ctx, w.acme.ID, prod, 2, state.Who{Actor: alice}); !errs.Is(err, errs.Conflict) {
			t.Errorf("pushed over the run's lock: %v", err)
		}
		if _, err := w.store.ForceUnlock(ctx, w.acme.ID, prod, state.Who{Actor: alice}, "", "the run is dead"); err != nil {
			t.Fatal(err)
		}
		v, err := w.store.PushErrored(ctx, w.acme.ID, prod, 2, state.Who{Actor: alice})
		if err != nil || v.Serial != 2 || !strings.Contains(v.Reason, "r1") {
			t.Errorf("pushed %+v, %v", v, err)
		}
		if got, err := w.read(0); err != nil || got != doc(2, "l", "after") {
			t.Errorf("%s, %v", got, err)
		}
		if open, err = w.store.Errored(ctx, w.acme.ID); err != nil || len(open) != 0 {
			t.Errorf("still offered: %+v, %v", open, err)
		}
		if _, err := w.store.PushErrored(ctx, w.acme.ID, prod, 1, state.Who{Actor: alice}); !errs.Is(err, errs.Conflict) {
			t.Errorf("pushed one that was none: %v", err)
		}
	})
}

// Fault 35, the store's side: after an older backup came back nothing is
// locked or written until somebody has found the serial right.
func TestFault35_FrozenUntilTheSerialIsRight(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx, token, who := t.Context(), w.token(w.acme, "**"), state.Who{Actor: alice}
		w.write(doc(3, "l", "as the backup had it"))
		if n, err := w.store.Freeze(ctx, who, "A backup of yesterday came back."); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		for _, c := range []struct{ method, body string }{{"POST", doc(4, "l", "x")}, {"DELETE", ""}, {"LOCK", lockInfo("A")}} {
			if a := w.want(409, token, c.method, at, c.body); !strings.Contains(a.body, "yesterday") {
				t.Errorf("%s: %s", c.method, a.body)
			}
		}
		w.want(200, token, "GET", at, "")
		if err := w.store.Thaw(ctx, w.acme.ID, prod, 7, who, "looked"); !errs.Is(err, errs.Conflict) {
			t.Errorf("thawed with another serial: %v", err)
		}
		// A laptop had a newer one.
		if _, err := w.store.Write(ctx, state.Write{Client: w.acme.ID, Name: prod, Who: who, Force: true, Reason: "from carol's laptop", Body: strings.NewReader(doc(7, "l", "newer"))}); err != nil {
			t.Fatal(err)
		}
		w.want(409, token, "LOCK", at, lockInfo("A"))
		if err := w.store.Thaw(ctx, w.acme.ID, prod, 7, who, "looked"); err != nil {
			t.Fatal(err)
		}
		w.want(200, token, "LOCK", at, lockInfo("A"))
		w.want(200, token, "POST", "/state/acme/new", doc(1, "l", "x"))
	})
}

// Nothing of a state can be read where it lies, and nothing opens elsewhere.
func TestThreat_StatesAtRest(t *testing.T) {
	const canary = "canary-5f3e9a-of-a-state"
	dsn := dbtest.SQLiteDSN(t)
	d := dbtest.Open(t, dsn)
	w := newWorld(t, d)
	w.write(doc(1, "l", canary))
	w.write(doc(2, "l", canary+noise(600_000))) // in a blob
	token := w.token(w.acme, "**")
	w.want(200, token, "GET", at, "")
	if got, err := w.read(2); err != nil || got != doc(2, "l", canary+noise(600_000)) {
		t.Fatal(len(got), err)
	}
	all := append(files(t, w.blobs), files(t, filepath.Dir(strings.TrimPrefix(dsn, "sqlite:")))...)
	if len(files(t, w.blobs)) != 1 || len(all) < 3 {
		t.Fatalf("files %v", all)
	}
	for _, path := range all {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{canary, token} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s holds %s", path, secret)
			}
		}
	}
	// A content under another version's row, the key with it, too.
	exec := func(query string) {
		t.Helper()
		if _, err := d.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	w.write(doc(3, "l", "three"))
	exec(`UPDATE state_contents SET sealed = (SELECT c.sealed FROM state_contents c JOIN state_versions v ON v.id = c.version_id WHERE v.seq = 1) WHERE version_id = (SELECT id FROM state_versions WHERE seq = 3)`)
	if _, err := w.read(3); err == nil || !strings.Contains(errs.Sentence(err), "tampered") {
		t.Errorf("swapped content: %v", err)
	}
	if a := w.want(500, token, "GET", at, ""); strings.Contains(a.body, "lineage") {
		t.Errorf("something of it was sent: %s", a.body)
	}
	exec(`UPDATE state_versions SET wrapped = (SELECT wrapped FROM state_versions WHERE seq = 1) WHERE seq = 3`)
	if _, err := w.read(3); err == nil || !strings.Contains(errs.Sentence(err), "tampered") {
		t.Errorf("swapped content and key: %v", err)
	}
	// The whole row, moved to another client or another project.
	exec(`UPDATE states SET name = 'moved'`)
	if _, _, err := w.store.ReadVersion(t.Context(), w.acme.ID, "moved", 1); err == nil || !strings.Contains(errs.Sentence(err), "tampered") {
		t.Errorf("another project: %v", err)
	}
	exec(`UPDATE states SET name = 'net/prod', client_id = '` + w.beta.ID + `'`)
	exec(`UPDATE state_versions SET client_id = '` + w.beta.ID + `'`)
	if _, _, err := w.store.ReadVersion(t.Context(), w.beta.ID, prod, 1); err == nil || !strings.Contains(errs.Sentence(err), "tampered") {
		t.Errorf("another client: %v", err)
	}
}

func TestKeysRotateAndALostOneIsNamed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		for i := range 120 { // more than one transaction's worth
			w.write(doc(i+1, "l", fmt.Sprint(i)))
		}
		sealed := func() (all string) {
			if err := d.QueryRowContext(ctx, `SELECT c.sealed FROM state_contents c JOIN state_versions v ON v.id = c.version_id WHERE v.seq = 7`).Scan(&all); err != nil {
				t.Fatal(err)
			}
			return all
		}
		before := sealed()
		with := func(keys ...keyring.Key) *state.Store {
			ring, err := keyring.New(keys[0], keys[1:]...)
			if err != nil {
				t.Fatal(err)
			}
			o := w.store.Options
			o.Keys = ring
			return state.New(o)
		}
		old, fresh := localKey(t, 1), localKey(t, 2)
		if err := with(fresh).CheckKeys(ctx); !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Sentence(err), old.ID()) {
			t.Errorf("the lost key is not named at the start: %v", err)
		}
		if _, _, err := with(fresh).Read(ctx, w.acme.ID, prod); !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Sentence(err), old.ID()) {
			t.Errorf("the lost key is not named at a read: %v", err)
		}
		last := 0
		done, lost, err := with(fresh, old).Rotate(ctx, state.Who{Actor: alice}, func(n int) { last = n })
		if err != nil || done != 120 || lost != 0 || last != 120 {
			t.Errorf("%d rotated, %d told, %d lost, %v", done, last, lost, err)
		}
		if sealed() != before {
			t.Error("the content was rewritten")
		}
		w.store = with(fresh)
		if err := w.store.CheckKeys(ctx); err != nil {
			t.Error(err)
		}
		for _, seq := range []int64{1, 100, 120} {
			if got, err := w.read(seq); err != nil || got != doc(int(seq), "l", fmt.Sprint(seq-1)) {
				t.Errorf("version %d: %s, %v", seq, got, err)
			}
		}
		if done, _, err := w.store.Rotate(ctx, state.Who{Actor: alice}, nil); err != nil || done != 0 {
			t.Errorf("rotated %d again, %v", done, err)
		}
		if got := w.events("")[0]; got != "state.keys_rotated" {
			t.Errorf("audit: %s", got)
		}
	})
}

// A large state passes through without lying in memory whole.
func TestLargeStateStreams(t *testing.T) {
	w := sqliteWorld(t)
	size := 100 << 20
	if raced { // the detector takes minutes for that, and its pools forget on purpose
		size = 8 << 20
	}
	body := func() io.Reader { return largeState(size) }
	token := w.token(w.acme, "**")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	req, err := http.NewRequestWithContext(t.Context(), "POST", w.url+at, body())
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("x", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Fatal(resp.Status)
	}
	if req, err = http.NewRequestWithContext(t.Context(), "GET", w.url+at, nil); err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("x", token)
	if resp, err = http.DefaultClient.Do(req); err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := sameBytes(resp.Body, body()); err != nil {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	// All that was ever allocated, not only what was held at once.
	if n := after.TotalAlloc - before.TotalAlloc; n > 40<<20 && !raced {
		t.Errorf("%d MB were allocated for a state of 100 MB", n>>20)
	}
	v, err := w.store.Current(t.Context(), w.acme.ID, prod)
	if err != nil || v.Size < int64(size) || v.Resources < 200 {
		t.Errorf("version %+v, %v", v, err)
	}
}

// largeState returns a state of at least n bytes, of which no two resources are
// the same, without ever having all of it.
func largeState(n int) io.Reader {
	i, sent := 0, 0
	noise, policy := noise(10_000), strings.Repeat("policy ", 5000)
	room := make([]byte, 0, 64<<10)
	return &generated{next: func() []byte {
		switch {
		case i == 0:
			i++
			return []byte(`{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"l","outputs":{},"resources":[`)
		case sent < n:
			comma := ","
			if i == 1 {
				comma = ""
			}
			at := (i * 37) % 9000
			b := fmt.Appendf(room, `%s{"mode":"managed","type":"x","name":"n%d","instances":[{"attributes":{"id":"%d","blob":%q,"text":"%s"}}]}`, comma, i, i, noise[at:at+1000], policy)
			i++
			sent += len(b)
			return b
		case i > 0:
			i = -1
			return []byte(`]}`)
		}
		return nil
	}}
}

type generated struct {
	next func() []byte
	rest []byte
}

func (g *generated) Read(p []byte) (int, error) {
	if len(g.rest) == 0 {
		if g.rest = g.next(); g.rest == nil {
			return 0, io.EOF
		}
	}
	n := copy(p, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}

func sameBytes(a, b io.Reader) error {
	x, y := make([]byte, 64<<10), make([]byte, 64<<10)
	for at := 0; ; {
		n, err := io.ReadFull(a, x)
		m, _ := io.ReadFull(b, y)
		if n != m || !bytes.Equal(x[:n], y[:m]) {
			return fmt.Errorf("they differ behind byte %d", at)
		}
		at += n
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Many at once: of those who want one lock one gets it, and of those who write
// the same serial one does.
func TestManyAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		var mu sync.Mutex
		locks, writes := 0, 0
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				_, err := w.store.Lock(ctx, w.acme.ID, "other", state.Who{Actor: alice, Token: fmt.Sprint(i)}, []byte(lockInfo(fmt.Sprint("L", i))))
				_, werr := w.store.Write(ctx, state.Write{Client: w.acme.ID, Name: prod, Who: state.Who{Actor: alice}, Body: strings.NewReader(doc(1, "l", fmt.Sprint(i)))})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					locks++
				} else if !errs.Is(err, errs.Conflict) {
					t.Error(err)
				}
				if werr == nil {
					writes++
				} else if !errs.Is(werr, errs.Conflict) {
					t.Error(werr)
				}
			})
		}
		all.Wait()
		if locks != 1 || writes != 1 {
			t.Errorf("%d locks, %d writes", locks, writes)
		}
	})
}

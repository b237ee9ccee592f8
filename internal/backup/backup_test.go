package backup_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/state"
)

const (
	canary = "canary-19c2-password"
	client = "0190a000-0000-7000-8000-000000000001"
)

var alice = state.Who{Actor: access.Actor{Kind: access.User, Name: "alice"}}

func key(fill byte) redact.Secret {
	return redact.NewSecret(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32)))
}

func ring(t testing.TB, fill byte) *keyring.Ring {
	t.Helper()
	k, err := keyring.NewLocal(key(fill))
	if err != nil {
		t.Fatal(err)
	}
	r, err := keyring.New(k)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// house is an installation with something in it.
type house struct {
	dsn    string
	db     *db.DB
	blobs  *blob.Store
	states *state.Store
	trail  *access.Trail
	runs   *run.Store
}

func open(t testing.TB, dsn, blobs string) *house {
	t.Helper()
	h := &house{dsn: dsn, db: dbtest.Open(t, dsn)}
	var err error
	if h.blobs, err = blob.Open(blobs, key(1)); err != nil {
		t.Fatal(err)
	}
	h.trail = access.NewTrail(h.db)
	h.runs = run.NewStore(h.db, h.trail, nil)
	h.states = state.New(state.Options{DB: h.db, Blobs: h.blobs, Keys: ring(t, 1), Trail: h.trail, Tokens: access.NewTokens(h.db, h.trail, nil)})
	return h
}

func (h *house) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	if _, err := h.db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// furnish puts a client, states (one too large for a row) and events in.
func (h *house) furnish(t testing.TB) {
	t.Helper()
	h.exec(t, `INSERT INTO clients (id, slug, name, created_ms) VALUES ($1, 'acme', 'Acme', 1700000000000)`, client)
	h.write(t, "net/prod", 1, "small")
	var big strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&big, "%x", i*2654435761)
	}
	h.write(t, "net/large", 1, big.String())
}

func (h *house) write(t testing.TB, name string, serial int, value string) {
	t.Helper()
	body := fmt.Sprintf(`{"version":4,"terraform_version":"1.9.0","serial":%d,"lineage":"l1","outputs":{"o":{"value":%q,"type":"string"},"secret":{"value":%q,"type":"string","sensitive":true}},"resources":[]}`, serial, value, canary)
	if _, err := h.put(t, name, body); err != nil {
		t.Fatal(err)
	}
}

func (h *house) read(t testing.TB, name string) string {
	t.Helper()
	_, r, err := h.states.Read(t.Context(), client, name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (h *house) put(t testing.TB, name, body string) (state.Version, error) {
	return h.states.Write(t.Context(), state.Write{Client: client, Name: name, Body: strings.NewReader(body), Who: alice})
}

func (h *house) source(t testing.TB) backup.Source {
	return backup.Source{DB: h.db, Blobs: h.blobs, Keys: ring(t, 1), Temp: t.TempDir(), Version: "test"}
}

func (h *house) backUp(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, _, err := backup.Write(t.Context(), &b, h.source(t)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func from(b []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

// each runs f with an installation and an empty place for another, on both
// databases.
func each(t *testing.T, f func(t *testing.T, h *house, empty string)) {
	t.Run("sqlite", func(t *testing.T) {
		f(t, open(t, dbtest.SQLiteDSN(t), t.TempDir()), "sqlite:"+filepath.Join(t.TempDir(), "tidelock.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		f(t, open(t, dbtest.PostgresDSN(t), t.TempDir()), dbtest.EmptyPostgresDSN(t))
	})
}

func target(t testing.TB, dsn, blobs string) backup.Target {
	t.Helper()
	s, err := blob.Open(blobs, key(1))
	if err != nil {
		t.Fatal(err)
	}
	return backup.Target{DSN: dsn, Blobs: s, Keys: ring(t, 1), Temp: t.TempDir(), Who: alice}
}

func TestBackupComesBackWhole(t *testing.T) {
	each(t, func(t *testing.T, h *house, empty string) {
		h.furnish(t)
		small, large := h.read(t, "net/prod"), h.read(t, "net/large")
		file := h.backUp(t)
		// What is written behind the backup is not in it.
		h.write(t, "net/prod", 2, "later")

		_, m, err := backup.Verify(t.Context(), bytes.NewReader(file), ring(t, 1), t.TempDir())
		if err != nil || m.Blobs != 1 || m.Tables["states"] != 2 || m.Audit.Seq == 0 || len(m.Missing) != 0 {
			t.Fatalf("%+v, %v", m, err)
		}
		blobs := t.TempDir()
		rep, err := backup.Restore(t.Context(), from(file), target(t, empty, blobs))
		if err != nil {
			t.Fatal(err)
		}
		if rep.Frozen != 2 {
			t.Errorf("%d states frozen", rep.Frozen)
		}
		back := open(t, empty, blobs)
		if back.read(t, "net/prod") != small || back.read(t, "net/large") != large {
			t.Error("a state is not what it was")
		}
		if err := back.trail.Verify(t.Context(), m.Audit); err != nil {
			t.Error(err)
		}
		// Numbers go on where they were.
		back.exec(t, `INSERT INTO clients (id, slug, name, created_ms) VALUES ('c2', 'b', 'B', 1)`)
		if _, err := backup.Restore(t.Context(), from(file), target(t, empty, blobs)); !errs.Is(err, errs.Conflict) {
			t.Errorf("restored over what was there: %v", err)
		}
	})
}

// A restore that fails may be tried again: what it leaves of tables has no rows.
func TestFailedRestoreIsTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, h *house, empty string) {
		h.furnish(t)
		file := h.backUp(t)
		blobs := t.TempDir()
		opened := 0
		breaks := func() (io.ReadCloser, error) {
			if opened++; opened > 1 { // it is read once to be verified, and then for its rows
				return nil, errors.New("the cable was pulled")
			}
			return io.NopCloser(bytes.NewReader(file)), nil
		}
		if _, err := backup.Restore(t.Context(), breaks, target(t, empty, blobs)); err == nil || !strings.Contains(err.Error(), "the cable was pulled") {
			t.Fatal(err)
		}
		if _, err := backup.Restore(t.Context(), from(file), target(t, empty, blobs)); err != nil {
			t.Fatal(err)
		}
		if back := open(t, empty, blobs); back.read(t, "net/prod") != h.read(t, "net/prod") {
			t.Error("a state is not what it was")
		}
	})
}

// TestFault35_NothingIsWrittenOrAppliedAfterARestore: what is really there may
// be newer than the backup, until a person has looked.
func TestFault35_NothingIsWrittenOrAppliedAfterARestore(t *testing.T) {
	each(t, func(t *testing.T, h *house, empty string) {
		h.furnish(t)
		h.write(t, "net/gone", 1, "elsewhere")
		if err := h.states.MoveAway(t.Context(), client, "net/gone", alice, "", "s3"); err != nil {
			t.Fatal(err)
		}
		file := h.backUp(t)
		blobs := t.TempDir()
		if _, err := backup.Restore(t.Context(), from(file), target(t, empty, blobs)); err != nil {
			t.Fatal(err)
		}
		back, ctx := open(t, empty, blobs), t.Context()
		rec, err := back.runs.OpenRecovery(ctx, back.db)
		if err != nil || rec == nil || !strings.Contains(rec.Why(), "tidelock restore finish") {
			t.Fatalf("%+v, %v", rec, err)
		}
		body := `{"version":4,"terraform_version":"1.9.0","serial":9,"lineage":"l1","outputs":{},"resources":[]}`
		for _, name := range []string{"net/prod", "net/new"} {
			if _, err := back.put(t, name, body); err == nil {
				t.Errorf("%s was written", name)
			}
		}
		end := func() error {
			return back.db.Tx(ctx, func(tx *db.Tx) error { return back.runs.EndRecovery(ctx, tx, alice.Actor, "compared all") })
		}
		if err := end(); !errs.Is(err, errs.Conflict) {
			t.Errorf("ended with frozen states: %v", err)
		}
		for _, name := range []string{"net/prod", "net/large"} {
			if err := back.states.Thaw(ctx, client, name, 7, alice, "wrong"); !errs.Is(err, errs.Conflict) {
				t.Errorf("thawed with another serial: %v", err)
			}
			if err := back.states.Thaw(ctx, client, name, 1, alice, "compared"); err != nil {
				t.Error(err)
			}
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		// What is elsewhere needs no thaw: with one, a run would begin it anew.
		if st, err := back.states.State(ctx, client, "net/gone"); err != nil || !st.MovedAway() {
			t.Errorf("%+v, %v", st, err)
		}
		if rec, err := back.runs.OpenRecovery(ctx, back.db); err != nil || rec != nil {
			t.Errorf("still open: %+v, %v", rec, err)
		}
		back.write(t, "net/prod", 2, "after")
		events, err := back.trail.List(ctx, "", 20)
		if err != nil {
			t.Fatal(err)
		}
		var did []string
		for _, e := range events {
			did = append(did, e.Action)
		}
		for _, want := range []string{"database.restored", "state.frozen", "state.thawed", "database.restore_finished"} {
			if !strings.Contains(strings.Join(did, " "), want) {
				t.Errorf("no event %s in %v", want, did)
			}
		}
	})
}

func TestThreat_BackupShowsAndTakesNothing(t *testing.T) {
	h := open(t, dbtest.SQLiteDSN(t), t.TempDir())
	h.furnish(t)
	file := h.backUp(t)
	for _, word := range []string{canary, "SQLite format 3", "net/prod", "alice"} {
		if bytes.Contains(file, []byte(word)) {
			t.Errorf("the file shows %q", word)
		}
	}
	if _, _, err := backup.Verify(t.Context(), bytes.NewReader(file), ring(t, 2), t.TempDir()); err == nil || !strings.Contains(errs.Sentence(err), "local-") {
		t.Errorf("another key: %v", err)
	}
	head := bytes.IndexByte(file, '}') // somewhere in it
	for name, change := range map[string]func([]byte) []byte{
		"magic":          func(b []byte) []byte { b[0] ^= 1; return b },
		"head":           func(b []byte) []byte { b[head-3] ^= 1; return b },
		"a byte":         func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"the last":       func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"cut":            func(b []byte) []byte { return b[:len(b)-100] },
		"cut in half":    func(b []byte) []byte { return b[:len(b)/2] },
		"a segment less": func(b []byte) []byte { return b[:len(b)-len(b)%(64<<10+16)] },
		"lengthened":     func(b []byte) []byte { return append(b, b[len(b)-1000:]...) },
		"empty":          func([]byte) []byte { return nil },
	} {
		b := change(bytes.Clone(file))
		if _, _, err := backup.Verify(t.Context(), bytes.NewReader(b), ring(t, 1), t.TempDir()); err == nil {
			t.Errorf("%s: taken", name)
		}
		dsn := filepath.Join(t.TempDir(), "tidelock.db")
		if _, err := backup.Restore(t.Context(), from(b), target(t, "sqlite:"+dsn, t.TempDir())); err == nil {
			t.Errorf("%s: restored", name)
		}
		if _, err := os.Stat(dsn); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: a database is left", name)
		}
	}
}

// A backup is of one moment: rows that belong together are in it together,
// whatever is written meanwhile.
func TestBackupWhileTheServerWrites(t *testing.T) {
	each(t, func(t *testing.T, h *house, empty string) {
		h.furnish(t)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		wrote := make(chan struct{}, 1)
		go func() {
			for i := 0; ctx.Err() == nil; i++ {
				err := h.db.Tx(t.Context(), func(tx *db.Tx) error {
					return h.trail.Record(t.Context(), tx, access.Event{Client: client, Action: "test.write", Actor: alice.Actor, Detail: i})
				})
				if err != nil {
					done <- err
					return
				}
				select {
				case wrote <- struct{}{}:
				default:
				}
			}
			done <- nil
		}()
		<-wrote
		file := h.backUp(t)
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		rep, err := backup.Restore(t.Context(), from(file), target(t, empty, t.TempDir()))
		if err != nil || rep.Manifest.Tables["events"] != rep.Manifest.Audit.Seq {
			t.Errorf("%d events, the chain ends at %d, %v", rep.Manifest.Tables["events"], rep.Manifest.Audit.Seq, err)
		}
	})
}

func TestBackupForARecipient(t *testing.T) {
	h := open(t, dbtest.SQLiteDSN(t), t.TempDir())
	h.furnish(t)
	s := h.source(t)
	made, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	r, err := keyring.NewRecipient(made.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	s.Recipients = []keyring.Key{r}
	var file bytes.Buffer
	if _, _, err := backup.Write(t.Context(), &file, s); err != nil {
		t.Fatal(err)
	}
	id, err := keyring.NewIdentity(redact.NewSecret(made.String()))
	if err != nil {
		t.Fatal(err)
	}
	other, err := keyring.New(id)
	if err != nil {
		t.Fatal(err)
	}
	if _, m, err := backup.Verify(t.Context(), &file, other, t.TempDir()); err != nil || m.Tables["states"] != 2 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := keyring.NewRecipient("age1nonsense"); !errs.Is(err, errs.Invalid) {
		t.Errorf("%v", err)
	}
}

// Every column that names a blob is known: a migration that adds one has to say
// so, or backups lack what it names and a sweep deletes it. Numbers count blobs.
func TestReferencesKnowEveryColumn(t *testing.T) {
	d := dbtest.SQLite(t)
	known := "runs.plan_blob runs.plan_json_blob runs.log_blob state_versions.blob_ref"
	rows, err := d.QueryContext(t.Context(), `SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name LIKE '%blob%' AND c.type <> 'INTEGER'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var column string
		if err := rows.Scan(&column); err != nil {
			t.Fatal(err)
		}
		n++
		if !strings.Contains(known, column) {
			t.Errorf("%s names blobs: add it to References", column)
		}
	}
	if n != 4 {
		t.Errorf("%d columns found", n)
	}
}

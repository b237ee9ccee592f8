package access_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

var alice = access.Actor{Kind: access.User, Name: "alice", ID: 7}

func record(t *testing.T, d *db.DB, trail *access.Trail, e access.Event) {
	t.Helper()
	if err := d.Tx(t.Context(), func(tx *db.Tx) error { return trail.Record(t.Context(), tx, e) }); err != nil {
		t.Fatal(err)
	}
}

func exec(t *testing.T, d *db.DB, query string, args ...any) {
	t.Helper()
	res, err := d.ExecContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 && !strings.HasPrefix(query, "CREATE") {
		t.Fatalf("%s: %d rows, %v", query, n, err)
	}
}

// trailOfFive records events 1 to 5 of clients c1 and c2.
func trailOfFive(t *testing.T, d *db.DB) *access.Trail {
	t.Helper()
	trail := access.NewTrail(d)
	for _, c := range []string{"c1", "c2"} {
		exec(t, d, `INSERT INTO clients (id, slug, name, created_ms) VALUES ($1, $1, $1, 0)`, c)
	}
	for i := range 5 {
		client := "c1"
		if i == 2 {
			client = "c2"
		}
		record(t, d, trail, access.Event{
			Client: client, Action: "run.applied", Subject: fmt.Sprint("run ", i+1), Actor: alice,
			Detail: map[string]int{"created": i}, At: time.UnixMilli(int64(1000 * (i + 1))),
		})
	}
	return trail
}

func TestRecordAndList(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		trail := trailOfFive(t, d)
		record(t, d, trail, access.Event{Action: "server.started", Actor: access.Actor{Kind: access.Bot}})

		got, err := trail.List(t.Context(), "c1", 2)
		if err != nil {
			t.Fatal(err)
		}
		var subjects []string
		for _, e := range got {
			subjects = append(subjects, e.Subject)
		}
		if diff := cmp.Diff([]string{"run 5", "run 4"}, subjects); diff != "" {
			t.Errorf("client c1 (-want +got):\n%s", diff)
		}
		e := got[0]
		if e.Seq != 5 || e.Client != "c1" || e.Actor != alice || e.Action != "run.applied" || string(e.Detail) != `{"created":4}` || e.At.UnixMilli() != 5000 || len(e.ID) != 36 {
			t.Errorf("entry %+v", e)
		}
		all, err := trail.List(t.Context(), "", 100)
		if err != nil || len(all) != 6 || all[0].Action != "server.started" || all[0].Client != "" || all[0].Detail != nil {
			t.Errorf("all: %d entries, %v: %+v", len(all), err, all[0])
		}
		if err := trail.Verify(t.Context()); err != nil {
			t.Errorf("an honest trail: %v", err)
		}
	})
}

func TestEmptyTrailVerifies(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := access.NewTrail(d).Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// No act without its event, no event without its act.
func TestEventSharesTheTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		trail := trailOfFive(t, d)
		undo := errors.New("the act failed")
		err := d.Tx(t.Context(), func(tx *db.Tx) error {
			if err := trail.Record(t.Context(), tx, access.Event{Client: "c1", Action: "x", Actor: alice}); err != nil {
				return err
			}
			return undo
		})
		if !errors.Is(err, undo) {
			t.Fatal(err)
		}
		h, err := trail.Head(t.Context())
		if err != nil || h.Seq != 5 {
			t.Errorf("head %+v, %v", h, err)
		}
		record(t, d, trail, access.Event{Client: "c1", Action: "y", Actor: alice})
		if err := trail.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestRecordRefusesAnonymousActs(t *testing.T) {
	d := dbtest.SQLite(t)
	err := d.Tx(t.Context(), func(tx *db.Tx) error {
		return access.NewTrail(d).Record(t.Context(), tx, access.Event{Action: "x"})
	})
	if err == nil {
		t.Error("an event without an actor was recorded")
	}
}

func TestConcurrentRecordsMakeOneChain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		trail := trailOfFive(t, d)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 25 {
					err := d.Tx(t.Context(), func(tx *db.Tx) error {
						return trail.Record(t.Context(), tx, access.Event{Client: "c1", Action: "x", Actor: alice})
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range 5 { // an audit in the middle of it sees a whole chain
			if err := trail.Verify(t.Context()); err != nil {
				t.Error(err)
			}
		}
		all.Wait()
		if h, err := trail.Head(t.Context()); err != nil || h.Seq != 105 {
			t.Errorf("head %+v, %v", h, err)
		}
		if err := trail.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestThreat_AuditTamperingIsFound(t *testing.T) {
	for name, tc := range map[string]struct {
		do   func(t *testing.T, d *db.DB)
		says string
	}{
		"subject edited": {func(t *testing.T, d *db.DB) { exec(t, d, `UPDATE events SET subject = 'run 9' WHERE seq = 3`) }, "event 3"},
		"actor edited":   {func(t *testing.T, d *db.DB) { exec(t, d, `UPDATE events SET actor = '{"kind":"bot"}' WHERE seq = 1`) }, "event 1"},
		"time edited":    {func(t *testing.T, d *db.DB) { exec(t, d, `UPDATE events SET at_ms = at_ms + 1 WHERE seq = 5`) }, "event 5"},
		"client edited":  {func(t *testing.T, d *db.DB) { exec(t, d, `UPDATE events SET client_id = 'c1' WHERE seq = 3`) }, "event 3"},
		"client removed": {func(t *testing.T, d *db.DB) { exec(t, d, `UPDATE events SET client_id = NULL WHERE seq = 2`) }, "event 2"},
		"detail edited":  {func(t *testing.T, d *db.DB) { exec(t, d, `UPDATE events SET detail = '' WHERE seq = 2`) }, "event 2"},
		"words shifted": {func(t *testing.T, d *db.DB) {
			exec(t, d, `UPDATE events SET action = 'run.applie', subject = 'drun 4' WHERE seq = 4`)
		}, "event 4"},
		"first deleted":   {func(t *testing.T, d *db.DB) { exec(t, d, `DELETE FROM events WHERE seq = 1`) }, "event 1"},
		"middle deleted":  {func(t *testing.T, d *db.DB) { exec(t, d, `DELETE FROM events WHERE seq = 3`) }, "event 3"},
		"several deleted": {func(t *testing.T, d *db.DB) { exec(t, d, `DELETE FROM events WHERE seq IN (2, 3)`) }, "event 2"},
		"deleted and closed up": {func(t *testing.T, d *db.DB) {
			exec(t, d, `DELETE FROM events WHERE seq = 3`)
			exec(t, d, `UPDATE events SET seq = 3, prev_hash = (SELECT hash FROM events WHERE seq = 2) WHERE seq = 4`)
			exec(t, d, `UPDATE events SET seq = 4 WHERE seq = 5`)
		}, "event 3"},
		"truncated":      {func(t *testing.T, d *db.DB) { exec(t, d, `DELETE FROM events WHERE seq > 3`) }, "end at event 5"},
		"emptied":        {func(t *testing.T, d *db.DB) { exec(t, d, `DELETE FROM events`) }, "end at event 5"},
		"head forgotten": {func(t *testing.T, d *db.DB) { exec(t, d, `DELETE FROM event_head`) }, "not recorded"},
		"swapped": {func(t *testing.T, d *db.DB) {
			exec(t, d, `UPDATE events SET seq = 100 WHERE seq = 2`)
			exec(t, d, `UPDATE events SET seq = 2 WHERE seq = 4`)
			exec(t, d, `UPDATE events SET seq = 4 WHERE seq = 100`)
		}, "event 2"},
		// An event that was honest in another history, hash and all.
		"another history's event": {func(t *testing.T, d *db.DB) {
			const columns = `seq, id, client_id, at_ms, actor, action, subject, detail, prev_hash, hash`
			trail := access.NewTrail(d)
			later := func(subject string) {
				record(t, d, trail, access.Event{Client: "c1", Action: "run.applied", Subject: subject, Actor: alice})
			}
			exec(t, d, `CREATE TABLE other AS SELECT * FROM event_head`)
			later("never happened")
			exec(t, d, `CREATE TABLE kept AS SELECT * FROM events WHERE seq = 6`)
			exec(t, d, `DELETE FROM events WHERE seq = 6`)
			exec(t, d, `UPDATE event_head SET seq = 5, hash = (SELECT hash FROM other)`)
			later("run 6")
			later("run 7")
			exec(t, d, `DELETE FROM events WHERE seq = 6`)
			exec(t, d, `INSERT INTO events (`+columns+`) SELECT `+columns+` FROM kept`)
		}, "event 7 of the audit trail does not follow"},
		"forged at the end": {func(t *testing.T, d *db.DB) {
			exec(t, d, `INSERT INTO events (seq, id, at_ms, actor, action, subject, prev_hash, hash)
				SELECT 6, 'x', at_ms, actor, action, 'run 6', hash, hash FROM events WHERE seq = 5`)
		}, "event 6"},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				trail := trailOfFive(t, d)
				tc.do(t, d)
				err := trail.Verify(t.Context())
				if !errs.Is(err, errs.Conflict) {
					t.Fatalf("got %v, want a conflict", err)
				}
				if s := errs.Sentence(err); !strings.Contains(s, tc.says) {
					t.Errorf("%q does not say %q", s, tc.says)
				}
			})
		})
	}
}

// Whoever truncates the rows and the head alike has to forge what was kept
// elsewhere, too.
func TestThreat_AuditTruncationIsFoundByAKnownHead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		trail := trailOfFive(t, d)
		five, err := trail.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		record(t, d, trail, access.Event{Client: "c1", Action: "later", Actor: alice})
		if err := trail.Verify(t.Context(), five); err != nil {
			t.Fatalf("an honest trail: %v", err)
		}
		exec(t, d, `DELETE FROM events WHERE seq > 3`)
		exec(t, d, `UPDATE event_head SET seq = 3, hash = (SELECT hash FROM events WHERE seq = 3)`)
		if err := trail.Verify(t.Context()); err != nil {
			t.Fatalf("the cut is not clean, so it proves nothing: %v", err)
		}
		if err := trail.Verify(t.Context(), five); !errs.Is(err, errs.Conflict) {
			t.Errorf("truncated: %v", err)
		}
		for range 3 { // and grown again, with other events
			record(t, d, trail, access.Event{Client: "c1", Action: "forged", Actor: alice})
		}
		if err := trail.Verify(t.Context(), five); !errs.Is(err, errs.Conflict) {
			t.Errorf("rewritten: %v", err)
		}
	})
}

func TestThreat_SecretInDetailIsMasked(t *testing.T) {
	d := dbtest.SQLite(t)
	trail := access.NewTrail(d)
	record(t, d, trail, access.Event{Action: "token.made", Actor: alice, Detail: map[string]any{"token": redact.NewSecret("canary-1234567")}})
	got, err := trail.List(t.Context(), "", 1)
	if err != nil || strings.Contains(string(got[0].Detail), "canary") || !strings.Contains(string(got[0].Detail), redact.Mask) {
		t.Errorf("detail %s, %v", got[0].Detail, err)
	}
}

func TestActorString(t *testing.T) {
	for want, a := range map[string]access.Actor{
		"alice": alice, "Tidelock": {Kind: access.Bot}, "schedule nightly drift": {Kind: access.Schedule, Name: "nightly drift"},
		"token ci": {Kind: access.Token, Name: "ci"}, "unknown": {}, "user": {Kind: access.User},
	} {
		if got := a.String(); got != want {
			t.Errorf("%+v: %q, want %q", a, got, want)
		}
	}
}

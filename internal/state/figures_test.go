package state_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// All that is asked of the store is told of, with how it ended, and what is
// there is counted.
func TestActsAreToldAndStatesCounted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var mu sync.Mutex
		told := map[string]int{}
		w := newWorld(t, d, func(o *state.Options) {
			o.Observed = func(a state.Act) {
				mu.Lock()
				defer mu.Unlock()
				how := "ok"
				var other *state.HeldError
				if errors.As(a.Err, &other) {
					how = "locked"
				} else if a.Err != nil {
					how = errs.KindOf(a.Err).String()
				}
				told[a.Kind+" "+how]++
			}
		})
		ctx, client, who := t.Context(), w.acme.ID, state.Who{Actor: alice, Token: "a"}
		write := func(name, lock, body string) {
			t.Helper()
			_, _ = w.store.Write(ctx, state.Write{Client: client, Name: name, Who: who, LockID: lock, Body: strings.NewReader(body)})
		}
		const doc = `{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"l","outputs":{},"resources":[]}`
		_, _, _ = w.store.Read(ctx, client, "net")
		write("net", "", doc)
		write("net", "", "no state")
		if _, r, err := w.store.Read(ctx, client, "net"); err == nil {
			r.Close()
		}
		_, _ = w.store.Lock(ctx, client, "net", who, []byte(`{"ID":"1"}`))
		_, _ = w.store.Lock(ctx, client, "net", state.Who{Actor: bob, Token: "b"}, []byte(`{"ID":"2"}`))
		write("net", "", doc)
		w.shift = time.Minute
		l, err := w.store.Load(ctx)
		if err != nil || l.States != 1 || l.Bytes <= 0 || l.Locks != 1 || l.OldestLock < time.Minute || l.OldestLock > time.Hour {
			t.Errorf("load %+v, %v", l, err)
		}
		if u, err := w.store.Usages(ctx); err != nil || len(u) != 1 || u["acme"].States != 1 || u["acme"].Bytes != l.Bytes {
			t.Errorf("usages %+v, %v", u, err)
		}
		_ = w.store.Unlock(ctx, client, "net", who, "1")
		_, _ = w.store.ForceUnlock(ctx, client, "net", who, "", "a test")
		_ = w.store.Delete(ctx, client, "net", who, "")
		mu.Lock()
		defer mu.Unlock()
		if diff := cmp.Diff(map[string]int{
			"read not_found": 1, "read ok": 1, "write ok": 1, "write invalid": 1, "write locked": 1, "lock ok": 1, "lock locked": 1,
			"unlock ok": 1, "force_unlock ok": 1, "delete ok": 1,
		}, told); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRoutesNameNobody(t *testing.T) {
	for path, want := range map[string]string{
		"/state/acme/net/prod": "/state/{client}/{project}", "/state/acme/net/lock": "/state/{client}/{project}/lock", "/state/": "/state/{client}/{project}",
	} {
		if got := state.Route(httptest.NewRequest("GET", path, nil)); got != want {
			t.Errorf("%s is %s, not %s", path, got, want)
		}
	}
}

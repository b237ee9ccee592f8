package state_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// Of several states that could not be written and began from the same, one is
// pushed, whoever comes at the same time: what is compared is what is replaced.
func TestFault29_PushesAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		bot := state.Who{Actor: access.Actor{Kind: access.Bot}, Run: "r1"}
		if _, err := w.store.Write(ctx, state.Write{Client: w.acme.ID, Name: prod, Who: bot, Body: strings.NewReader(doc(4, "l", "base"))}); err != nil {
			t.Fatal(err)
		}
		const several = 6
		for i := range several { // each with a serial of its own, so that no serial is in the way
			v, err := w.store.KeepErrored(ctx, w.acme.ID, prod, bot, strings.NewReader(doc(5+i, "l", "left")), "no room")
			if err == nil {
				err = w.store.NoteBase(ctx, v, state.Base{Serial: 4, Lineage: "l"})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		all, err := w.store.ErroredBy(ctx, "r1")
		if err != nil || len(all) != several || all[0].Name != prod || !all[0].Known || all[0].Base.Serial != 4 {
			t.Fatalf("%+v, %v", all, err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		done := 0
		for _, one := range all {
			wg.Go(func() {
				_, err := w.store.PushErrored(ctx, w.acme.ID, prod, one.Seq, state.Who{Actor: alice})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					done++
				} else if !errs.Is(err, errs.Conflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if done != 1 {
			t.Errorf("%d of %d were pushed", done, several)
		}
		left, err := w.store.ErroredBy(ctx, "r1")
		if err != nil || len(left) >= several {
			t.Errorf("%d are left, %v", len(left), err)
		}
		if err := w.trail.Verify(ctx); err != nil {
			t.Error(err)
		}
	})
}

package drift

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/planner"
)

func TestProjectsAreCountedByDrift(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.tx(func(tx *db.Tx) error {
			for i, status := range []Status{Clean, Drifted, Drifted} {
				dir := fmt.Sprintf("d%d", i)
				f := Found{Project: planner.Project{Name: dir, Dir: dir, Workspace: "default"}, Status: status, At: noon}
				if err := w.Note(t.Context(), tx, w.client, w.repo, f); err != nil {
					return err
				}
			}
			return nil
		})
		got, err := w.Counts(t.Context(), d)
		if diff := cmp.Diff(map[Status]int{Clean: 1, Drifted: 2}, got); err != nil || diff != "" {
			t.Errorf("%v: %s", err, diff)
		}
		if d.Dialect() == db.SQLite {
			plan := dbtest.Plan(t, d, countQuery)
			if want := "SCAN drift_projects USING COVERING INDEX drift_projects_client"; !slices.Contains(plan, want) {
				t.Errorf("the plan has no %q: %q", want, plan)
			}
		}
	})
}

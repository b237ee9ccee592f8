package run_test

import (
	"context"
	"testing"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/run"
)

// An apply is run with the tool of its plan, whatever the server has by then.
func TestApplyHasThePlansTool(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		plan := w.plans(w.open(1, "h1").Change, "a")[0]
		if plan.ToolTitle() != "" {
			t.Errorf("before it begins: %q", plan.ToolTitle())
		}
		w.tx(func(tx *db.Tx) error {
			return w.store.SetTool(context.Background(), tx, plan.ID, run.ToolWord("tofu", "1.8.0"))
		})
		plan = w.planned(plan)
		var apply run.Run
		w.tx(func(tx *db.Tx) (err error) {
			apply, _, err = w.store.AddApply(context.Background(), tx, plan, "c", "", ada)
			return err
		})
		apply, err := w.store.Run(t.Context(), d, apply.ID)
		if err != nil || apply.ToolTitle() != "OpenTofu 1.8.0" || plan.ToolTitle() != "OpenTofu 1.8.0" {
			t.Errorf("%q, %q, %v", plan.ToolTitle(), apply.ToolTitle(), err)
		}
	})
}

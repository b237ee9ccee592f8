package bot

import (
	"context"

	"github.com/tidelock/tidelock/internal/binaries"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// equip returns the tool that a run is to be made with, which may have to be
// downloaded first, and stores it with the run. An apply gets its plan's, since
// no other version reads a saved plan.
func (b *Bot) equip(ctx context.Context, r *run.Run) (binaries.Binary, error) {
	want := r.Project.Tool
	if name, version, ok := r.ToolParts(); ok && r.Kind == run.Apply {
		want = planner.Tool{Name: name, Needs: []planner.ToolNeed{{Constraint: "= " + version, From: "the plan"}}}
	}
	tool, err := b.Terraform.Tools.Resolve(ctx, want)
	if err != nil {
		return tool, err
	}
	word := run.ToolWord(tool.Name, tool.Version)
	if word == r.Tool {
		return tool, nil
	}
	if err := b.DB.Tx(ctx, func(tx *db.Tx) error { return b.Runs.SetTool(ctx, tx, r.ID, word) }); err != nil {
		return tool, err
	}
	r.Tool = word
	return tool, nil
}

// toolTrouble returns the sentence about a tool that can't be had, "" for any
// other error. Trying again by itself would not mend it.
func toolTrouble(err error) string {
	switch errs.KindOf(err) {
	case errs.Invalid, errs.NotFound, errs.Unavailable, errs.TooLarge:
		return errs.Sentence(err)
	}
	return ""
}

// sameTool reports whether a project would be planned now with the tool that
// made an earlier plan. Nothing is downloaded to find that out.
func (b *Bot) sameTool(ctx context.Context, r run.Run, p planner.Project) bool {
	c, err := b.Terraform.Tools.Choose(ctx, p.Tool, false)
	return err == nil && run.ToolWord(c.Name, c.Version) == r.Tool
}

// otherTool says why an apply can't use the saved plan: what made it is not to
// be had any more. Then the project's tool of today is used, for a plan of its
// own, as a retry always makes one.
func (a *application) otherTool(ctx context.Context) (string, error) {
	if a.run.Kind != run.Apply || a.run.Retry || a.run.Tool == "" || a.plan.Tool == "" {
		return "", nil
	}
	if a.run.Tool == a.plan.Tool { // else an attempt before this one has found out already
		_, err := a.equip(ctx, &a.run)
		if err == nil || toolTrouble(err) == "" {
			return "", err
		}
		a.Log.Warn("the tool that made a plan is not to be had; it is planned again", keyRun, a.run.ID, "tool", a.run.Tool, "error", err)
	}
	a.run.Tool = ""
	return "The plan was made with " + a.plan.ToolTitle() + ", which the server has no longer", nil
}

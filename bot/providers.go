package bot

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/providers"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// fetchTime is how long fetching the providers of one run may take.
const fetchTime = 20 * time.Minute

// startRun starts the runner of r, once the providers that it needs are on this
// machine. A run that may not have them is started to say so, and does
// nothing else.
func (b *Bot) startRun(ctx context.Context, r run.Run, s tfrun.Spec) error {
	s, err := b.provided(ctx, r, s)
	if err != nil {
		return err
	}
	if err := b.layState(ctx, r, &s); err != nil {
		return err
	}
	return b.Runner.Start(ctx, s)
}

// provided gives a run its CLI configuration, which names the providers that it
// installs, and its lock file the checksums that those are verified by. The
// tree must be in nobody else's use below the project's directory.
func (b *Bot) provided(ctx context.Context, r run.Run, s tfrun.Spec) (tfrun.Spec, error) {
	if s.Refused != "" {
		return s, nil
	}
	root, err := os.OpenRoot(s.Root)
	if err != nil {
		return s, fmt.Errorf("read work tree: %w", err)
	}
	defer root.Close()
	request := providers.Request{Root: root.FS(), Project: r.Project, Tool: toolOf(r, s.Binary)}
	request.Project.Hooks = s.Hooks // those that the server allows
	if s.Kind == tfrun.KindApply {
		// What the plan was made with. One that can't be read fails in the run.
		request.Lock, _ = providers.LockOfPlan(b.Runner.PlanPath(s.RunID))
	}
	fetching, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	p, err := b.Providers.Prepare(fetching, request)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return s, ctx.Err()
	case fetching.Err() != nil:
		s.Refused = fmt.Sprintf("Its providers could not be fetched within %s. Try again later.", fetchTime)
		return s, nil
	case errs.Is(err, errs.Internal):
		return s, fmt.Errorf("providers of run %s: %w", r.ID, err)
	default:
		b.Log.Warn("providers refused", keyRun, r.ID, keyProject, r.Project.Name, "error", err)
		s.Refused = errs.Sentence(err)
		return s, nil
	}
	s.CLIConfig, s.Notes = p.CLIConfig, p.Notes
	for _, note := range p.Notes {
		b.Log.Info("providers not prepared in whole", keyRun, r.ID, keyProject, r.Project.Name, "note", note)
	}
	return s, p.AmendLock(root, s.Dir)
}

// toolOf tells which tool a run is made with. One whose name is not known yet
// has it in its binary's.
func toolOf(r run.Run, binary string) string {
	if name, _, ok := r.ToolParts(); ok {
		return name
	}
	if strings.Contains(strings.ToLower(filepath.Base(binary)), planner.ToolOpenTofu) {
		return planner.ToolOpenTofu
	}
	return planner.ToolTerraform
}

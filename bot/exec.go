package bot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/runlog"
	"github.com/tidelock/tidelock/internal/runner"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// spec is what the runner of r may know. folder names its run folder: an
// apply that has to plan again uses one of its own for that. The error may be
// one of toolTrouble's.
func (b *Bot) spec(ctx context.Context, r *run.Run, folder string, kind tfrun.Kind, tree, data string) (tfrun.Spec, error) {
	tool, err := b.equip(ctx, r)
	if err != nil {
		return tfrun.Spec{}, err
	}
	s := tfrun.Spec{
		RunID: folder, Kind: kind, Binary: tool.Path, BinaryVersion: tool.Version,
		Root: tree, Dir: r.Project.Dir, Workspace: r.Project.Workspace,
		DataDir: filepath.Join(data, hash(r.Project.Key())),
		Env:     b.Terraform.env(r.Project),
		Options: r.Options, Operation: r.Operation, VarFiles: proposal.VarFiles(r.Project),
	}
	if b.Terraform.AllowHooks {
		s.Hooks = r.Project.Hooks
	}
	if kind == tfrun.KindPlan && r.Kind == run.Plan && r.Earlier != "" {
		earlier, err := b.Runs.Run(ctx, b.DB, r.Earlier)
		if err != nil {
			return tfrun.Spec{}, err
		}
		s.Standing = &tfrun.StateRef{Lineage: earlier.StateLineage, Serial: earlier.StateSerial}
	}
	if kind == tfrun.KindPlan {
		s.LockTimeout, s.ExpectedSteps = planLockTimeout, b.expected(ctx, *r)
	}
	b.workflow(ctx, &s, *r)
	return s, nil
}

// env returns the environment of a project's runs: what the server hands to
// all, and of what the repository asks for that which the server allows.
func (t Terraform) env(p planner.Project) map[string]string {
	out := maps.Clone(t.Env)
	for name, value := range p.Env {
		if slices.Contains(t.ProjectEnv, name) {
			if out == nil {
				out = map[string]string{}
			}
			out[name] = value
		}
	}
	return out
}

// planLockTimeout is how long Terraform itself waits for a state's lock: as
// long as a plan that was superseded may take to let go of it.
const planLockTimeout = "10s"

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:10])
}

// adoptable reports whether the folder's runner lives or has left a result.
func (b *Bot) adoptable(folder string) bool {
	st, err := b.Runner.State(folder)
	return err == nil && (st == runner.StateRunning || st == runner.StateFinished)
}

// errStopped says that the run was superseded or canceled while it ran.
var errStopped = errors.New("the run was stopped on purpose")

// glance is how often a running run's row is looked at, to see whether it is
// still wanted: another node may have superseded it. This one nudges.
const glance = time.Second

// follow waits for the folder's runner, records its progress, and stops it
// when its time is up or nobody wants it any more. It returns errStopped in
// the latter case, runner.ErrInterrupted when the runner died without a word.
func (b *Bot) follow(ctx context.Context, r run.Run, folder string, limit time.Duration) (tfrun.Result, error) {
	watch, done := context.WithCancel(ctx)
	stopped := make(chan string, 1)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		if why := b.watch(watch, r, limit); why != "" {
			stopped <- why
			if err := b.Runner.Stop(watch, folder); err != nil && watch.Err() == nil {
				b.Log.Error("run not stopped", keyRun, folder, "error", err)
			}
		}
	}()
	var told time.Time
	result, err := b.Runner.Wait(ctx, folder, func(p runner.Progress) {
		if now := b.Now(); now.Sub(told) >= time.Second {
			told = now
			b.progress(ctx, r, p)
		}
	})
	done()
	<-watching
	if ctx.Err() != nil {
		return result, ctx.Err()
	}
	select {
	case why := <-stopped:
		if why == unwanted {
			return result, errStopped
		}
		if err == nil && result.Outcome != tfrun.OutcomeApplied {
			result.Error = strings.TrimSpace(why + "\n\n" + result.Error)
		}
	default:
	}
	return result, err
}

const unwanted = "unwanted"

// watch returns why the run must be stopped, "" if it need not be.
func (b *Bot) watch(ctx context.Context, r run.Run, limit time.Duration) string {
	tick := time.NewTicker(b.glance)
	defer tick.Stop()
	nudged, done := b.nudges.listen()
	defer done()
	var late <-chan time.Time
	if limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		late = timer.C
	}
	for {
		select {
		case <-ctx.Done():
			return ""
		case <-late:
			return fmt.Sprintf("It took longer than %s and was stopped.", limit)
		case <-nudged:
		case <-tick.C:
		}
		wish, err := b.Runs.Wish(ctx, b.DB, r.ID)
		switch {
		case err != nil: // asked again soon
		case wish.Status == run.Superseded || wish.Status == run.Canceled:
			return unwanted
		case wish.Stop.Name != "":
			return stoppedBy(wish.Stop)
		case watches(r):
			if others, err := b.keepsOthers(ctx, r); err == nil && others {
				return unwanted // for now: see driftRun
			}
		}
	}
}

func stoppedBy(who access.Actor) string { return fmt.Sprintf("Stopped by @%s.", who.Name) }

// progress tells how far a run is.
func (b *Bot) progress(ctx context.Context, r run.Run, p runner.Progress) {
	b.present(ctx, r, p.Done, p.Total, run.Now{Text: b.Masker.String(p.Now()), Guess: p.Guess, Quiet: p.Quiet})
}

// readPlan reads what a plan run left in its folder, stores its files, and has
// it judged and priced. A plan that failed is an outcome too.
func (b *Bot) readPlan(ctx context.Context, r run.Run, folder string, result tfrun.Result) (*planOutcome, error) {
	out := &planOutcome{result: result, run: r}
	out.run.PeakMemory = result.PeakMemory
	var err error
	if result.Outcome == tfrun.OutcomeStands {
		earlier, err := b.Runs.Run(ctx, b.DB, r.Earlier)
		if err != nil {
			return nil, err
		}
		out.standing, out.run.Summary = &earlier, earlier.Summary
		return out, nil
	}
	if result.Outcome != tfrun.OutcomePlanned && result.Outcome != tfrun.OutcomeNoChange {
		if out.run.LogBlob, err = b.storeLog(ctx, r, folder, nil); err != nil {
			return nil, err
		}
		b.reader().Failed(&out.run, result)
		return out, nil
	}
	plan, err := proposal.ReadJSON(b.Runner.PlanJSONPath(folder))
	if err != nil {
		return nil, err
	}
	out.plan = plan
	out.run.Steps = result.Steps
	if r.Kind == run.Drift {
		return b.readDrift(ctx, out, folder)
	}
	if out.run.LogBlob, err = b.storeLog(ctx, r, folder, plan); err != nil {
		return nil, err
	}
	out.run.Resources = touched(plan)
	if out.run.PlanBlob, err = b.storeFile(ctx, r.Client, b.Runner.PlanPath(folder), "plan"); err != nil {
		return nil, err
	}
	if out.run.PlanJSONBlob, _, err = b.Blobs.Put(ctx, r.Client, "plan.json", bytes.NewReader(plan.Raw)); err != nil {
		return nil, err
	}
	facts, err := b.facts(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := b.reader().Read(ctx, &out.run, result, plan, facts); err != nil {
		return nil, err
	}
	b.settle(ctx, &out.run, result, plan, facts)
	return out, nil
}

// readDrift keeps what the world has and the state does not, as text. There is
// nothing to judge, to price or to apply in it.
func (b *Bot) readDrift(ctx context.Context, out *planOutcome, folder string) (_ *planOutcome, err error) {
	out.run.Summary, out.run.Diff = out.plan.DriftSummary(), b.reader().Text(out.plan)
	moved := *out.plan
	moved.Changes = out.plan.Drift()
	out.run.PlanDigest = moved.Digest() // of what has drifted: one drift is told from another by it
	out.run.LogBlob, err = b.storeLog(ctx, out.run, folder, out.plan)
	return out, err
}

// reader reads plans with what this server judges and prices by.
func (b *Bot) reader() proposal.Reader {
	return proposal.Reader{Policies: b.Policies, Estimator: b.Estimator, Terms: b.Terms, Masker: b.Masker, PublicURL: b.PublicURL}
}

func (b *Bot) storeFile(ctx context.Context, client, path, name string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("store %s: %w", name, err)
	}
	defer f.Close()
	ref, _, err := b.Blobs.Put(ctx, client, name, f)
	return ref, err
}

// storeLog keeps what Terraform printed, all of it, with the server's own
// secrets masked and, where there is a plan, every value that it marks as
// sensitive: a value that lost its mark on its way is printed by Terraform
// itself.
func (b *Bot) storeLog(ctx context.Context, r run.Run, folder string, plan *tfplan.Plan) (string, error) {
	f, err := os.Open(b.Runner.LogPath(folder))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("store log: %w", err)
	}
	defer f.Close()
	maskers := []*redact.Masker{b.Masker}
	if plan != nil {
		maskers = append(maskers, redact.NewMasker(plan.SensitiveValues()...))
	}
	ref, _, err := runlog.Store(ctx, b.Blobs, r.Client, f, maskers...)
	return ref, err
}

// reviewed reads the JSON of a plan that was stored; nil where there is none.
func (b *Bot) reviewed(ctx context.Context, r run.Run) (*tfplan.Plan, error) {
	if r.PlanJSONBlob == "" {
		return nil, nil
	}
	saved, err := b.Blobs.Get(ctx, r.Client, r.PlanJSONBlob)
	if err != nil {
		return nil, err
	}
	defer saved.Close()
	return tfplan.ParsePlan(saved)
}

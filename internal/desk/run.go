package desk

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/runner"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// planning is the making of the plans.
type planning struct {
	*desk
	tree   fs.FS
	runner *runner.Runner
	prefix string // of the runs' IDs: what outlives a run is found by its ID
	runs   []run.Run
	limit  chan struct{} // holds as many as may run
	news   chan news
}

// news is what a run's goroutine tells.
type news struct {
	at       int // index of the run
	run      run.Run
	progress tfrun.Progress
	ended    bool
}

// plan plans what was found, as many at once as may be, in the order that the
// bot keeps: what depends on others is planned once nothing of those is left to
// be applied.
func (d *desk) plan(ctx context.Context, tree fs.FS, found proposal.Found) (err error) {
	if len(found.Wanted) == 0 {
		return nil
	}
	var projects []planner.Project
	for _, w := range found.Wanted {
		projects = append(projects, w.Project)
	}
	layers, err := planner.Layers(projects)
	if err != nil {
		return d.unplannable(err)
	}
	p := &planning{desk: d, tree: tree, prefix: strings.ToLower(rand.Text()[:10]), limit: make(chan struct{}, max(d.Runs.Parallel, 1)), news: make(chan news)}
	for i, w := range found.Wanted {
		r := run.Run{
			ID: p.prefix + "-" + strconv.Itoa(i), Kind: run.Plan, Project: w.Project, Commit: w.Commit, Status: run.Queued, Order: i,
			InputsDigest: w.InputsDigest, Options: w.Options, Layer: layers[w.Project.Key()], Created: d.Now(),
		}
		if r.Layer > 0 {
			r.Status = run.Deferred
		}
		p.runs = append(p.runs, r)
	}
	d.notes(tree, projects)
	if err := p.lay(projects); err != nil {
		return err
	}
	if p.Runs.CLIConfig == "" {
		p.Runs.CLIConfig = filepath.Join(p.tmp, "terraform.rc")
		if err := os.WriteFile(p.Runs.CLIConfig, p.Runs.CLIText, 0o600); err != nil {
			return fmt.Errorf("write Terraform's configuration: %w", err)
		}
	}
	box := d.Runs.Sandbox
	for _, project := range projects {
		if file := d.stateElsewhere(tree, project); file != "" {
			box.Read = append(slices.Clip(box.Read), file)
		}
	}
	p.runner, err = runner.New(runner.Options{Dir: filepath.Join(p.tmp, runsFolder), Self: d.Runs.Self, Grace: d.Runs.Grace, Sandbox: box})
	if err != nil {
		return err
	}
	p.follow(ctx)
	if ctx.Err() != nil {
		p.cancelRest()
	}
	d.out.View.Pairs, d.out.View.Now = run.Pairs(p.runs), d.Now()
	return nil
}

// lay copies the tree: once for each workspace, since projects in one directory
// would be in each other's way.
func (p *planning) lay(projects []planner.Project) error {
	of := map[string][]planner.Project{}
	for _, project := range projects {
		of[project.Workspace] = append(of[project.Workspace], project)
	}
	for workspace, projects := range of {
		if err := copyTree(p.tree, projects, p.treeOf(workspace)); err != nil {
			return err
		}
		for _, project := range projects {
			if file := p.localState(p.tree, project); file != "" {
				to := filepath.Join(p.treeOf(workspace), filepath.FromSlash(file))
				if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
					return fmt.Errorf("copy the state: %w", err)
				}
				if err := copyFile(filepath.Join(p.work.Root, filepath.FromSlash(file)), to); err != nil {
					return fmt.Errorf("copy the state: %w", err)
				}
			}
		}
	}
	return nil
}

// treeOf is where the copy for a workspace lies. A workspace's name is a plain
// one: see planner.ValidWorkspace.
func (p *planning) treeOf(workspace string) string { return filepath.Join(p.tmp, "tree-"+workspace) }

// follow begins what can be begun until there is nothing more.
func (p *planning) follow(ctx context.Context) {
	under := 0
	for {
		pairs := run.Pairs(p.runs)
		for i := range p.runs {
			r := &p.runs[i]
			if r.Status == run.Deferred && len(run.WaitsFor(pairs, *r)) == 0 {
				r.Status = run.Queued
			}
			if r.Status != run.Queued || !r.Started.IsZero() || ctx.Err() != nil {
				continue
			}
			r.Started = p.Now()
			under++
			go p.one(ctx, i, *r)
		}
		if under == 0 {
			return
		}
		n := <-p.news
		p.runs[n.at] = n.run
		if p.Progress != nil {
			p.Progress(Event{Run: n.run, Progress: n.progress, Of: len(p.runs)})
		}
		if n.ended {
			under--
		}
	}
}

// cancelRest says of what was not begun, and won't be, that it was stopped.
func (p *planning) cancelRest() {
	for i := range p.runs {
		if r := &p.runs[i]; !r.Status.Finished() {
			r.Status, r.Error = run.Canceled, "It was stopped before it began."
		}
	}
}

// one plans one project and tells of it. It ends with news that it has ended.
func (p *planning) one(ctx context.Context, at int, r run.Run) {
	tell := func(progress tfrun.Progress, ended bool) { p.news <- news{at, r, progress, ended} }
	select {
	case p.limit <- struct{}{}:
		defer func() { <-p.limit }()
	case <-ctx.Done():
	}
	if ctx.Err() == nil {
		r.Status, r.Started = run.Running, p.Now()
		tell(tfrun.Progress{}, false)
		p.execute(ctx, &r, func(progress tfrun.Progress) {
			r.Done, r.Total = progress.Done, progress.Total
			tell(progress, false)
		})
	} else {
		r.Status, r.Error = run.Canceled, "It was stopped before it began."
	}
	r.Finished = p.Now()
	tell(tfrun.Progress{}, true)
}

// execute runs the project's Terraform and reads what it made.
func (p *planning) execute(ctx context.Context, r *run.Run, progress func(tfrun.Progress)) {
	result, err := p.terraform(ctx, *r, progress)
	if err == nil && result.Outcome == tfrun.OutcomeCanceled && ctx.Err() != nil {
		r.Status, r.Error = run.Canceled, result.Error
		return
	}
	r.Status = run.Failed
	switch {
	case errors.Is(err, runner.ErrInterrupted), err == nil && result.Killed:
		r.Error = "The process that planned was killed. Perhaps the machine has too little memory for it."
	case err != nil:
		r.Error = errs.Sentence(err)
		if errs.KindOf(err) == errs.Internal {
			r.Error = err.Error() // nobody else is there whose log would have it
		}
	case result.Outcome != tfrun.OutcomePlanned && result.Outcome != tfrun.OutcomeNoChange:
		p.Reader.Failed(r, result)
	default:
		err = p.read(ctx, r, result)
		if err == nil {
			r.Status = run.Planned
		} else {
			r.Error = err.Error()
		}
	}
	if err := p.keep(*r); err != nil {
		r.Status, r.Error = run.Failed, strings.TrimSpace(r.Error+"\n\n"+err.Error())
	}
}

func (p *planning) read(ctx context.Context, r *run.Run, result tfrun.Result) error {
	plan, err := proposal.ReadJSON(p.runner.PlanJSONPath(r.ID))
	if err != nil {
		return err
	}
	err = p.Reader.Read(ctx, r, result, plan, p.facts)
	if err == nil {
		base, done := p.baseTree(ctx, r.Estimate)
		defer done()
		p.Reader.Settle(r, plan, proposal.Evidence{Scans: result.Scans, Tree: p.tree, Base: base, Changed: p.out.Changed, NoHooks: !p.Runs.AllowHooks, Raise: p.Reader.Raise(ctx, r.Project, p.facts)})
	}
	return err
}

// baseTree is what the work tree is compared with, where there is advice to be
// held against it; nil without.
func (p *planning) baseTree(ctx context.Context, e *cost.Estimate) (fs.FS, func()) {
	sha := p.out.View.Change.BaseSHA
	if sha == "" || e == nil || len(e.Advice) == 0 {
		return nil, func() {}
	}
	tree, err := p.work.TreeFS(ctx, sha)
	if err != nil {
		return nil, func() {} // the plan counts without
	}
	return tree, func() { tree.Close() }
}

// terraform plans in a runner process. It stops it when ctx ends or its time is
// up, and returns once nothing of it runs.
func (p *planning) terraform(ctx context.Context, r run.Run, progress func(tfrun.Progress)) (tfrun.Result, error) {
	spec, err := p.spec(ctx, r)
	if err != nil {
		return tfrun.Result{}, err
	}
	if err := p.runner.Start(ctx, spec); err != nil {
		return tfrun.Result{}, err
	}
	watched, done := ctx, func() {}
	if p.Runs.Timeout > 0 {
		watched, done = context.WithTimeout(ctx, p.Runs.Timeout)
	}
	defer done()
	stopped := make(chan error, 1)
	unwatch := context.AfterFunc(watched, func() { stopped <- p.runner.Stop(context.WithoutCancel(ctx), r.ID) })
	result, err := p.runner.Wait(context.WithoutCancel(ctx), r.ID, progress)
	if !unwatch() {
		err = errors.Join(err, <-stopped)
		if ctx.Err() == nil {
			result.Outcome = tfrun.OutcomeFailed
			result.Error = strings.TrimSpace(fmt.Sprintf("It took longer than %s and was stopped.\n\n", p.Runs.Timeout) + result.Error)
		}
	}
	return result, err
}

// spec is what the runner of r may know.
func (p *planning) spec(ctx context.Context, r run.Run) (tfrun.Spec, error) {
	binary, version, err := p.Runs.Tool(ctx, r.Project.Tool)
	if err != nil {
		return tfrun.Spec{}, err
	}
	s := tfrun.Spec{
		RunID: r.ID, Kind: tfrun.KindPlan, Binary: binary, BinaryVersion: version,
		Root: p.treeOf(r.Project.Workspace), Dir: r.Project.Dir, Workspace: r.Project.Workspace,
		Env: p.env(r.Project), CLIConfig: p.Runs.CLIConfig, Desk: &tfrun.Desk{Home: p.Runs.Home},
		Options: r.Options, VarFiles: proposal.VarFiles(r.Project), LockTimeout: lockTimeout,
	}
	// To lock a file Terraform opens it to be written, and makes it where it is
	// not there; a desk's is a copy, or not to be written.
	s.Desk.NoLock = p.Runs.NoLock || r.Project.Backend == "local"
	if p.Runs.AllowHooks {
		s.Hooks = r.Project.Hooks
	}
	if r.Project.Backend == "" {
		s.ManagedBackend = filepath.Join(p.tmp, "s", r.ID, "terraform.tfstate")
		if err := p.copyState(r.Project, tfrun.ManagedState(s.ManagedBackend, r.Project.Workspace)); err != nil {
			return s, err
		}
	}
	p.workflow(ctx, &s, r)
	return s, nil
}

// localState returns the file, relative to the work tree, in which a project
// with a local backend keeps its state; "" where it has another backend, where
// the file is not there, out of the work tree or committed.
func (d *desk) localState(tree fs.FS, p planner.Project) string {
	if p.Backend != "local" {
		return ""
	}
	b, err := planner.BackendIn(tree, p.Dir)
	if err != nil || filepath.IsAbs(b.Path) {
		return ""
	}
	file := path.Join(p.Dir, cmp.Or(filepath.ToSlash(b.Path), "terraform.tfstate"))
	if p.Workspace != planner.DefaultWorkspace {
		file = path.Join(p.Dir, "terraform.tfstate.d", p.Workspace, "terraform.tfstate")
	}
	if !fs.ValidPath(file) {
		return ""
	}
	if _, err := fs.Lstat(tree, file); err == nil {
		return ""
	}
	if info, err := os.Lstat(filepath.Join(d.work.Root, filepath.FromSlash(file))); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return file
}

// stateElsewhere returns the absolute path at which a project's local backend
// keeps its state; "" where it has none. It is only read.
func (d *desk) stateElsewhere(tree fs.FS, p planner.Project) string {
	if p.Backend != "local" {
		return ""
	}
	b, err := planner.BackendIn(tree, p.Dir)
	if err != nil || !filepath.IsAbs(b.Path) {
		return ""
	}
	return b.Path
}

// lockTimeout is how long Terraform waits for a state's lock.
const lockTimeout = "10s"

// copyState copies the state that lies beside the code, so that nothing is
// ever written to that.
func (p *planning) copyState(project planner.Project, to string) error {
	from := p.ownState(project)
	if from == "" || project.CommittedState { // which is refused
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("copy the state: %w", err)
	}
	return copyFile(from, to)
}

// env returns the environment of a project's run: the person's, and of what the
// repository asks for that which is allowed.
func (p *planning) env(project planner.Project) map[string]string {
	out := maps.Clone(p.Runs.Env)
	for name, value := range project.Env {
		if slices.Contains(p.Runs.ProjectEnv, name) {
			out[name] = value
		}
	}
	return out
}

// notes say what differs between this desk and the bot.
func (d *desk) notes(tree fs.FS, projects []planner.Project) {
	note := func(format string, args ...any) { d.out.Notes = append(d.out.Notes, fmt.Sprintf(format, args...)) }
	for _, p := range projects {
		if p.Backend == "" && !p.CommittedState {
			if file := d.ownState(p); file != "" {
				note("%s declares no backend. It is planned with a copy of %s, where the bot keeps a state of its own.", p.Name, filepath.Base(file))
			} else {
				note("%s declares no backend, and no state lies beside its code: all of it is planned as new. The bot keeps its state.", p.Name)
			}
		}
		if file := d.localState(tree, p); file != "" {
			note("%s keeps its state in a file. It is planned with a copy of %s.", p.Name, file)
		}
		if ignored := ignoredInputs(tree, d.work.Root, p); len(ignored) > 0 {
			note("Git ignores %s, so neither this plan nor the bot's has it.", strings.Join(ignored, ", "))
		}
		for _, name := range slices.Sorted(maps.Keys(p.Secrets.Of(planner.PhasePlan))) {
			if _, ok := d.Runs.Env[name]; !ok {
				note("%s asks for the secret %s as %s, which only the server has. Set that variable to plan here.", p.Name, p.Secrets.Of(planner.PhasePlan)[name], name)
			}
		}
		if len(p.Hooks) > 0 && !d.Runs.AllowHooks {
			note("The hooks of %s are not run; --hooks allows them.", p.Name)
		}
	}
}

// keep copies what a run left to the folder that was asked for.
func (p *planning) keep(r run.Run) error {
	if p.Out == "" {
		return nil
	}
	dir := p.OutDir(r.Project)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keep the plan: %w", err)
	}
	for _, f := range []struct{ from, name string }{
		{p.runner.PlanPath(r.ID), "plan"}, {p.runner.PlanJSONPath(r.ID), "plan.json"}, {p.runner.LogPath(r.ID), "log.txt"},
	} {
		if err := copyFile(f.from, filepath.Join(dir, f.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("keep the plan: %w", err)
		}
	}
	return nil
}

// OutDir is the folder in which a project's plan is kept, of the form
// live~net~default: a workspace has no ~, so that no two share one.
func (o Options) OutDir(p planner.Project) string {
	dir := p.Dir
	if dir == "." {
		dir = ""
	}
	return filepath.Join(o.Out, strings.NewReplacer("%", "%25", "~", "%7E", "/", "~").Replace(dir)+"~"+p.Workspace)
}

// copyFile copies a file's content to a file that only this user can read.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return err
}

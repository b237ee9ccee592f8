package tfrun

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// RunVariable is set to the run's ID in the environment of everything that a
// run starts: what outlives the run is found by it.
const RunVariable = "TIDELOCK_RUN"

// maxTmp is the longest TMPDIR, in bytes, in which providers can make their
// sockets: a socket's whole path may have 108.
const maxTmp = 60

// DefaultGrace is how long Terraform may take to end after it was interrupted.
const DefaultGrace = 2 * time.Minute

// stateName is what Terraform's local backend calls a state.
const stateName = "terraform.tfstate"

// ManagedState returns the path at which a managed backend keeps the state of
// a workspace: path itself for the default one.
func ManagedState(path, workspace string) string {
	if workspace == "" || workspace == planner.DefaultWorkspace {
		return path
	}
	return filepath.Join(path+".d", workspace, stateName)
}

// Execute does what spec says: it runs Terraform, and so other people's code,
// with an environment built from nothing. Only the runner process may call
// it. What goes wrong is told in the Result, never by panic. When ctx ends,
// Terraform is interrupted and has spec.Grace to end by itself. progress and
// log are called from one goroutine at a time; log gets what Terraform says,
// as text, with values that may have to be masked.
func Execute(ctx context.Context, spec Spec, progress func(Progress), log io.Writer) Result {
	e := &execution{spec: spec, progress: progress, result: Result{Outcome: OutcomeFailed}}
	e.out = newOutput(spec, log)
	e.hideGiven()
	release, err := e.ownData(ctx)
	if err == nil {
		inner, done := e.stoppable(ctx)
		err = e.run(inner)
		e.finish(ctx, err)
		e.lookAfter(inner)
		done()
		cleanErr := e.cleanUp()
		release(!killed(err))
		if err != nil || cleanErr == nil {
			return e.result
		}
		err = cleanErr
	}
	e.finish(ctx, err)
	return e.result
}

// execution is one call of Execute.
type execution struct {
	spec      Spec
	dir       string // where Terraform is started, absolute: the project's directory
	home      string // where hooks run, relative to the repository's root
	tf        *tfexec.Terraform
	asked     *tfexec.Terraform // the client that knows its version
	env       map[string]string // of all that is started
	given     map[string]string // the same, as the wrapper is given it
	out       *output
	progress  func(Progress)
	applying  *tracker // of an apply, nil before
	result    Result
	override  bool   // our backend file stands in the work tree
	reads     bool   // and our file of states that are read
	wrapper   string // what is started in place of the binary
	tmp       string // TMPDIR: nobody else may enter it
	removeTmp bool
	step      string
	unit      unit        // of Terragrunt's
	secrets   []string    // values that are masked in whatever leaves the run
	inputs    string      // of init; "" where it can't be told, or may not be left out
	kept      *initRecord // of the init that need not be repeated; nil where it must be
	emptied   bool        // the data directory must be emptied before init
}

func (e *execution) run(ctx context.Context) error {
	if err := e.prepare(ctx); err != nil {
		return err
	}
	if err := e.hideReads(); err != nil {
		return err
	}
	for _, note := range e.spec.Notes {
		e.out.say(note + "\n")
	}
	release, err := e.ownSource(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := e.beforeInit(ctx); err != nil {
		return err
	}
	if err := e.endLeft(); err != nil { // before the data directory is looked at
		return err
	}
	if err := e.generated(); err != nil {
		return err
	}
	if err := e.beRepository(); err != nil {
		return err
	}
	if err := e.settle(); err != nil {
		return err
	}
	if e.kept == nil {
		if err := e.init(ctx); err != nil {
			return e.unitFailed(ctx, err)
		}
	} else if err := e.checkBackend(); err != nil {
		return err
	}
	if err := e.findUnit(); err != nil {
		return err
	}
	if err := e.hooks(ctx, planner.AfterInit); err != nil {
		return err
	}
	switch e.spec.Kind {
	case KindPlan:
		if e.stands(ctx) {
			e.result.Outcome = OutcomeStands
			return nil
		}
		err := e.plan(ctx)
		if err != nil && e.kept != nil && ctx.Err() == nil && e.wantsInit(err) {
			return e.planAfresh(ctx)
		}
		return err
	case KindApply:
		return e.apply(ctx)
	case KindState:
		return e.operate(ctx)
	}
	return errs.New(errs.Internal, "A run of kind %q is not known.", e.spec.Kind)
}

// terraform makes the client of the binary, with the environment of all that
// it starts.
func (e *execution) terraform(ctx context.Context) error {
	s := e.spec
	env := map[string]string{
		"PATH":                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LANG":                "C.UTF-8",
		"GIT_TERMINAL_PROMPT": "0",
	}
	maps.Copy(env, tuning(s.MemoryLimit))
	for k, v := range s.Env {
		if !s.takes(k) {
			return fmt.Errorf("run %s: the variable %s in its spec is Terraform's, and not for a spec to set", s.RunID, k)
		}
		env[k] = v
	}
	maps.Copy(env, map[string]string{
		"HOME": s.userHome(), "TMPDIR": e.tmp,
		"TF_DATA_DIR": s.DataDir, "TF_CLI_CONFIG_FILE": s.CLIConfig, "CHECKPOINT_DISABLE": "1",
		RunVariable: s.RunID,
	})
	units, err := e.unitEnv()
	if err != nil {
		return err
	}
	maps.Copy(env, units)
	e.env = env
	if err := e.equip(); err != nil {
		return err
	}
	if e.result.TerraformVersion = s.BinaryVersion; e.result.TerraformVersion == "" {
		e.step = "version"
		err := e.confined(false, func() error {
			v, _, err := e.tf.Version(ctx, false)
			if err == nil {
				e.result.TerraformVersion = v.String()
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// init prepares the data directory: backend, modules, providers, workspace.
func (e *execution) init(ctx context.Context) error {
	e.step = "init"
	e.tell(Progress{})
	lock := filepath.Join(e.dir, lockName)
	before, _ := os.ReadFile(lock)
	opts := []tfexec.InitOption{tfexec.Reconfigure(true)} // never ask to move a state from elsewhere
	var err error
	if atLeast(e.result.TerraformVersion, 1, 9) {
		err = e.confined(true, func() error { return e.tf.InitJSON(ctx, e.out, opts...) })
	} else {
		e.tf.SetStdout(e.out)
		err = e.confined(true, func() error { return e.tf.Init(ctx, opts...) })
	}
	if err != nil {
		return err
	}
	after, _ := os.ReadFile(lock)
	e.result.LockFileChanged = e.result.LockFileChanged || !bytes.Equal(before, after)
	if err := e.checkBackend(); err != nil {
		return err
	}
	if err := e.selectWorkspace(ctx); err != nil {
		return err
	}
	return e.keepInit()
}

// selectWorkspace makes the workspace where the backend has none of the name.
// init then chooses another one without a word.
func (e *execution) selectWorkspace(ctx context.Context) error {
	chosen := func() bool {
		b, err := os.ReadFile(filepath.Join(e.spec.DataDir, "environment"))
		name := strings.TrimSpace(string(b))
		return err == nil && name == e.spec.Workspace || errors.Is(err, os.ErrNotExist) && e.spec.Workspace == planner.DefaultWorkspace
	}
	if chosen() {
		return nil
	}
	e.step = "workspace"
	e.tf.SetStdout(e.out)
	err := e.confined(true, func() error { return e.tf.WorkspaceNew(ctx, e.spec.Workspace) })
	if err != nil && ctx.Err() == nil { // somebody else may have made it meanwhile
		if serr := e.confined(true, func() error { return e.tf.WorkspaceSelect(ctx, e.spec.Workspace) }); serr == nil {
			err = nil
		}
	}
	if err != nil {
		return err
	}
	if !chosen() {
		return errs.New(errs.Invalid, "The workspace %s can't be selected in the project's backend.", e.spec.Workspace)
	}
	return nil
}

func (e *execution) plan(ctx context.Context) error {
	e.step = "plan"
	s := e.spec
	files, err := e.varFiles()
	if err != nil {
		return err
	}
	opts := []tfexec.PlanOption{tfexec.Out(s.PlanFile), tfexec.Refresh(!s.Options.NoRefresh), tfexec.RefreshOnly(s.Options.RefreshOnly), tfexec.Destroy(s.Options.Destroy)}
	for _, f := range files {
		opts = append(opts, tfexec.VarFile(f))
	}
	for _, v := range s.Options.Vars {
		opts = append(opts, tfexec.Var(v))
	}
	for _, a := range s.Options.Targets {
		opts = append(opts, tfexec.Target(a))
	}
	for _, a := range s.Options.Replace {
		opts = append(opts, tfexec.Replace(a))
	}
	release, shared, err := e.shareState()
	if err != nil {
		return err
	}
	defer release()
	switch {
	case shared, s.Desk != nil && s.Desk.NoLock,
		s.Options.RefreshOnly && s.ManagedBackend == "": // it writes nothing, and must keep nobody from the state
		opts = append(opts, tfexec.Lock(false))
	case s.LockTimeout != "":
		opts = append(opts, tfexec.LockTimeout(s.LockTimeout))
	}
	if s.Options.Parallelism > 0 {
		opts = append(opts, tfexec.Parallelism(s.Options.Parallelism))
	}
	planning := &tracker{planning: true, guess: s.ExpectedSteps}
	e.out.event = func(ev event) {
		if planning.take(ev) {
			e.tell(planning.progress())
		}
	}
	e.tell(planning.progress())
	discard, err := e.layPlanFile()
	if err != nil {
		return err
	}
	// A plan that needs no lock of Terraform's writes nothing beside the
	// state: whoever may only plan can't spoil it.
	a := e.access()
	a.Write = append(a.Write, s.PlanFile)
	if s.ManagedBackend != "" && shared {
		a.Read = append(a.Read, s.stateDir())
	} else if s.ManagedBackend != "" {
		a.Write = append(a.Write, s.stateDir())
	}
	err = e.confinedTo(a, func() error {
		_, err := e.tf.PlanJSON(ctx, e.out, opts...)
		return err
	})
	discard()
	e.out.event = nil
	e.result.Steps = planning.steps
	release()
	if err != nil {
		return err
	}
	// What is shown must be what is applied: from here on nobody writes there.
	if err := e.endLeft(); err != nil {
		return err
	}
	e.step = "show"
	e.tell(Progress{Done: planning.steps, Total: planning.steps})
	if err := os.Chmod(s.PlanFile, 0o600); err != nil {
		return fmt.Errorf("keep the plan: %w", err)
	}
	var text bytes.Buffer
	e.tf.SetStdout(&text)
	err = e.confined(false, func() error {
		_, err := e.tf.ShowPlanFile(ctx, s.PlanFile)
		return err
	})
	if err != nil {
		return err
	}
	plan, err := tfplan.ParsePlan(bytes.NewReader(text.Bytes()))
	if err != nil {
		return err
	}
	if s.PlanJSON != "" {
		kept, err := e.maskedJSON(plan.Raw)
		if err != nil {
			return fmt.Errorf("mask the plan's JSON: %w", err)
		}
		if err := os.WriteFile(s.PlanJSON, bytes.TrimSpace(kept), 0o600); err != nil {
			return fmt.Errorf("keep the plan's JSON: %w", err)
		}
	}
	if e.result.StateLineage, e.result.StateSerial, err = planState(s.PlanFile); err != nil {
		return err
	}
	e.result.Summary = plan.Summary()
	if s.Options.RefreshOnly {
		e.result.Summary = plan.DriftSummary()
	}
	e.result.PlanDigest = plan.Digest()
	if err := e.afterPlan(ctx); err != nil {
		return err
	}
	e.result.Outcome = OutcomePlanned
	if e.result.Summary.Empty() {
		e.result.Outcome = OutcomeNoChange
	}
	return nil
}

// varFiles returns the project's variable files as Terraform is to be given
// them.
func (e *execution) varFiles() ([]string, error) {
	var out []string
	for _, f := range e.spec.VarFiles {
		if _, err := planner.InRepo(e.spec.Dir, f); err != nil {
			return nil, errs.New(errs.Invalid, "The variable file %q %s.", f, err)
		}
		if f = filepath.FromSlash(f); e.spec.Terragrunt != nil { // which runs Terraform elsewhere
			f = filepath.Join(e.dir, f)
		}
		out = append(out, f)
	}
	return out, nil
}

// tell reports progress.
func (e *execution) tell(p Progress) {
	if e.progress != nil {
		p.Address = e.out.mask.String(p.Address)
		p.Step = e.step
		e.progress(p)
	}
}

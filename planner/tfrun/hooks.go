package tfrun

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// beforeHooks are those that run first, before those of before_init.
var beforeHooks = map[Kind]string{KindPlan: planner.BeforePlan, KindApply: planner.BeforeApply, KindState: planner.BeforePlan}

// phase is what hooks and secrets call what the run does.
func (k Kind) phase() string {
	if k == KindApply {
		return planner.PhaseApply
	}
	return planner.PhasePlan
}

// beforeInit runs the hooks that may write the code that Terraform is started
// on.
func (e *execution) beforeInit(ctx context.Context) error {
	if err := e.hooks(ctx, beforeHooks[e.spec.Kind]); err != nil {
		return err
	}
	return e.hooks(ctx, planner.BeforeInit)
}

// hooks runs those of one moment, in their order, up to the first that fails.
func (e *execution) hooks(ctx context.Context, when string) error {
	for i, h := range e.spec.Hooks {
		if !h.At(when, e.spec.Kind.phase()) || h.Scans() && e.spec.Kind != KindPlan {
			continue
		}
		if err := e.hook(ctx, i, h); err != nil {
			return err
		}
	}
	return nil
}

// afterPlan runs the hooks after a plan. They may look at it, not change it:
// what is shown must be what is applied.
func (e *execution) afterPlan(ctx context.Context) error {
	sums := func() (string, error) {
		var out []byte
		for _, path := range []string{e.spec.PlanFile, e.spec.PlanJSON} {
			if path == "" {
				continue
			}
			f, err := os.Open(path)
			if err != nil {
				return "", err
			}
			h := sha256.New()
			_, err = io.Copy(h, f)
			f.Close()
			if err != nil {
				return "", err
			}
			out = h.Sum(out)
		}
		return string(out), nil
	}
	var before string
	for i, h := range e.spec.Hooks {
		if h.When != planner.AfterPlan {
			continue
		}
		var err error
		if before == "" {
			if before, err = sums(); err != nil {
				return fmt.Errorf("read the plan: %w", err)
			}
		}
		if err := e.hook(ctx, i, h); err != nil {
			return err
		}
		if after, err := sums(); err != nil || after != before {
			return errs.New(errs.Invalid, "The hook at after_plan, %s, changed the saved plan. It may only read it.", h.String())
		}
	}
	return nil
}

// hookWarning says that a hook failed when the apply was done.
func (e *execution) hookWarning(ctx context.Context, err error) string {
	const applied = "The plan was applied all the same."
	var known *errs.Error
	switch {
	case ctx.Err() != nil:
		return "The hooks at after_apply were stopped before they were done. " + applied
	case errors.As(err, &known):
		return errs.Sentence(err) + "\n\n" + applied
	}
	return "The hooks at after_apply could not run: " + e.out.clean(err.Error()) + ". " + applied
}

// hookDrain is how long a hook's output is read when it has ended, in case
// that something it left behind holds it open.
const hookDrain = time.Second

// hook runs one hook to its end. Its program and arguments are handed over as
// they are: there is no shell. When ctx ends, or its own time is up, it is
// interrupted, and killed when the grace is over; what it started ends with it.
// at is its place among the spec's hooks.
func (e *execution) hook(ctx context.Context, at int, h planner.Hook) error {
	if err := h.Check(); err != nil {
		return err
	}
	name := "The hook at " + h.When + ", " + h.String() + ","
	program, err := e.program(h.Run[0])
	if err != nil {
		return errs.Wrap(errs.Invalid, err, "%s can't be run: %s.", name, err)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := e.beforeScan(h, name); err != nil {
		return err
	}
	e.out.say("\nHook at " + h.When + ": " + h.String())
	limited := ctx
	if h.Timeout > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, h.Timeout)
		defer cancel()
	}
	cmd := exec.CommandContext(limited, program, h.Run[1:]...)
	cmd.Dir = filepath.Join(e.spec.Root, filepath.FromSlash(e.home))
	for k, v := range e.hookEnv(h.When) {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return interrupt(cmd.Process.Pid) }
	cmd.WaitDelay = e.spec.Grace
	if e.spec.Limits != (Limits{}) { // the program and its arguments stay arguments
		cmd.Path, cmd.Args = shell, append([]string{shell, "-c", e.spec.Limits.script() + "exec \"$0\" \"$@\"", program}, h.Run[1:]...)
	}
	said := &hookOutput{out: e.out}
	var given hookValue
	stdout := io.Writer(said)
	var printed scanOutput
	switch {
	case h.Gives():
		stdout = &given
	case h.SARIF == planner.ScanOutput:
		stdout = &printed
	}
	err = e.attend(cmd, program, stdout, said)
	said.flush()
	var exit *exec.ExitError
	switch {
	case h.Scans() && limited.Err() == nil && (err == nil || errors.As(err, &exit) && slices.Contains(h.FindingsExit, exit.ExitCode())):
		return e.afterScan(at, h, &printed)
	case err == nil && h.Gives():
		return e.take(h, name, &given)
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		return errs.New(errs.Invalid, "%s took longer than %s and was stopped.%s", name, h.Timeout, e.lastWords(said))
	case errors.As(err, &exit):
		return errs.Wrap(errs.Invalid, err, "%s failed: %s.%s", name, exit, e.lastWords(said))
	}
	return errs.Wrap(errs.Invalid, err, "%s can't be run: %s.", name, e.out.clean(err.Error()))
}

// lastWords quotes the end of what a hook said, for an error.
func (e *execution) lastWords(said *hookOutput) string {
	last := strings.TrimSpace(string(said.last))
	if last == "" {
		return ""
	}
	return " It said:\n\n" + e.out.clean(tail(last, maxHookTail))
}

// attend starts a hook's command and sees it to its end, with its output read
// and nothing of it left behind.
func (e *execution) attend(cmd *exec.Cmd, program string, stdout, stderr io.Writer) error {
	readers, closeWriters, err := e.pipes(cmd, stdout, stderr)
	if err != nil {
		return fmt.Errorf("run a hook: %w", err)
	}
	a := e.access()
	a.Read = append(a.Read, program, e.spec.PlanJSON)
	err = e.confinedTo(a, cmd.Start)
	closeWriters()
	if err == nil {
		// While it is not collected yet, nobody else can have its number: what
		// it left in its group ends with it.
		for errors.Is(unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		err = cmd.Wait()
	}
	drain := time.Now().Add(hookDrain)
	for _, r := range readers {
		select {
		case <-r.done:
		case <-time.After(time.Until(drain)):
		}
		r.pipe.Close()
		<-r.done
	}
	return err
}

// hookReader reads one of a hook's outputs until nobody holds it any more, or
// it is closed.
type hookReader struct {
	pipe *os.File
	done chan struct{}
}

// pipes connects a command's outputs: to one pipe where both go to the same
// writer, so that their lines keep their order.
func (e *execution) pipes(cmd *exec.Cmd, stdout, stderr io.Writer) (readers []hookReader, closeWriters func(), err error) {
	var writers []*os.File
	closeWriters = func() {
		for _, w := range writers {
			w.Close()
		}
	}
	open := func(to io.Writer) (*os.File, error) {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		writers = append(writers, w)
		read := hookReader{r, make(chan struct{})}
		readers = append(readers, read)
		go func() { // ends with attend
			defer close(read.done)
			_, _ = io.Copy(to, r)
		}()
		return w, nil
	}
	w, err := open(stderr)
	if err != nil {
		return nil, closeWriters, err
	}
	cmd.Stdout, cmd.Stderr = w, w
	if stdout != stderr {
		if w, err = open(stdout); err != nil {
			closeWriters()
			<-readers[0].done
			readers[0].pipe.Close()
			return nil, closeWriters, err
		}
		cmd.Stdout = w
	}
	return readers, closeWriters, nil
}

// hookEnv is the environment of a hook.
func (e *execution) hookEnv(when string) map[string]string {
	env := maps.Clone(e.env)
	maps.Copy(env, map[string]string{"TIDELOCK_DIR": e.home, "TIDELOCK_WORKSPACE": e.spec.Workspace, "TF_IN_AUTOMATION": "1"})
	if e.spec.Kind == KindApply || when == planner.AfterPlan {
		env["PLANFILE"] = e.spec.PlanFile
		if _, err := os.Stat(e.spec.PlanJSON); err == nil {
			env["SHOWFILE"] = e.spec.PlanJSON
		}
	}
	return env
}

// program finds a hook's program. Errors are clauses.
func (e *execution) program(name string) (string, error) {
	switch {
	case filepath.IsAbs(name):
		return name, nil
	case !strings.Contains(name, "/"):
		for _, dir := range filepath.SplitList(e.env["PATH"]) {
			path := filepath.Join(dir, name)
			if info, err := os.Stat(path); filepath.IsAbs(dir) && err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return path, nil
			}
		}
		return "", errors.New("there is no such program on the runs' PATH; one of the repository is written with a path, as ./" + filepath.Base(name))
	}
	rel, err := planner.InRepo(e.home, name)
	if err != nil {
		return "", fmt.Errorf("its path %s", err)
	}
	root, err := os.OpenRoot(e.spec.Root)
	if err != nil {
		return "", err
	}
	defer root.Close()
	info, err := root.Stat(filepath.FromSlash(rel)) // no link leads out of it
	switch {
	case err != nil:
		return "", errors.New("there is no such file in the repository, or it leads out of it")
	case !info.Mode().IsRegular():
		return "", errors.New("it is no file")
	case info.Mode()&0o111 == 0:
		return "", errors.New("the file is not executable")
	}
	return filepath.Join(e.spec.Root, filepath.FromSlash(rel)), nil
}

// maxHookTail is how much of its output an error quotes, in bytes, and
// maxHookLine how much of a line is logged.
const (
	maxHookTail = 2000
	maxHookLine = 64 << 10
)

// hookOutput writes what a hook says to the log as text: a line that looks
// like an event of Terraform's is none.
type hookOutput struct {
	out     *output
	line    bytes.Buffer
	skipped int    // bytes of the line that are over its bound
	last    []byte // the end of it all
}

func (h *hookOutput) Write(p []byte) (int, error) {
	h.last = append(h.last, p...)
	if len(h.last) > 2*maxHookTail {
		h.last = bytes.Clone(h.last[len(h.last)-maxHookTail-1:])
	}
	for rest := p; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		fits := min(len(line), max(0, maxHookLine-h.line.Len()))
		h.line.Write(line[:fits])
		h.skipped += len(line) - fits
		if whole {
			h.flush()
		}
		rest = after
	}
	return len(p), nil
}

func (h *hookOutput) flush() {
	if h.line.Len() > 0 {
		h.out.say(h.line.String() + cutMark(h.skipped))
		h.line.Reset()
		h.skipped = 0
	}
}

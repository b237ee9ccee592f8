package infracost

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// call is one start of the program.
type call struct {
	folder  string // its working directory, empty but for what it reads
	args    []string
	env     []string
	secrets []string // what must not be shown of what it says
}

// drain is how long output is read when the program has ended, in case that
// something it left behind holds it open.
const drain = time.Second

// run runs the program to its end and returns what it printed. When ctx ends,
// its time is up or it prints too much, it is killed; what it started ends
// with it however it ends.
func (e *Engine) run(ctx context.Context, c call) ([]byte, error) {
	program, err := exec.LookPath(e.name())
	if err != nil {
		return nil, errs.Wrap(errs.NotFound, err, "The program infracost is not there, which cost.engine = \"infracost\" needs. Install Infracost 0.10, or name where it is in cost.infracost_path.")
	}
	if program, err = filepath.Abs(program); err != nil {
		return nil, fmt.Errorf("find infracost: %w", err)
	}
	secrets := c.secrets
	env := append(e.environment(c.folder), c.env...)
	if e.Key != nil {
		key, err := e.Key(ctx)
		if err != nil {
			return nil, err
		}
		env, secrets = append(env, "INFRACOST_API_KEY="+key.Reveal()), append([]string{key.Reveal()}, secrets...)
	}
	limit := cmp.Or(e.Timeout, DefaultTimeout)
	timed, stop := context.WithTimeout(ctx, limit)
	defer stop()
	cmd := exec.CommandContext(timed, program, c.args...)
	cmd.Dir, cmd.Env = c.folder, env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = drain
	stdout, stderr := &bounded{most: maxPrinted, over: stop}, &bounded{most: maxSaid}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = cmd.Start()
	if err == nil {
		// While it is not collected yet, nobody else can have its number: what
		// it left in its group ends with it.
		for errors.Is(unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		err = cmd.Wait()
	}
	var exit *exec.ExitError
	text := ""
	if s := said(stderr.String(), c.folder, redact.NewMasker(secrets...)); s != "" {
		text = " It said: " + s
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case stdout.full:
		return nil, errs.New(errs.TooLarge, "Infracost printed more than %d MB.", maxPrinted>>20)
	case timed.Err() != nil:
		return nil, errs.New(errs.Unavailable, "Infracost took longer than %s and was stopped.%s", limit, text)
	case errors.As(err, &exit):
		return nil, errs.New(errs.Unavailable, "Infracost failed (%s).%s", exit, text)
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return nil, errs.Wrap(errs.Unavailable, err, "Infracost could not be run.")
	}
	return stdout.Bytes(), nil
}

// environment is what the program gets, but for its key. It is told to upload
// nothing; beside the questions for prices it sends one event of each run to
// the pricing service, which nothing turns off.
func (e *Engine) environment(folder string) []string {
	env := append([]string{}, e.Env...)
	env = append(env,
		"PATH=/usr/local/bin:/usr/bin:/bin", "HOME="+cmp.Or(e.Home, folder), "TMPDIR="+folder, "LANG=C.UTF-8",
		"INFRACOST_SKIP_UPDATE_CHECK=true", "INFRACOST_DISABLE_ENVFILE=true", "INFRACOST_NO_COLOR=true",
		"INFRACOST_ENABLE_CLOUD=false", "INFRACOST_ENABLE_CLOUD_UPLOAD=false", "INFRACOST_ENABLE_DASHBOARD=false",
	)
	if e.Endpoint != "" {
		env = append(env, "INFRACOST_PRICING_API_ENDPOINT="+e.Endpoint)
	}
	return env
}

// bounded keeps the beginning of what is written to it.
type bounded struct {
	bytes.Buffer
	most int
	over func() // called when there is more; nil where that is no matter
	full bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := b.most - b.Len(); len(p) > room {
		b.Buffer.Write(p[:room])
		b.full = true
		if b.over != nil {
			b.over()
		}
		return len(p), nil
	}
	return b.Buffer.Write(p)
}

package tfrun

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tidelock/tidelock/planner"
)

// StateHead returns the lineage and serial of a state file, fs.ErrNotExist where
// there is none. It reads no more of the file than that takes: Terraform writes
// both at its beginning.
func StateHead(path string) (lineage string, serial int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	if lineage, serial, err = ReadStateHead(f); err != nil {
		return "", 0, fmt.Errorf("read the state %s: %w", path, err)
	}
	return lineage, serial, nil
}

// ReadStateHead is StateHead of a state that is read from r.
func ReadStateHead(r io.Reader) (lineage string, serial int64, err error) {
	dec := json.NewDecoder(r)
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return "", 0, errors.New("it is no object of JSON")
	}
	found := 0
	for found < 2 && dec.More() {
		key, err := dec.Token()
		if err != nil {
			return "", 0, err
		}
		switch key {
		case "lineage":
			found++
			err = dec.Decode(&lineage)
		case "serial":
			found++
			err = dec.Decode(&serial)
		default:
			var skipped json.RawMessage
			err = dec.Decode(&skipped)
		}
		if err != nil {
			return "", 0, err
		}
	}
	if found < 2 {
		return "", 0, errors.New("it has no lineage or no serial")
	}
	return lineage, serial, nil
}

// headRoom is how much is kept of what a command prints of which only the
// beginning counts, in bytes: Terraform writes lineage and serial of a state
// within its first 200.
const headRoom = 64 << 10

// head keeps the beginning of what is written to it, and takes the rest.
type head struct{ kept []byte }

func (h *head) Write(p []byte) (int, error) {
	h.kept = append(h.kept, p[:min(len(p), headRoom-len(h.kept))]...)
	return len(p), nil
}

// pullState returns what the state is now; the zero value while there is none.
// A state may have 100 MB, and terraform-exec would hold all of it several
// times: so the command is started here, as terraform-exec starts its own.
func (e *execution) pullState(ctx context.Context) (stateHead, error) {
	var out, said head
	cmd := exec.CommandContext(ctx, e.wrapper, "state", "pull")
	cmd.Dir, cmd.Stdout, cmd.Stderr = e.dir, &out, &said
	cmd.Env = []string{"TF_IN_AUTOMATION=1"}
	for name, value := range e.given {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return interrupt(cmd.Process.Pid) }
	cmd.WaitDelay = e.spec.Grace
	if err := e.confined(true, cmd.Run); err != nil {
		return stateHead{}, fmt.Errorf("%w\n%s", err, said.kept)
	}
	text := bytes.TrimSpace(out.kept)
	if len(text) == 0 {
		return stateHead{}, nil
	}
	if e.spec.Terragrunt != nil { // what run_cmd prints stands before it
		text = text[max(0, bytes.IndexByte(text, '{')):]
	}
	lineage, serial, err := ReadStateHead(bytes.NewReader(text))
	if err != nil {
		return stateHead{}, fmt.Errorf("read the state: %w", err)
	}
	return stateHead{serial, lineage}, nil
}

// lookPatience is how long it may take to ask a backend for the serial after an
// apply.
const lookPatience = time.Minute

// lookAfter notes which state an apply has left, where that is not kept by
// Tidelock: after a restore of the database a plan is compared with it. The
// apply is over, and what came of it is stored first: nothing that goes wrong
// here counts, the serial is then not known. Nor is it where Terraform could
// not write the state, since the one that lies there does not have what was
// done, and where the run is stopped.
func (e *execution) lookAfter(ctx context.Context) {
	s, r := e.spec, &e.result
	if s.Kind != KindApply || s.ManagedBackend != "" || ctx.Err() != nil {
		return
	}
	if r.Outcome != OutcomeApplied && (r.Outcome != OutcomeFailed || !r.Started) || r.ErroredState != "" {
		return
	}
	if at := e.localState(); at != "" {
		e.readHead(at)
		return
	}
	if s.Keep != nil && s.Keep(*r) != nil {
		return
	}
	look, cancel := context.WithTimeout(ctx, min(s.Grace, lookPatience))
	defer cancel()
	if head, err := e.pullState(look); err == nil {
		r.StateLineage, r.StateSerial = head.Lineage, head.Serial
	}
}

// localState returns the path of a state that the code's own local backend
// keeps, "" for any other backend.
func (e *execution) localState() string {
	if e.spec.Terragrunt != nil {
		return ""
	}
	b, err := readSettled(e.spec.DataDir)
	switch {
	case err != nil || b.Type != "local" || !filepath.IsAbs(b.Path):
		return ""
	case e.spec.Workspace == planner.DefaultWorkspace:
		return b.Path
	case !filepath.IsAbs(b.Spaces):
		return ""
	}
	return filepath.Join(b.Spaces, e.spec.Workspace, stateName)
}

// largestState bounds what is read of a state to find its head, in bytes: where
// OpenTofu encrypts it, the head may stand at the end.
const largestState = 256 << 20

// readHead notes the lineage and serial of a state file that the run's code may
// have laid: they stay unknown where it is none.
func (e *execution) readHead(path string) {
	f, err := openPlain(path)
	if err != nil {
		return
	}
	defer f.Close()
	if lineage, serial, err := ReadStateHead(io.LimitReader(f, largestState)); err == nil {
		e.result.StateLineage, e.result.StateSerial = lineage, serial
	}
}

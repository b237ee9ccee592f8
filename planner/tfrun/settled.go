package tfrun

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// What the code says of a backend is read before a run, to know whose the state
// is. What counts is what init has made of it: a file that is read after ours,
// in a language that the tool reads and we do not, has the last word there. So
// each run compares the two before anything is read from a state or written.

// settled is the backend that init has settled on.
type settled struct {
	Type   string
	Path   string // of a local one, as it is written
	Spaces string // of a local one: where the states of other workspaces lie
}

// readSettled reads what init has left in a data directory; the zero value
// where it found no backend.
func readSettled(dataDir string) (settled, error) {
	var file struct {
		Backend struct {
			Type   string          `json:"type"`
			Config json.RawMessage `json:"config"`
		} `json:"backend"`
	}
	text, err := readSmall(filepath.Join(dataDir, stateName))
	if errors.Is(err, fs.ErrNotExist) {
		return settled{}, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err != nil {
		return settled{}, fmt.Errorf("read which backend init settled on: %w", err)
	}
	b := settled{Type: file.Backend.Type}
	if b.Type == "local" { // others have settings of their own by these names
		var c struct {
			Path   string `json:"path"`
			Spaces string `json:"workspace_dir"`
		}
		if err := json.Unmarshal(file.Backend.Config, &c); err != nil {
			return settled{}, fmt.Errorf("read which backend init settled on: %w", err)
		}
		b.Path, b.Spaces = c.Path, c.Spaces
	}
	return b, nil
}

// gone reports whether a state that is kept there is gone with the run: it is
// a file in the run's own folders, or beside them.
func (b settled) gone(e *execution) bool {
	return b.Type == "" || b.Type == "local" && (!filepath.IsAbs(b.Path) || within(e.spec.Root, b.Path) || within(e.spec.DataDir, b.Path))
}

// moved is the refusal of a run whose state is kept by Tidelock, and whose code
// says that it is elsewhere.
func (e *execution) moved(to string) error {
	return errs.New(errs.Invalid, "The state of %s is kept by Tidelock, and the code there has a backend of its own that would take its place%s. Look for a backend or cloud block in the files that override others (override.tf, *_override.tf, their JSON and .tofu forms), in those of more than 1 MB too. Nothing was planned, and no state was touched.", e.spec.Dir, to)
}

// staysOurs looks at the code before init, which would ask a backend of the
// code's for its states.
func (e *execution) staysOurs(tree fs.FS) error {
	b, err := planner.BackendIn(tree, e.spec.Dir)
	if err != nil {
		return fmt.Errorf("read the code for its backend: %w", err)
	}
	if b != (planner.Backend{Type: "local", Path: e.spec.ManagedBackend}) {
		return e.moved(settled{Type: b.Type, Path: b.Path}.told())
	}
	return nil
}

// noCloud refuses a cloud block of another host's: a plan would be made there,
// with what is stored there, and its init knows no option by which it would ask
// nobody.
func (e *execution) noCloud(tree fs.FS) error {
	b, err := planner.BackendIn(tree, e.spec.Dir)
	if err != nil {
		return fmt.Errorf("read the code for its backend: %w", err)
	}
	if b.Type != "cloud" {
		return nil
	}
	return errs.New(errs.Invalid, "The code of %s has a cloud block: its plans are made by that service, and not here. To have them made here, move the state with `tidelock state migrate` and remove the block, or name another backend.", e.spec.Dir)
}

// checkBackend refuses a run whose state is not where it is said to be.
// Terragrunt's units are looked at by findUnit.
func (e *execution) checkBackend() error {
	s := e.spec
	if s.Terragrunt != nil {
		return nil
	}
	b, err := readSettled(s.DataDir)
	if err != nil {
		return err
	}
	if s.ManagedBackend != "" {
		if b != (settled{Type: "local", Path: s.ManagedBackend, Spaces: s.ManagedBackend + ".d"}) {
			return e.moved(b.told())
		}
		return nil
	}
	if s.Desk != nil || !b.gone(e) { // a person's own work tree stays
		return nil
	}
	const mend = "Remove the backend block, and Tidelock keeps the state itself, or name a backend that lasts."
	if b.Type == "" {
		return errs.New(errs.Invalid, "The code of %s declares a backend, but what runs it finds none, so that its state would lie beside the code and be gone with the run. Terraform reads no .tofu files, and OpenTofu no .tf file beside a .tofu file of the same name. %s", s.Dir, mend)
	}
	return errs.New(errs.Invalid, "The code of %s keeps its state in the file %q, beside the code in a folder of the run's: it would be gone with the run. %s", s.Dir, b.Path, mend)
}

// told names the backend in a sentence.
func (b settled) told() string {
	switch {
	case b.Type == "local" && b.Path != "":
		return fmt.Sprintf(" (local, with the path %q)", b.Path)
	case b.Type != "":
		return fmt.Sprintf(" (%s)", b.Type)
	}
	return ""
}

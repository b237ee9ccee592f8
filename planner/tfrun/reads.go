package tfrun

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// Code that reads the outputs of another project's state, which Tidelock keeps,
// is given copies of what it may read, and a file beside it that has its data
// sources read those. So the run holds no credential that hostile code could
// send elsewhere, and needs no network; what it has no copy of it can't read,
// whatever else the code says.

// Reads are the states whose outputs a run may read.
type Reads struct {
	Server planner.Server `json:"server"` // what names a state of Tidelock's
	// Dir is the folder of the copies, absolute; "" where there are none.
	Dir    string      `json:"dir,omitempty"`
	Tofu   bool        `json:"tofu,omitempty"` // OpenTofu reads the code
	States []ReadState `json:"states,omitempty"`
}

// ReadState is one of them.
type ReadState struct {
	State string   `json:"state"`          // CLIENT/NAME
	File  string   `json:"file,omitempty"` // its copy in Dir; "" where there is none
	Ref   StateRef `json:"ref,omitzero"`   // the version that counted; zero where there was none
}

// find returns the state of that name, nil where the run may not read one.
func (r *Reads) find(state string) *ReadState {
	for i, s := range r.States {
		if s.State == state {
			return &r.States[i]
		}
	}
	return nil
}

// readsDir is where the code finds the copies: a path that plan and apply have
// in common, since a saved plan has it, and that leads to this run's own.
func (e *execution) readsDir() string { return e.spec.DataDir + ".reads" }

// layReads writes the file by which the code reads the copies, where it reads
// states of Tidelock's at all.
func (e *execution) layReads(root *os.Root) error {
	s := e.spec
	override := filepath.Join(filepath.FromSlash(s.Dir), planner.ReadsOverride)
	if err := root.Remove(override); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a run that was killed
		return fmt.Errorf("remove %s: %w", planner.ReadsOverride, err)
	}
	r := s.Reads
	if r == nil || s.Terragrunt != nil {
		return nil
	}
	all, err := planner.StateReads(root.FS(), s.Dir, r.Tofu)
	if err != nil {
		return fmt.Errorf("read the code for the states that it reads: %w", err)
	}
	var text bytes.Buffer
	for _, read := range all {
		switch ours := r.Server.Names(read.Backend, read.StatePlace); {
		case read.Unknown:
			e.out.say(fmt.Sprintf("%s: it can't be told from the text where data.%s.%s has its state. If that is kept by Tidelock, write the address or the hostname out, and the rest may be computed: otherwise Terraform asks for it itself, and has no credential.\n", read.At(), remoteState, read.Name))
			continue
		case !ours:
			continue
		case read.Problem != "":
			return errs.New(errs.Invalid, "%s: data.%s.%s %s", read.At(), remoteState, read.Name, read.Problem)
		}
		from, err := e.copyOf(read)
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "data %q %s {\n  backend   = \"local\"\n  workspace = \"default\"\n  config    = { path = %s }\n}\n", remoteState, hclQuote(read.Name), from)
	}
	if text.Len() == 0 {
		return nil
	}
	if r.Dir != "" {
		if err := e.lead(e.readsDir(), r.Dir); err != nil {
			return err
		}
	}
	e.reads = true
	return replaceFile(root, override, append([]byte("# Written by Tidelock for this run: it reads copies of the outputs.\n"), text.Bytes()...))
}

// remoteState is the data source's type.
const remoteState = "terraform_remote_state"

// copyOf returns the expression of where the copy is of the state that is read.
func (e *execution) copyOf(read planner.StateRead) (string, error) {
	r := e.spec.Reads
	path := func(s ReadState) string { return hclQuote(filepath.Join(e.readsDir(), cmp.Or(s.File, "none"))) }
	if !read.Computed {
		state := read.State(r.Server)
		s := r.find(state)
		switch {
		case s == nil: // the server has looked at what was in the repository
			return "", errs.New(errs.Invalid, "%s", NotReadable(read, state))
		case s.File == "" && e.spec.Kind == KindPlan:
			return "", errs.New(errs.Invalid, "%s", NothingToRead(read, state))
		}
		return path(*s), nil
	}
	if read.Key == "" {
		return "", errs.New(errs.Invalid, "%s: data.%s.%s does not say which state it reads in a way that can be followed. Write it out.", read.At(), remoteState, read.Name)
	}
	var known []string
	for _, s := range r.States {
		if s.File != "" {
			known = append(known, hclQuote(r.Server.StateKey(read.Backend, s.State))+" = "+path(s))
		}
	}
	// The text behind it is shown with the error of a name that is not among them.
	return "{ " + strings.Join(known, ", ") + " }[\n    " + read.Key + "] # only states that this project may read and that exist: see reads_state in tidelock.hcl\n ", nil
}

// NotReadable is the refusal of a data source that names a state which its
// project may not read, or which is nobody's: the two look alike.
func NotReadable(read planner.StateRead, state string) string {
	return fmt.Sprintf("%s: data.%s.%s reads the state %s, and there is none of that name that this project may read. Nothing was read or planned. To let it, name the other project in reads_state of this project's block in %s, and merge that first: a pull request can't widen what it reads.",
		read.At(), remoteState, read.Name, state, planner.ConfigFile)
}

// NothingToRead is the refusal of one that may be read and has nothing yet.
func NothingToRead(read planner.StateRead, state string) string {
	return fmt.Sprintf("%s: data.%s.%s reads the state %s, which has nothing in it yet. Apply that project first; with depends_on in %s it is planned after it.", read.At(), remoteState, read.Name, state, planner.ConfigFile)
}

// hideReads has the sensitive outputs of the copies masked: Terraform does not
// mark them where they are read. It comes before any program of the run's.
func (e *execution) hideReads() error {
	r := e.spec.Reads
	if r == nil {
		return nil
	}
	var secrets []string
	for _, s := range r.States {
		if s.File == "" {
			continue
		}
		f, err := os.Open(filepath.Join(r.Dir, s.File))
		if err != nil {
			return fmt.Errorf("read the copy of a state: %w", err)
		}
		var state struct {
			Outputs map[string]struct {
				Value     any
				Sensitive bool
			}
		}
		dec := json.NewDecoder(f)
		dec.UseNumber()
		err = dec.Decode(&state)
		_ = f.Close()
		if err != nil {
			return fmt.Errorf("read the copy of a state: %w", err)
		}
		for _, o := range state.Outputs {
			if !o.Sensitive {
				continue
			}
			if n, ok := o.Value.(json.Number); ok {
				secrets = append(secrets, n.String())
			}
			eachText(o.Value, func(s string) { secrets = append(secrets, s) })
		}
	}
	if len(secrets) > 0 {
		e.hide(secrets...)
	}
	return nil
}

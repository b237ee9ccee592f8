package tfrun

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/planner"
)

// Scan is what became of a hook that is a scanner.
type Scan struct {
	Hook int    `json:"hook"`           // its place among the spec's hooks
	File string `json:"file,omitempty"` // path of what it wrote, in the run's folder; "" where there is a Problem
	// Problem is a clause that says why nothing can be read of it.
	Problem string `json:"problem,omitempty"`
	// Root is where the work tree was, which absolute paths in the file begin
	// with, and Dir the directory in it that the scanner ran in.
	Root string `json:"root,omitempty"`
	Dir  string `json:"dir,omitempty"`
}

// MaxScan is the longest file of a scanner's that is read, in bytes.
const MaxScan = 16 << 20

// scanOutput keeps what a scanner prints, as far as it may be long.
type scanOutput struct{ text bytes.Buffer }

// Write takes part of it.
func (s *scanOutput) Write(p []byte) (int, error) {
	s.text.Write(p[:min(len(p), MaxScan+1-s.text.Len())])
	return len(p), nil
}

// scanFile opens the work tree and returns the path of a scanner's file in it.
func (e *execution) scanFile(h planner.Hook) (*os.Root, string, error) {
	rel, err := planner.InRepo(e.home, h.SARIF)
	if err != nil {
		return nil, "", err
	}
	root, err := os.OpenRoot(e.spec.Root)
	return root, filepath.FromSlash(rel), err
}

// beforeScan takes away what stands where a scanner is to write: a file that
// is committed must not pass for what it found.
func (e *execution) beforeScan(h planner.Hook, name string) error {
	if !h.Scans() || h.SARIF == planner.ScanOutput {
		return nil
	}
	root, file, err := e.scanFile(h)
	if err != nil {
		return fmt.Errorf("clear the way for a scanner: %w", err)
	}
	defer root.Close()
	if err := root.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errs.Wrap(errs.Invalid, err, "%s can't write to %s: something stands there in the repository that can't be taken away.", name, h.SARIF)
	}
	return nil
}

// afterScan keeps what a scanner wrote. What is wrong with that is no error of
// the run's: the plan is made, and could not be judged.
func (e *execution) afterScan(at int, h planner.Hook, printed *scanOutput) error {
	if err := e.endLeft(); err != nil { // nobody writes to it any more
		return err
	}
	scan := Scan{Hook: at, Root: e.spec.Root, Dir: filepath.ToSlash(e.home)}
	text := printed.text.Bytes()
	if h.SARIF != planner.ScanOutput {
		var err error
		if text, scan.Problem, err = e.readScan(h); err != nil {
			return err
		}
	}
	switch {
	case scan.Problem != "":
	case len(text) > MaxScan:
		scan.Problem = fmt.Sprintf("it wrote more than %d MB", MaxScan>>20)
	case len(bytes.TrimSpace(text)) == 0:
		scan.Problem = "what it wrote is empty"
	default:
		if err := os.MkdirAll(e.spec.ScanDir, 0o700); err != nil {
			return fmt.Errorf("keep what a scanner found: %w", err)
		}
		scan.File = filepath.Join(e.spec.ScanDir, strconv.Itoa(at)+".sarif")
		if err := os.WriteFile(scan.File, e.maskedText(text), 0o600); err != nil {
			return fmt.Errorf("keep what a scanner found: %w", err)
		}
	}
	if scan.Problem != "" {
		e.out.say("Nothing can be read of what the scanner found: " + scan.Problem + ".")
	}
	e.result.Scans = append(e.result.Scans, scan)
	return nil
}

// readScan reads the file that a scanner wrote. problem is a clause.
func (e *execution) readScan(h planner.Hook) (text []byte, problem string, err error) {
	root, name, err := e.scanFile(h)
	if err != nil {
		return nil, "", fmt.Errorf("read what a scanner found: %w", err)
	}
	defer root.Close()
	info, err := root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "it left no file " + h.SARIF, nil
	case err != nil:
		return nil, "its file " + h.SARIF + " can't be read", nil
	case !info.Mode().IsRegular():
		return nil, "its " + h.SARIF + " is no file", nil
	case info.Size() > MaxScan:
		return nil, fmt.Sprintf("its file %s is longer than %d MB", h.SARIF, MaxScan>>20), nil
	}
	f, err := root.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, "its file " + h.SARIF + " can't be read", nil
	}
	defer f.Close()
	if text, err = io.ReadAll(io.LimitReader(f, MaxScan+1)); err != nil {
		return nil, "its file " + h.SARIF + " can't be read", nil
	}
	return text, "", nil
}

// maskedText hides the run's secrets in a JSON text, as they are and as JSON
// writes them.
func (e *execution) maskedText(text []byte) []byte {
	var all []string
	for _, s := range e.secrets {
		all = append(all, s)
		if quoted, err := json.Marshal(s); err == nil {
			all = append(all, string(quoted[1:len(quoted)-1]))
		}
	}
	if len(all) == 0 {
		return text
	}
	return redact.NewMasker(all...).Bytes(text)
}

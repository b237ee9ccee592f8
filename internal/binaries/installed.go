package binaries

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-version"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// Folders of installed versions may be laid out as
//
//	versions/VERSION/terraform           by tfenv and tofuenv (tofu)
//	Terraform/VERSION/terraform          by tenv (OpenTofu/VERSION/tofu)
//	terraform/VERSION/bin/terraform      by asdf and mise (opentofu/VERSION/bin/tofu)
//	terraform/VERSION/terraform          by this package (tofu/VERSION/tofu)
//	terraform_VERSION, terraform1.9.8    by tfswitch, and in Atlantis's image
//
// VERSION may begin with a v.

// toolFolders are the names that versions of a tool stand below.
var toolFolders = map[string]string{
	"terraform": planner.ToolTerraform, "Terraform": planner.ToolTerraform,
	"tofu": planner.ToolOpenTofu, "opentofu": planner.ToolOpenTofu, "OpenTofu": planner.ToolOpenTofu,
}

// candidate is a binary as its place names it.
type candidate struct {
	name    string
	version *version.Version
	path    string
	source  string
}

// candidates returns what is here of a tool, the newest first, and of one
// version the server's own before others'. It runs nothing.
func (s *Store) candidates(name string) []candidate {
	var out []candidate
	if d := s.o.Default; d.Name == name {
		if v, err := version.NewVersion(d.Version); err == nil {
			out = append(out, candidate{name, v, d.Path, SourceDefault})
		}
	}
	for _, dir := range s.o.Dirs {
		out = append(out, below(dir, name)...)
	}
	if s.o.Dir != "" {
		for _, c := range versionsIn(filepath.Join(s.o.Dir, name), name) {
			c.source = SourceDownloaded
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b candidate) int { return b.version.Compare(a.version) })
	return out
}

// below looks through one folder of installed versions.
func below(dir, name string) []candidate {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // doctor tells
	}
	var out []candidate
	for _, e := range entries {
		full := filepath.Join(dir, e.Name())
		if e.Name() == "versions" || toolFolders[e.Name()] == name {
			out = append(out, versionsIn(full, name)...)
			continue
		}
		// A file that carries the version in its name.
		rest, ok := strings.CutPrefix(strings.TrimSuffix(e.Name(), exe()), name)
		if !ok {
			continue
		}
		if v := parsed(strings.TrimLeft(rest, "_-")); v != nil && runnable(full) {
			out = append(out, candidate{name, v, full, SourceInstalled})
		}
	}
	return out
}

// versionsIn looks through a folder that has a folder for each version.
func versionsIn(dir, name string) []candidate {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []candidate
	for _, e := range entries {
		v := parsed(e.Name())
		if v == nil {
			continue
		}
		for _, path := range []string{filepath.Join(dir, e.Name(), name+exe()), filepath.Join(dir, e.Name(), "bin", name+exe())} {
			if runnable(path) {
				out = append(out, candidate{name, v, path, SourceInstalled})
				break
			}
		}
	}
	return out
}

// parsed returns the version that a name is, nil where it is none.
func parsed(name string) *version.Version {
	if strings.Count(name, ".") != 2 && !strings.Contains(name, "-") {
		return nil
	}
	v, err := version.NewSemver(strings.TrimPrefix(name, "v"))
	if err != nil {
		return nil
	}
	return v
}

func runnable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && (info.Mode()&0o111 != 0 || runtime.GOOS == "windows")
}

func exe() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// fileID names a file as it is now: another one at its path has another.
type fileID struct {
	path     string
	size     int64
	modified time.Time
}

type inspected struct {
	tool, version string
	err           error
	at            time.Time
}

// failedAge is how long it holds that a binary could not be run: a machine that
// was out of memory or processes for a moment is no fault of the file.
const failedAge = time.Minute

// confirm runs a binary, once as long as it stays as it is, and holds what it
// says against its place. A folder with a wrong name must not have a project
// planned by another version than is shown.
func (s *Store) confirm(ctx context.Context, c candidate) error {
	info, err := os.Stat(c.path)
	if err != nil {
		return err
	}
	id := fileID{c.path, info.Size(), info.ModTime()}
	s.mu.Lock()
	said, ok := s.known[id]
	s.mu.Unlock()
	if now := s.o.Now(); !ok || said.err != nil && now.Sub(said.at) >= failedAge {
		said.at = now
		said.tool, said.version, said.err = s.o.Inspect(ctx, c.path)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.mu.Lock()
		s.known[id] = said
		s.mu.Unlock()
	}
	switch {
	case said.err != nil:
		return said.err
	case said.tool != c.name || said.version != c.version.String():
		return fmt.Errorf("%s calls itself %s %s, not %s %s", c.path, planner.ToolTitle(said.tool), said.version, planner.ToolTitle(c.name), c.version)
	}
	return nil
}

// askAnew forgets that a binary could not be run.
func (s *Store) askAnew(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.known, func(id fileID, said inspected) bool { return id.path == path && said.err != nil })
}

// inspect asks a binary what it is.
func inspect(ctx context.Context, path string) (tool, version string, err error) {
	b, err := tfrun.FindBinary(ctx, path)
	if err != nil {
		return "", "", err
	}
	if b.Tool == "OpenTofu" {
		return planner.ToolOpenTofu, b.Version, nil
	}
	return planner.ToolTerraform, b.Version, nil
}

// Installed is a binary that is here.
type Installed struct {
	Binary
	Source  string    `json:"source"`
	Bytes   int64     `json:"bytes"`
	Used    time.Time `json:"used,omitzero"`     // when a run last took it, to the hour; only of what was downloaded
	Problem string    `json:"problem,omitempty"` // why it is passed over
}

// Installed returns every binary that is here, by tool, the newest first. It
// runs each that it does not know.
func (s *Store) Installed(ctx context.Context) ([]Installed, error) {
	var out []Installed
	for _, name := range []string{planner.ToolTerraform, planner.ToolOpenTofu} {
		for _, c := range s.candidates(name) {
			i := Installed{Binary: Binary{Name: c.name, Version: c.version.String(), Path: c.path}, Source: c.source}
			if info, err := os.Stat(c.path); err == nil {
				i.Bytes = info.Size()
			}
			if c.source == SourceDownloaded {
				i.Used = used(c.path)
			}
			if c.source != SourceDefault {
				if err := s.confirm(ctx, c); ctx.Err() != nil {
					return nil, ctx.Err()
				} else if err != nil {
					i.Problem = errs.Sentence(err)
					if errs.KindOf(err) == errs.Internal {
						i.Problem = err.Error()
					}
				}
			}
			out = append(out, i)
		}
	}
	return out, nil
}

// usedFile stands beside a downloaded binary; its time is that of the last use.
const usedFile = ".used"

func used(path string) time.Time {
	for _, name := range []string{filepath.Join(filepath.Dir(path), usedFile), path} {
		if info, err := os.Stat(name); err == nil {
			return info.ModTime()
		}
	}
	return time.Time{}
}

// markUsed notes that a binary was taken for a run, where it is one of ours.
func (s *Store) markUsed(b Binary) {
	if s.o.Dir == "" || filepath.Dir(filepath.Dir(b.Path)) != filepath.Join(s.o.Dir, b.Name) {
		return
	}
	now, file := s.o.Now(), filepath.Join(filepath.Dir(b.Path), usedFile)
	if info, err := os.Stat(file); err == nil && now.Sub(info.ModTime()) < time.Hour {
		return
	}
	err := os.WriteFile(file, nil, 0o644)
	if err == nil {
		err = os.Chtimes(file, now, now)
	}
	if err != nil {
		s.o.Log.Warn("the use of a tool was not noted", "path", b.Path, "error", err)
	}
}

// Prune deletes what was downloaded and not used since then, and returns it.
// What is deleted while a run has it open runs on.
func (s *Store) Prune(ctx context.Context, since time.Time) ([]Installed, error) {
	var out []Installed
	for _, name := range []string{planner.ToolTerraform, planner.ToolOpenTofu} {
		for _, i := range s.downloaded(name) {
			if i.Used.After(since) {
				continue
			}
			unlock, err := s.lock(ctx, i.Name, i.Version)
			if err != nil {
				return out, err
			}
			err = s.remove(i)
			unlock()
			if err != nil {
				return out, err
			}
			out = append(out, i)
		}
	}
	return out, nil
}

// downloaded returns what was downloaded of a tool, what rested longest first.
func (s *Store) downloaded(name string) []Installed {
	var out []Installed
	for _, c := range s.candidates(name) {
		if c.source != SourceDownloaded {
			continue
		}
		i := Installed{Binary: Binary{c.name, c.version.String(), c.path}, Source: c.source, Used: used(c.path)}
		if info, err := os.Stat(c.path); err == nil {
			i.Bytes = info.Size()
		}
		out = append(out, i)
	}
	slices.SortStableFunc(out, func(a, b Installed) int { return a.Used.Compare(b.Used) })
	return out
}

func (s *Store) remove(i Installed) error {
	// By another name first, so that nobody finds it by half.
	gone := filepath.Join(s.o.Dir, i.Name, ".gone-"+i.Version)
	err := errors.Join(os.RemoveAll(gone), os.Rename(filepath.Dir(i.Path), gone), os.RemoveAll(gone))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete %s: %w", i.Binary, err)
	}
	s.o.Log.Info("tool deleted", "tool", i.Binary.String(), "used", i.Used)
	return nil
}

// rested is how long a version is not used that may go for another.
const rested = 24 * time.Hour

// makeRoom keeps the number of downloaded versions within its bound: whoever
// may open a pull request may name any.
func (s *Store) makeRoom(ctx context.Context, name string) error {
	have := s.downloaded(name)
	for len(have) >= s.o.Keep {
		if s.o.Now().Sub(have[0].Used) < rested {
			return errs.New(errs.TooLarge, "The server keeps %d downloaded versions, and all of them were used within the last day. Its operator can make room with `tidelock tools prune`.", s.o.Keep)
		}
		if err := s.remove(have[0]); err != nil {
			return err
		}
		have = have[1:]
	}
	return ctx.Err()
}

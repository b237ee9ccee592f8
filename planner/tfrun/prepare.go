package tfrun

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// prepare refuses what must not run, and lays out everything the run needs.
func (e *execution) prepare(ctx context.Context) error {
	s := &e.spec
	if s.Refused != "" {
		return errs.New(errs.Invalid, "%s", s.Refused)
	}
	if s.Workspace == "" {
		s.Workspace = planner.DefaultWorkspace
	}
	// A cloud block's names have colons, and are never a part of a key.
	if !planner.ValidWorkspace(s.Workspace) && !(s.OwnBlock && planner.ValidWorkspace(strings.ReplaceAll(s.Workspace, ":", "-"))) {
		return errs.New(errs.Invalid, "The workspace %q can have letters, digits, and . _ - only.", s.Workspace)
	}
	dir, err := planner.InRepo(".", s.Dir)
	if err != nil {
		return errs.New(errs.Invalid, "The project's directory %q %s.", s.Dir, err)
	}
	s.Dir, e.home = dir, dir
	if s.SourceDir != "" {
		if e.home, err = planner.InRepo(".", s.SourceDir); err != nil {
			return errs.New(errs.Invalid, "The project's source_dir %q %s.", s.SourceDir, err)
		}
	}
	if err := s.Options.Check(); err != nil {
		return err
	}
	if s.Kind == KindState {
		if err := s.Operation.Check(); err != nil {
			return err
		}
	}
	for _, p := range []string{s.Binary, s.Root, s.DataDir, s.Home, s.CLIConfig, s.PlanFile} {
		if !filepath.IsAbs(p) {
			return fmt.Errorf("run %s: the path %q in its spec is not absolute", s.RunID, p)
		}
	}
	if s.Grace <= 0 {
		s.Grace = DefaultGrace
	}
	root, err := os.OpenRoot(s.Root)
	if err != nil {
		return fmt.Errorf("open the work tree: %w", err)
	}
	defer root.Close()
	if info, err := root.Stat(filepath.FromSlash(e.home)); err != nil || !info.IsDir() {
		return errs.New(errs.Invalid, "The project's directory %s is not in the repository.", e.home)
	}
	if err := forbid(root, e.home); err != nil {
		return err
	}
	e.dir = filepath.Join(s.Root, filepath.FromSlash(e.home)) // until the hooks have made the project's own
	e.tmp = filepath.Join(s.Home, "tmp")
	for _, d := range []string{s.DataDir, s.Home, e.tmp} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("make a directory of the run's: %w", err)
		}
	}
	if len(e.tmp) > maxTmp {
		if e.tmp, err = os.MkdirTemp("", "tidelock-"); err != nil {
			return fmt.Errorf("make a directory of the run's: %w", err)
		}
		e.removeTmp = true
	}
	return e.terraform(ctx)
}

// settle lays what is ours into the work tree, now that the hooks have laid
// what is theirs: the repository's rules are theirs, too.
func (e *execution) settle() error {
	root, err := os.OpenRoot(e.spec.Root)
	if err != nil {
		return fmt.Errorf("open the work tree: %w", err)
	}
	defer root.Close()
	if err := forbid(root, e.spec.Dir); err != nil {
		return err
	}
	if err := e.layReads(root); err != nil {
		return err
	}
	e.openKept(root)
	if e.emptied {
		if err := e.forget(); err != nil {
			return err
		}
	}
	// Which workspace is used is what this file says, not a committed one.
	if err := os.WriteFile(filepath.Join(e.spec.DataDir, "environment"), []byte(e.spec.Workspace), 0o600); err != nil {
		return fmt.Errorf("choose the workspace: %w", err)
	}
	if err := e.manageBackend(root); err != nil {
		return err
	}
	if e.spec.ManagedBackend == "" && e.spec.Terragrunt == nil {
		if err := e.noCloud(root.FS()); err != nil {
			return err
		}
	}
	// An apply is never begun on the chance that init is not needed.
	if e.spec.Kind != KindPlan {
		e.kept = nil
	}
	switch {
	case e.kept != nil:
		return e.reuse(root)
	case e.spec.Kind == KindApply:
		return e.restoreLock(root)
	}
	return nil
}

// forbid refuses a work tree with files that would steer Terraform.
func forbid(root *os.Root, dir string) error {
	problems, err := planner.Forbidden(root.FS(), dir)
	if err != nil {
		return err
	}
	var sentences []string
	for _, p := range problems {
		switch filepath.Base(p.Path) {
		case planner.BackendOverride, planner.ReadsOverride, erroredName: // ours, where a run was killed; made anew, set aside
		default:
			sentences = append(sentences, p.Message)
		}
	}
	if len(sentences) > 0 {
		return errs.New(errs.Invalid, "%s", strings.Join(sentences, "\n"))
	}
	return nil
}

// lockName is the file that pins the providers.
const lockName = ".terraform.lock.hcl"

// restoreLock puts the lock file that the plan was made with into the work
// tree: where the repository has none, or an incomplete one, init would
// choose anew, and the plan would not fit what it chose.
func (e *execution) restoreLock(root *os.Root) error {
	content, err := planMember(e.spec.PlanFile, lockName)
	if err != nil || content == nil {
		return err
	}
	return replaceFile(root, filepath.Join(filepath.FromSlash(e.spec.Dir), lockName), content)
}

// replaceFile writes a file into the work tree in place of whatever is there,
// a link too.
func replaceFile(root *os.Root, name string, content []byte) error {
	if err := root.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("replace %s: %w", filepath.Base(name), err)
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("replace %s: %w", filepath.Base(name), err)
	}
	_, err = f.Write(content)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("replace %s: %w", filepath.Base(name), err)
	}
	return nil
}

// manageBackend writes the file that gives the project its state, where it
// declares none itself.
func (e *execution) manageBackend(root *os.Root) error {
	s := e.spec
	if s.ManagedBackend == "" {
		return nil
	}
	if !filepath.IsAbs(s.ManagedBackend) {
		return fmt.Errorf("run %s: the managed backend's path is not absolute", s.RunID)
	}
	if err := e.leadToState(); err != nil {
		return err
	}
	state := ManagedState(s.ManagedBackend, s.Workspace)
	if err := os.MkdirAll(filepath.Dir(state), 0o700); err != nil { // this also makes the workspace
		return fmt.Errorf("make the state's directory: %w", err)
	}
	committed := filepath.Join(filepath.FromSlash(s.Dir), stateName)
	if _, err := root.Lstat(committed); err == nil {
		if _, err := os.Stat(state); errors.Is(err, os.ErrNotExist) {
			return errs.New(errs.Invalid, "The repository holds a terraform.tfstate in %s and declares no backend. Tidelock would begin with an empty state and create everything a second time. Declare a backend and migrate the state to it, or give the state to Tidelock, and remove the file from the repository.", s.Dir)
		}
	}
	e.override = true
	err := replaceFile(root, filepath.Join(filepath.FromSlash(s.Dir), planner.BackendOverride), fmt.Appendf(nil,
		"# Written by Tidelock for this run: the project's state is kept by Tidelock.\nterraform {\n  backend \"local\" {\n    path          = %s\n    workspace_dir = %s\n  }\n}\n",
		hclQuote(s.ManagedBackend), hclQuote(s.ManagedBackend+".d")))
	if err != nil {
		return err
	}
	return e.staysOurs(root.FS())
}

// leadToState has the folder of the managed backend lead to the run's own copy
// of the state. The data directory, beside which it stands, is this run's by
// now, and nothing that a run starts may write there.
func (e *execution) leadToState() error {
	s := e.spec
	if s.StateDir == "" {
		return nil
	}
	if !filepath.IsAbs(s.StateDir) {
		return fmt.Errorf("run %s: the state's directory is not absolute", s.RunID)
	}
	return e.lead(filepath.Dir(s.ManagedBackend), s.StateDir)
}

// lead has a path beside the data directory lead to a folder of this run's own.
func (e *execution) lead(link, to string) error {
	if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
		return fmt.Errorf("make the state's directory: %w", err)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return fmt.Errorf("make the state's directory: %w", err)
	}
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("lead to the state: %w", err)
	}
	if err := os.Symlink(to, link); err != nil {
		return fmt.Errorf("lead to the state: %w", err)
	}
	return nil
}

// stateDir is the folder that commands on the managed state are let into.
func (s *Spec) stateDir() string {
	if s.StateDir != "" {
		return s.StateDir
	}
	return filepath.Dir(s.ManagedBackend)
}

// cleanUp removes our files from the work tree.
func (e *execution) cleanUp() error {
	if e.removeTmp {
		_ = os.RemoveAll(e.tmp)
	}
	if err := e.leaveUnits(); err != nil {
		return err
	}
	for name, ours := range map[string]bool{planner.BackendOverride: e.override, planner.ReadsOverride: e.reads} {
		if !ours {
			continue
		}
		if err := os.Remove(filepath.Join(e.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", name, err)
		}
	}
	return nil
}

package desk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/internal/atlantis"
	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/runner"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// Options say what is planned and how. What is not marked optional is needed.
type Options struct {
	Dir  string // somewhere in the work tree
	Base string // what it is compared with; "" is where it is to be merged, as far as the clone tells
	All  bool   // all projects, touched or not
	// OwnConfig has the work tree's own configuration decide, as it will once
	// it is merged, and not the base's.
	OwnConfig bool
	Filter    command.Filter // empty for what the change touches
	Dirs      []string       // to be added to the filter, as seen from Dir
	Plan      planner.Options
	Labels    []string // that the pull request will have, for the policies

	Reader proposal.Reader
	// Settings are what the configuration makes of a server's settings for
	// comments, and what of it has no effect.
	Settings func(planner.RepoConfig) (comment.Settings, []planner.Problem)

	Runs     Runs
	Out      string      // folder that keeps plans and logs; "" for none
	Progress func(Event) // is told what happens, by one goroutine at a time; may be nil
	Now      func() time.Time
}

// Runs is how Terraform is run.
type Runs struct {
	Self       string            // path of the tidelock binary
	Env        map[string]string // of the person: see tfrun.DeskEnv
	Home       string            // theirs
	CLIConfig  string            // path of their CLI configuration; "" where CLIText is it
	CLIText    []byte
	Sandbox    runner.Sandbox
	Parallel   int
	Timeout    time.Duration // of one plan; 0 is none
	Grace      time.Duration // to end after an interrupt
	NoLock     bool          // plan without the state's lock
	AllowHooks bool          // run the programs that the configuration names
	ProjectEnv []string      // names of variables that the configuration may set
	// Tool returns the binary that is to run a project, and its version.
	Tool func(context.Context, planner.Tool) (path, version string, err error)
	// Terragrunt is a name on PATH or a path; "" is terragrunt, where it is there.
	Terragrunt string
}

// Event is something that happens to a project, for whoever watches.
type Event struct {
	Run      run.Run
	Progress tfrun.Progress // while it runs
	Of       int            // how many projects there are
}

// Planned is what a work tree proposes.
type Planned struct {
	Root    string // of the work tree
	Branch  string // that is checked out; "" for none
	Dirty   bool   // there is something that is not committed
	Base    string // what it was compared with; "" for nothing
	Changed []string
	View    comment.View
	Reasons map[string]string // by project key: why the change touches it
	Notes   []string          // for the person at the desk, in sentences; not in the comment
	NoMatch bool              // the filter names no project
	Filter  command.Filter    // that was gone by
}

// Plan plans what the work tree proposes. When ctx ends, Terraform is
// interrupted, and what is known by then returned: what did not come to its
// end is Canceled. A project that can't be planned is part of the answer; the
// error is of what kept all from being looked at.
func Plan(ctx context.Context, o Options) (_ Planned, err error) {
	sweep(os.TempDir())
	tmp, free, err := scratch()
	if err != nil {
		return Planned{}, err
	}
	defer func() { err = errors.Join(err, free()) }()
	w, err := checkout.OpenWorking(ctx, o.Dir, tmp, checkout.Options{})
	if err != nil {
		return Planned{}, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	d := &desk{Options: o, work: w, tmp: tmp}
	head, err := w.TreeFS(ctx, w.Commit)
	if err != nil {
		return Planned{}, err
	}
	defer head.Close()
	found, err := d.find(ctx, head)
	if err == nil {
		err = d.plan(ctx, head, found)
	}
	return d.out, err
}

// unplannable makes an error of the repository's content an answer, as the bot
// does.
func (d *desk) unplannable(err error) error {
	if !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.TooLarge) {
		return err
	}
	d.out.View.Change.Status, d.out.View.Change.Reason = run.Unplannable, errs.Sentence(err)
	return nil
}

// desk is one call of Plan.
type desk struct {
	Options
	work  *checkout.Working
	tmp   string // everything that is made lies in it
	out   Planned
	facts proposal.Facts // that plans are judged by
}

// find finds what is to be planned, and what is known before anything is run.
func (d *desk) find(ctx context.Context, head *checkout.TreeFS) (proposal.Found, error) {
	w := d.work
	owner, name := w.Remote(ctx)
	if name == "" {
		name = filepath.Base(w.Root)
	}
	d.out = Planned{Root: w.Root, Branch: w.Branch, Dirty: w.Dirty(), Reasons: map[string]string{}}
	d.out.View = comment.View{
		Change: run.Change{HeadSHA: w.Head, Created: d.Now()}, Now: d.Now(), Uncommitted: w.Dirty(),
		Pull: run.Pull{Title: w.Branch, HeadRef: w.Branch, HeadSHA: w.Head, Open: true, Labels: d.Labels},
		Repo: clients.Repo{Owner: owner, Name: name},
	}
	for _, dir := range d.Dirs {
		if !path.IsAbs(dir) {
			dir = path.Join(w.Within, dir)
		}
		if err := d.Filter.Add("-d", dir); err != nil {
			return proposal.Found{}, err
		}
	}
	c := proposal.Change{Head: head, Commit: w.Commit, HasState: d.hasState}
	base, err := d.compare(ctx, &c)
	if err != nil {
		return proposal.Found{}, err
	}
	if base != nil {
		defer base.Close()
	}
	config := fs.FS(head)
	if base != nil && !d.OwnConfig {
		config = base
	}
	if c.Config, c.Left, err = configuration(config); err != nil {
		return proposal.Found{}, d.unplannable(err)
	}
	d.facts = d.factsOf(c, config, head)
	settings, loosened := d.Settings(c.Config)
	d.out.View.Settings, d.out.Changed = settings, c.Paths
	found, err := proposal.Find(c, proposal.Ask{
		Touched: d.Filter.Empty() && !d.All, All: d.All, Filter: d.Filter, Options: d.Plan,
		Asked: !d.Filter.Empty(),
	})
	if err != nil {
		return proposal.Found{}, d.unplannable(err)
	}
	d.out.Reasons, d.out.NoMatch, d.out.Filter = found.Reasons, found.NoMatch, d.Filter
	loosened = append(loosened, d.policyNotes(ctx, found)...)
	found.Gone = append(loosened, found.Gone...)
	change := &d.out.View.Change
	switch {
	case len(found.Wanted) > 0:
		change.Status, change.Notes = run.Ready, proposal.Notes(append(found.Problems, found.Gone...))
	case len(found.Problems) > 0:
		change.Status, change.Reason = run.Unplannable, proposal.Notes(found.Problems)
	default:
		change.Status, change.Notes = run.Empty, proposal.Notes(found.Gone)
	}
	return found, nil
}

// compare fills in what differs from the base, and returns the base's tree; nil
// where there is nothing to compare with.
func (d *desk) compare(ctx context.Context, c *proposal.Change) (*checkout.TreeFS, error) {
	ref := d.Base
	var err error
	if ref == "" {
		ref, err = d.work.DefaultBase(ctx)
		if d.All && errs.Is(err, errs.NotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	sha, err := d.work.Resolve(ctx, ref)
	if err != nil {
		return nil, err
	}
	if c.Paths, err = d.work.Changed(ctx, sha, d.work.Commit); err != nil {
		return nil, err
	}
	d.out.Base = ref
	d.out.View.Change.BaseSHA, d.out.View.Pull.BaseSHA = sha, sha
	d.out.View.Pull.BaseRef = strings.TrimPrefix(ref, "origin/")
	c.Base = func() (proposal.BaseFS, error) { return d.work.TreeFS(ctx, sha) }
	return d.work.TreeFS(ctx, sha)
}

// configuration reads what a tree says of the repository. The notes are what
// could not be carried over from Atlantis' file.
func configuration(tree fs.FS) (planner.RepoConfig, []planner.Problem, error) {
	text, err := fs.ReadFile(tree, planner.ConfigFile)
	if err == nil {
		cfg, err := planner.ParseConfig(text, planner.ConfigFile)
		return cfg, nil, err
	}
	if !errors.Is(err, fs.ErrNotExist) && !errs.Is(err, errs.NotFound) {
		return planner.RepoConfig{}, nil, fmt.Errorf("read %s: %w", planner.ConfigFile, err)
	}
	text, err = fs.ReadFile(tree, atlantis.File)
	if errors.Is(err, fs.ErrNotExist) || errs.Is(err, errs.NotFound) {
		return planner.DefaultRepoConfig(), nil, nil
	}
	if err != nil {
		return planner.RepoConfig{}, nil, fmt.Errorf("read %s: %w", atlantis.File, err)
	}
	return atlantis.Read(text, atlantis.File)
}

// hasState reports whether the code's own state lies beside it.
func (d *desk) hasState(dir string) bool {
	return d.ownState(planner.Project{Dir: dir, Workspace: planner.DefaultWorkspace}) != ""
}

// ownState returns the path of the state that Terraform itself has left beside
// code that declares no backend; "" where there is none. One that is committed
// is not taken: the bot refuses it, and so is it refused here.
func (d *desk) ownState(p planner.Project) string {
	name := "terraform.tfstate"
	if p.Workspace != planner.DefaultWorkspace {
		name = path.Join("terraform.tfstate.d", p.Workspace, name)
	}
	file := filepath.Join(d.work.Root, filepath.FromSlash(path.Join(p.Dir, name)))
	if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return file
}

// Comments returns what the bot would write, the first comment first.
func (p Planned) Comments() []string { return comment.Comments(p.View) }

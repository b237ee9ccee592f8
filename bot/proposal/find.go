package proposal

import (
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/internal/atlantis"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// Change is a change of a repository's files.
type Change struct {
	Head   fs.FS    // what the files are now; no link leads out of it
	Paths  []string // that differ from the base; a rename gives both
	Commit string   // that Head is of

	// Config is what the base branch says of the repository: what the head
	// says judges nobody. Left is what of that file could not be carried over.
	Config planner.RepoConfig
	Left   []planner.Problem
	// Base opens the tree that the paths are compared with. It is asked for
	// only when a directory was emptied.
	Base func() (BaseFS, error)
	// HasState, which may be nil, reports whether a directory has a state that
	// is kept here: then it is a project, even where nothing is left in it.
	HasState func(dir string) bool
}

// BaseFS is a tree that has to be closed.
type BaseFS interface {
	fs.FS
	Close() error
}

// Ask is which projects of a change are wanted.
type Ask struct {
	Touched bool            // those that the change touches
	All     bool            // all that there are, touched or not
	Filter  command.Filter  // and those that it names; empty names none
	Options planner.Options // of their plans, over those of the configuration
	Asked   bool            // somebody asks: projects are among them that only a command plans
}

// Found is what a change asks to be planned.
type Found struct {
	Wanted   []run.Wanted
	Reasons  map[string]string // by project key: why the change touches it
	NoMatch  bool              // a filter was given that no project passes
	Problems []planner.Problem // what keeps something from being planned
	Gone     []planner.Problem // what else somebody should look at: projects whose code is removed, for one
	ByHand   []string          // names of touched projects that only a command plans
}

// Find finds the projects that the change touches, or, where a filter names
// some, those, touched or not. Problems are those of the files that
// the change is about: what was broken before is not its author's to mend.
func Find(c Change, ask Ask) (Found, error) {
	out := Found{Reasons: map[string]string{}}
	cfg := c.Config
	if slices.Contains(c.Paths, planner.ConfigFile) {
		out.Gone = append(out.Gone, ownConfig(c.Head, cfg)...)
	}
	if i := slices.IndexFunc(c.Paths, cfg.Policy.Holds); i >= 0 {
		out.Gone = append(out.Gone, planner.Problem{Path: c.Paths[i], Message: "This pull request changes rules that judge this repository. It is judged by those on its base branch; its own hold once it is merged."})
	}
	if slices.Contains(c.Paths, atlantis.File) {
		out.Gone = append(out.Gone, c.Left...) // to who looks at the file, and not on every pull
	}
	if cfg.File == atlantis.File {
		cfg = atlantis.EnvFiles(c.Head, cfg)
	}
	if cfg.Autodiscover && c.HasState != nil {
		cfg = cfg.Keep(keptDirs(c)...)
	}
	all, problems, err := planner.Discover(c.Head, cfg)
	if err != nil {
		return out, err
	}
	out.NoMatch = !ask.Filter.Empty()
	want := map[string]bool{}
	for _, t := range planner.Affected(all, c.Paths) {
		out.Reasons[t.Project.Key()] = t.Reason
	}
	for _, p := range all {
		if p.Missing {
			continue
		}
		_, touched := out.Reasons[p.Key()]
		switch {
		case !ask.All && (!ask.Touched || !touched):
		case p.ByHand && !ask.Asked:
			out.ByHand = append(out.ByHand, p.Name)
		default:
			want[p.Key()] = true
		}
		if !ask.Filter.Empty() && ask.Filter.Match(p) {
			want[p.Key()], out.NoMatch = true, false
		}
	}
	for _, p := range all {
		if !want[p.Key()] {
			continue
		}
		p.Usage = planner.UsageFiles(c.Head, p)
		digest, err := planner.InputsDigest(c.Head, p)
		if err != nil {
			return out, err
		}
		out.Wanted = append(out.Wanted, run.Wanted{Project: p, Commit: c.Commit, InputsDigest: digest, Options: p.Options.With(ask.Options)})
	}
	if len(out.ByHand) > 0 {
		out.Gone = append(out.Gone, planner.Problem{Path: strings.Join(out.ByHand, ", "), Message: "This is planned by the command `plan` only."})
	}
	if !ask.All {
		problems = concerning(problems, c.Paths)
	}
	out.Problems = unplanned(problems, out.Wanted)
	if len(planner.EmptiedDirs(c.Head, c.Paths)) == 0 {
		return out, nil
	}
	removed, err := deleted(c, cfg, all)
	out.Gone = append(out.Gone, removed...)
	return out, err
}

// ownConfig says that the change is not judged by the configuration that it
// brings, and what is wrong in that.
func ownConfig(head fs.FS, base planner.RepoConfig) []planner.Problem {
	out := []planner.Problem{{Path: planner.ConfigFile, Message: "This pull request changes it. It is judged by the one on its base branch; its own holds once it is merged."}}
	text, err := fs.ReadFile(head, planner.ConfigFile)
	if err != nil {
		return out // it is removed, or can't be read, which others say
	}
	cfg, err := planner.ParseConfig(text, planner.ConfigFile)
	if err == nil && !reflect.DeepEqual(cfg.Policy, base.Policy) {
		out = append(out, planner.Problem{Path: planner.ConfigFile, Message: "Its block policy differs. The plans here are judged by what the base branch says of policies."})
	}
	if errs.Is(err, errs.Invalid) {
		out = append(out, planner.Problem{Path: planner.ConfigFile, Message: "What it brings is not valid, and would keep everything from being planned: " + strings.ReplaceAll(errs.Sentence(err), "\n", " ")})
	}
	return out
}

// keptDirs returns the changed directories that still hold code and have a
// state here: projects, even where the code has nothing to plan any more. What
// they made must still be destroyed.
func keptDirs(c Change) []string {
	var dirs []string
	for _, file := range c.Paths {
		dir := path.Dir(file)
		if path.Ext(file) != ".tf" || slices.Contains(dirs, dir) || !c.HasState(dir) {
			continue
		}
		if code, err := fs.Glob(c.Head, path.Join(globQuote(dir), "*.tf")); err == nil && len(code) > 0 {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// globQuote makes a path that a stranger chose mean itself in a pattern.
func globQuote(s string) string {
	return strings.NewReplacer("\\", "\\\\", "*", "\\*", "?", "\\?", "[", "\\[").Replace(s)
}

// deleted names the projects whose code the change takes away: nothing plans
// what they made, so somebody must be told.
func deleted(c Change, cfg planner.RepoConfig, head []planner.Project) ([]planner.Problem, error) {
	if c.Base == nil {
		return nil, nil
	}
	root, err := c.Base()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	before, _, err := planner.Discover(root, cfg)
	if err != nil {
		return nil, err
	}
	var gone []planner.Problem
	for _, d := range planner.Deleted(before, head) {
		gone = append(gone, planner.Problem{Path: d.Dir, Message: "The code of project " + d.Name + " is removed, but what it made is not: " +
			"nothing plans its destruction. Empty the project and apply that first, or let its state go on purpose."})
	}
	return gone, nil
}

// concerning keeps the problems of changed files, and of directories in which
// something changed.
func concerning(problems []planner.Problem, changed []string) []planner.Problem {
	var out []planner.Problem
	for _, p := range problems {
		for _, c := range changed {
			if c == p.Path || strings.HasPrefix(c, p.Path+"/") {
				out = append(out, p)
				break
			}
		}
	}
	return out
}

// unplanned leaves out what is wrong in the code of projects that are planned:
// Terraform says it better.
func unplanned(problems []planner.Problem, wanted []run.Wanted) []planner.Problem {
	dirs := map[string]bool{}
	for _, w := range wanted {
		dirs[w.Project.Dir] = true
	}
	var out []planner.Problem
	for _, p := range problems {
		if p.Line == 0 || !dirs[path.Dir(p.Path)] {
			out = append(out, p)
		}
	}
	return out
}

// maxProblems is how many problems a comment lists.
const maxProblems = 20

// Notes lists problems as a comment does, a line each.
func Notes(problems []planner.Problem) string {
	var lines []string
	for i, p := range problems {
		if i == maxProblems {
			lines = append(lines, fmt.Sprintf("… and %d more", len(problems)-i))
			break
		}
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

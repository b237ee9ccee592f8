package bot

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/atlantis"
	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// discovered is what a change touches.
type discovered struct {
	wanted   []run.Wanted
	touched  bool              // wanted has all that the change touches
	noMatch  bool              // a filter was given that no project passes
	problems []planner.Problem // what keeps something from being planned
	gone     []planner.Problem // what else somebody should look at: projects whose code is removed, for one
	settings Settings
	byHand   []string // names of touched projects that only a command plans
	gated    string   // why nothing is planned now; "" when it is
}

// maxProblems is how many problems a comment lists.
const maxProblems = 20

func notes(problems []planner.Problem) string {
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

// discover finds the projects that the change touches, or, where a filter
// names some, those, touched or not. It reads the commit out of the mirror, and
// makes no work tree. The first plan of a change has both: what
// it leaves out nobody would plan later. Problems are those of the files that the
// pull request changes: what was broken before is not its author's to mend.
func (b *Bot) discover(ctx context.Context, c run.Change, job planJob) (discovered, error) {
	var out discovered
	filter := job.Filter
	p, err := b.Runs.Pull(ctx, b.DB, c.Repo, c.Pull)
	if err != nil {
		return out, err
	}
	repo, err := b.Clients.Repo(ctx, b.DB, c.Repo)
	if err != nil {
		return out, err
	}
	src, err := b.source(ctx, repo)
	if err != nil {
		return out, err
	}
	root, err := b.Checkout.TreeFS(ctx, src, refs(c, p), c.Target()) // no link leads out of it
	if err != nil {
		return out, err
	}
	defer root.Close()
	cfg, left, err := b.repoConfig(ctx, src, p)
	if err != nil {
		return out, err
	}
	out.settings = b.Settings.With(cfg)
	for _, sentence := range b.Settings.Gates.WithFloor(b.Settings.Approvals).Loosens(cfg.Gates) {
		out.gone = append(out.gone, planner.Problem{Path: planner.ConfigFile, Message: sentence})
	}
	changed, err := b.Checkout.Changed(ctx, src, base(c, p), c.HeadSHA)
	if err != nil {
		return out, err
	}
	if slices.Contains(changed, planner.ConfigFile) {
		out.gone = append(out.gone, b.ownConfig(ctx, src, c)...)
	}
	if slices.Contains(changed, atlantis.File) {
		out.gone = append(out.gone, left...) // to who looks at the file, and not on every pull
	}
	if cfg.File == atlantis.File {
		cfg = atlantis.EnvFiles(root, cfg)
	}
	if cfg.Autodiscover {
		cfg = cfg.Keep(b.keptDirs(repo, root, changed)...)
	}
	all, problems, err := planner.Discover(root, cfg)
	if err != nil {
		return out, err
	}
	out.touched = filter.Empty() || c.Status == run.Pending
	out.noMatch = !filter.Empty()
	want := map[string]bool{}
	if out.touched {
		for _, t := range planner.Affected(all, changed) {
			if t.Project.ByHand && !job.Asked {
				out.byHand = append(out.byHand, t.Project.Name)
				continue
			}
			want[t.Project.Key()] = true
		}
	}
	for _, p := range all {
		if !filter.Empty() && filter.Match(p) {
			want[p.Key()], out.noMatch = true, false
		}
	}
	for _, p := range all {
		if p.Missing || !want[p.Key()] {
			continue
		}
		digest, err := planner.InputsDigest(root, p)
		if err != nil {
			return out, err
		}
		out.wanted = append(out.wanted, run.Wanted{Project: p, Commit: c.Target(), InputsDigest: digest, Options: p.Options.With(job.Options)})
	}
	if len(out.byHand) > 0 {
		out.gone = append(out.gone, planner.Problem{Path: strings.Join(out.byHand, ", "), Message: "This is planned by the command `plan` only."})
	}
	out.problems = unplanned(concerning(problems, changed), out.wanted)
	if len(planner.EmptiedDirs(root, changed)) == 0 {
		return out, nil
	}
	removed, err := b.deleted(ctx, src, c, p, cfg, all)
	out.gone = append(out.gone, removed...)
	return out, err
}

// ownConfig says that the pull is not judged by the configuration that it
// brings, and what is wrong in that.
func (b *Bot) ownConfig(ctx context.Context, src checkout.Source, c run.Change) []planner.Problem {
	out := []planner.Problem{{Path: planner.ConfigFile, Message: "This pull request changes it. It is judged by the one on its base branch; its own holds once it is merged."}}
	text, err := b.Checkout.File(ctx, src, c.Target(), planner.ConfigFile)
	if err != nil {
		return out // it is removed, or can't be read, which others say
	}
	if _, err := planner.ParseConfig(text, planner.ConfigFile); errs.Is(err, errs.Invalid) {
		out = append(out, planner.Problem{Path: planner.ConfigFile, Message: "What it brings is not valid, and would keep everything from being planned: " + strings.ReplaceAll(errs.Sentence(err), "\n", " ")})
	}
	return out
}

// keptDirs returns the changed directories that still hold code and have a
// state here: projects, even where the code has nothing to plan any more. What
// they made must still be destroyed.
func (b *Bot) keptDirs(repo clients.Repo, root fs.FS, changed []string) []string {
	var dirs []string
	for _, file := range changed {
		dir := path.Dir(file)
		if path.Ext(file) != ".tf" || slices.Contains(dirs, dir) {
			continue
		}
		r := run.Run{Client: repo.ClientID, Repo: repo.ID, Project: planner.Project{Dir: dir, Workspace: planner.DefaultWorkspace}}
		if _, err := os.Stat(b.statePath(r)); err != nil {
			continue
		}
		if code, err := fs.Glob(root, path.Join(globQuote(dir), "*.tf")); err == nil && len(code) > 0 {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// globQuote makes a path that a stranger chose mean itself in a pattern.
func globQuote(s string) string {
	return strings.NewReplacer("\\", "\\\\", "*", "\\*", "?", "\\?", "[", "\\[").Replace(s)
}

// deleted names the projects whose code the pull request takes away: nothing
// plans what they made, so somebody must be told.
func (b *Bot) deleted(ctx context.Context, src checkout.Source, c run.Change, p run.Pull, cfg planner.RepoConfig, head []planner.Project) ([]planner.Problem, error) {
	root, err := b.Checkout.TreeFS(ctx, src, refs(c, p), base(c, p))
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

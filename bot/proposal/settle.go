package proposal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/sarif"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// Evidence is what a run left beside its plan, for Settle.
type Evidence struct {
	Scans []tfrun.Scan
	// Tree is that of the commit that was planned, nil where it can't be had.
	// What hooks made is not in it.
	Tree fs.FS
	// Base is the tree that the change is compared with and Changed the paths
	// that differ from it, for what is told of touched resources alone. Without
	// Base nothing is touched; without Changed any file may be.
	Base    fs.FS
	Changed []string
	// Raise returns the level that findings of a scanner's rule have at least; see
	// Reader.Raise. It may be nil.
	Raise func(rule string) policy.Level
	// NoHooks tells that hooks are left out on purpose, so that no scanner is
	// missed.
	NoHooks bool
}

// Settle completes a report with what judging could not see: what scanners
// found, where in the code each finding stands, and which page explains its
// rule. A scanner of which nothing can be read makes the verdict Error: what
// nobody has looked at is not passed.
func (d Reader) Settle(r *run.Run, plan *tfplan.Plan, e Evidence) {
	if e.Tree == nil {
		e.Tree = noTree{}
	}
	at := planner.NewLocator(e.Tree, r.Project)
	found, problems := d.scans(r.Project, e, at)
	if len(found)+len(problems) > 0 {
		mask := redact.NewMasker(plan.SensitiveValues()...)
		r.Report.Add(mask, policy.Project{Name: r.Project.Name, Dir: r.Project.Dir, Workspace: r.Project.Workspace}, found, problems)
	}
	places := map[string]planner.Place{}
	for i := range r.Report.Findings {
		f := &r.Report.Findings[i]
		if f.Source != "" {
			continue
		}
		f.URL = RuleURL(d.PublicURL, *f)
		if f.Address == "" || f.File != "" {
			continue
		}
		p, known := places[f.Address]
		if !known {
			p = at.Find(f.Address)
			places[f.Address] = p
		}
		f.File, f.Line, f.EndLine = p.File, p.Line, p.EndLine
	}
	if r.Estimate != nil {
		e.place(r.Project, at, r.Estimate.Advice)
	}
}

// Raise returns what the server wants scanners' findings in a project to count
// as at least; nil where the project has no scanner, or where what judges it
// can't be had, which leaves it unjudged anyhow.
func (d Reader) Raise(ctx context.Context, p planner.Project, facts Facts) func(rule string) policy.Level {
	if !slices.ContainsFunc(p.Hooks, planner.Hook.Scans) {
		return nil
	}
	judging, err := d.Policies.For(ctx, facts.Target(p), facts.Repo)
	if err != nil {
		return nil
	}
	return judging.ScanLevel
}

// rulesPage is where the bundled rules are explained for servers that have no
// address of their own.
const rulesPage = "https://github.com/tidelock/tidelock/blob/main/docs/policies-rules.md"

// RuleURL is the page that explains a finding's rule, "" where there is none:
// of a scanner's the scanner itself tells it. publicURL is the server's, "" for
// none.
func RuleURL(publicURL string, f policy.Finding) string {
	switch {
	case f.Source != "":
		return f.URL
	case f.Pack == policyset.RepositoryPack: // its rules are explained where they stand
		return ""
	case publicURL != "":
		return publicURL + "/policies/" + url.PathEscape(f.Rule)
	case f.Pack == "":
		return rulesPage + "#" + strings.ReplaceAll(strings.ToLower(f.Rule), ".", "")
	}
	return ""
}

// scans reads what the project's scanners left.
func (d Reader) scans(p planner.Project, e Evidence, at *planner.Locator) (found []policy.Finding, problems []policy.Problem) {
	ran := map[int]tfrun.Scan{}
	for _, s := range e.Scans {
		ran[s.Hook] = s
	}
	for i, h := range p.Hooks {
		if !h.Scans() {
			continue
		}
		name := fmt.Sprintf("the scanner at %s, %s,", h.When, markdown.Abridged(h.String(), maxScanner))
		s, ok := ran[i]
		if !ok {
			if !e.NoHooks {
				problems = append(problems, policy.Problem{Message: name + " was not run: this server runs no hooks (terraform.allow_hooks)"})
			}
			continue
		}
		problem := s.Problem
		if problem == "" {
			log, err := readScan(s.File)
			for _, t := range log.Trouble {
				problems = append(problems, policy.Problem{Message: name + " told of trouble: " + d.Masker.String(t)})
			}
			if err == nil {
				for _, f := range sarif.Findings(log, sarif.Reading{Levels: levelsOf(h), Raise: e.Raise, Place: d.place(p, s, e.Tree, at)}) {
					f.Message, f.Title = d.Masker.String(f.Message), d.Masker.String(f.Title)
					found = append(found, f)
				}
				continue
			}
			problem = "what it wrote to " + h.SARIF + " can't be read: " + errs.Sentence(err)
		}
		problems = append(problems, policy.Problem{Message: name + " left nothing that can be judged: " + problem})
	}
	return found, problems
}

// maxScanner is how much of a scanner's command line is told, in bytes.
const maxScanner = 200

func readScan(file string) (sarif.Log, error) {
	f, err := os.Open(file)
	if err != nil {
		return sarif.Log{}, errs.Wrap(errs.Invalid, err, "its copy is gone")
	}
	defer f.Close()
	return sarif.Read(f)
}

func levelsOf(h planner.Hook) sarif.Levels {
	out := sarif.Levels{}
	for of, as := range h.Levels {
		out[sarif.Level(of)] = policy.Level(as)
	}
	return out
}

// place returns what finds the place of a scanner's result in the commit's
// tree. A path may be as seen from the machine's root, from where the scanner
// ran, or from the repository's root.
func (d Reader) place(p planner.Project, s tfrun.Scan, tree fs.FS, at *planner.Locator) func(sarif.Result) sarif.Place {
	roots := []string{s.Root}
	if real, err := filepath.EvalSymlinks(s.Root); err == nil && real != s.Root {
		roots = append(roots, real)
	}
	dir := s.Dir
	if dir == "" {
		dir = p.Dir
	}
	known := map[string]string{}
	resolve := func(name string) string {
		for _, root := range roots {
			if rest, ok := strings.CutPrefix(name, strings.TrimSuffix(root, "/")+"/"); ok && root != "" {
				return inTree(tree, ".", rest)
			}
		}
		if path.IsAbs(name) {
			return ""
		}
		if file := inTree(tree, dir, name); file != "" {
			return file
		}
		return inTree(tree, ".", name)
	}
	return func(r sarif.Result) sarif.Place {
		var place sarif.Place
		for _, name := range []string{r.Path, r.Given} {
			if name == "" || place.File != "" {
				continue
			}
			file, ok := known[name]
			if !ok {
				file = resolve(name)
				known[name] = file
			}
			place.File = file
		}
		if at.Elsewhere(place.File) { // no line of this repository
			place.File = ""
		}
		if place.File != "" && r.Line > 0 {
			place.Address = at.Resource(place.File, r.Line)
		}
		return place
	}
}

// inTree returns the path of a file of the tree, "" where there is none. No
// link is followed: a scanner names the files that it has read.
func inTree(tree fs.FS, dir, name string) string {
	file, err := planner.InRepo(dir, name)
	if err != nil {
		return ""
	}
	if info, err := fs.Lstat(tree, file); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return file
}

// noTree is the tree of a commit that can't be had.
type noTree struct{}

// Open finds nothing.
func (noTree) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: errors.ErrUnsupported}
}

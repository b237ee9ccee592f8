package planner

import (
	"errors"
	"fmt"
	"path"
	"sort"
	"strings"
	"unicode"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/tidelock/tidelock/internal/errs"
)

// ConfigFile is the repository's configuration file, read at the pull
// request's base commit, so that a pull request can't weaken its own rules.
const ConfigFile = "tidelock.hcl"

// RepoConfig is what a repository says about itself in ConfigFile. The zero
// value is not the default; see DefaultRepoConfig. A pointer that is nil
// leaves the choice to the server's settings.
type RepoConfig struct {
	Projects         []ProjectConfig
	Autodiscover     bool     // find projects that are not listed; true by default
	Ignore           []string // doublestar patterns of directories that are never projects
	ApplyBeforeMerge *bool    // `apply` is taken on an open pull request
	AutoMerge        *bool    // merge when everything is applied; implies apply before merge
	Lock             *string  // when the lock is taken: LockAtPlan, LockAtApply or LockOff
	ApplyOnMerge     *bool    // merging applies
	MergeMethod      *string  // merge | squash | rebase
	DeleteBranch     *bool    // delete the pull's branch after an automatic merge
	AutoPlan         *bool    // plan when a pull is opened or pushed to; otherwise only by command
	PlanDrafts       *bool    // plan drafts too
	QuietUnchanged   *bool    // no comment where no plan changes anything
	CommentPerCommit *bool    // a new comment for each head, the older ones folded away
	SplitComments    *bool    // what is too long for one comment goes on in others
	ProjectChecks    *bool    // a check for each project beside the two for all
	Commands         []string // the commands that are taken in comments; nil for all that the server allows
	Template         string   // text/template of the comment; "" for the usual one
	TemplateLine     int      // where it begins in the file
}

// When a project's lock is taken.
const (
	LockAtPlan  = "plan"
	LockAtApply = "apply"
	LockOff     = "off"
)

// ProjectConfig is one project block.
type ProjectConfig struct {
	Name      string
	Dir       string   // relative to the repository's root, clean
	Workspace string   // DefaultWorkspace where none is given
	VarFiles  []string // relative to Dir, clean, inside the repository
	Watch     []string // doublestar patterns relative to the repository's root
	Line      int      // of the block, for problems that are found later
}

// DefaultRepoConfig is the configuration of a repository that has no file.
func DefaultRepoConfig() RepoConfig { return RepoConfig{Autodiscover: true} }

// Keep returns the configuration with further directories as projects of the
// default workspace, named as if they had been discovered: those that were
// projects before and hold nothing to plan any more but the end of what they
// made. A directory that is listed already stays as it is.
func (c RepoConfig) Keep(dirs ...string) RepoConfig {
	listed := map[string]bool{}
	for _, p := range c.Projects {
		listed[p.Dir] = true
	}
	c.Projects = append([]ProjectConfig(nil), c.Projects...)
	for _, dir := range dirs {
		if !listed[dir] {
			listed[dir] = true
			c.Projects = append(c.Projects, ProjectConfig{Name: displayName(dir, DefaultWorkspace), Dir: dir, Workspace: DefaultWorkspace})
		}
	}
	return c
}

// The form of the file.
type hclConfig struct {
	Autodiscover     *bool        `hcl:"autodiscover"`
	Ignore           []string     `hcl:"ignore,optional"`
	ApplyBeforeMerge *bool        `hcl:"apply_before_merge"`
	AutoMerge        *bool        `hcl:"auto_merge"`
	Lock             *string      `hcl:"lock"`
	Projects         []hclProject `hcl:"project,block"`
}

type hclProject struct {
	Name      string    `hcl:"name,label"`
	Dir       string    `hcl:"dir"`
	Workspace *string   `hcl:"workspace"`
	VarFiles  []string  `hcl:"var_files,optional"`
	Watch     []string  `hcl:"watch,optional"`
	Range     hcl.Range `hcl:",def_range"`
}

const maxConfig = 1 << 20

// validProjectName reports whether name may stand after -p in a command: no
// space, nothing that Markdown or a shell reads.
func validProjectName(name string) bool { return plainName(name, 100, "._/-") }

// ParseConfig reads a ConfigFile; filename is what its messages call it. The
// error is errs.Invalid and its sentence lists every problem, one a line, with
// file and line.
func ParseConfig(src []byte, filename string) (RepoConfig, error) {
	cfg := DefaultRepoConfig()
	if len(src) > maxConfig {
		return cfg, errs.New(errs.Invalid, "%s is larger than %d kB.", filename, maxConfig>>10)
	}
	if err := checkDepth(src); err != nil {
		return cfg, errs.New(errs.Invalid, "%s: %s", filename, err)
	}
	var problems []Problem
	say := func(line int, format string, args ...any) {
		problems = append(problems, Problem{Path: filename, Line: line, Message: fmt.Sprintf(format, args...)})
	}
	file, diags := hclsyntax.ParseConfig(src, filename, hcl.InitialPos)
	var raw hclConfig
	if !diags.HasErrors() {
		diags = append(diags, gohcl.DecodeBody(file.Body, nil, &raw)...)
	}
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			say(lineOf(d), "%s", sentence(d))
		}
	}
	if raw.Autodiscover != nil {
		cfg.Autodiscover = *raw.Autodiscover
	}
	cfg.Ignore, cfg.ApplyBeforeMerge, cfg.AutoMerge, cfg.Lock = raw.Ignore, raw.ApplyBeforeMerge, raw.AutoMerge, raw.Lock
	line := func(attribute string) int {
		if body, ok := file.Body.(*hclsyntax.Body); ok {
			if a := body.Attributes[attribute]; a != nil {
				return a.SrcRange.Start.Line
			}
		}
		return 0
	}
	for _, p := range raw.Ignore {
		if !doublestar.ValidatePattern(p) {
			say(line("ignore"), "%q is not a pattern.", p)
		}
	}
	if l := raw.Lock; l != nil && *l != LockAtPlan && *l != LockAtApply {
		say(line("lock"), "lock is %q; it can be %q or %q.", *l, LockAtPlan, LockAtApply)
	}
	names, keys := map[string]int{}, map[string]int{}
	for _, p := range raw.Projects {
		pc := checkProject(p, say)
		if first, ok := names[pc.Name]; ok {
			say(pc.Line, "There is a project %q on line %d already.", pc.Name, first)
		}
		key := Project{Dir: pc.Dir, Workspace: pc.Workspace}.Key()
		if first, ok := keys[key]; ok {
			say(pc.Line, "The project on line %d has the same directory and workspace: they would share one state.", first)
		}
		names[pc.Name], keys[key] = pc.Line, pc.Line
		cfg.Projects = append(cfg.Projects, pc)
	}
	if len(problems) > 0 {
		return DefaultRepoConfig(), problemsError(problems)
	}
	return cfg, nil
}

func checkProject(p hclProject, say func(int, string, ...any)) ProjectConfig {
	pc := ProjectConfig{Name: p.Name, Dir: p.Dir, Workspace: DefaultWorkspace, Watch: p.Watch, Line: p.Range.Start.Line}
	if !validProjectName(p.Name) {
		say(pc.Line, "The project name %q can have letters, digits, and . _ / - only.", p.Name)
	}
	if dir, err := cleanPath(".", p.Dir); err != nil {
		say(pc.Line, "The project's dir %q %s.", p.Dir, err)
	} else {
		pc.Dir = dir
	}
	if p.Workspace != nil {
		pc.Workspace = *p.Workspace
		if !ValidWorkspace(pc.Workspace) {
			say(pc.Line, "The workspace %q can have letters, digits, and . _ - only.", pc.Workspace)
		}
	}
	for _, f := range p.VarFiles {
		if _, err := cleanPath(pc.Dir, f); err != nil {
			say(pc.Line, "The variable file %q %s.", f, err)
			continue
		}
		pc.VarFiles = append(pc.VarFiles, path.Clean(f))
	}
	for _, w := range p.Watch {
		if !doublestar.ValidatePattern(w) {
			say(pc.Line, "%q is not a pattern.", w)
		}
	}
	return pc
}

// cleanPath joins dir and a path that the repository's code gives, and
// returns it relative to the repository's root. Its error reads on after the
// path: "leads out of the repository".
func cleanPath(dir, p string) (string, error) {
	switch {
	case p == "":
		return "", errors.New("is empty")
	case len(p) > 1000:
		return "", errors.New("is too long")
	case path.IsAbs(p):
		return "", errors.New("is an absolute path; give one relative to the repository's root")
	case strings.ContainsFunc(p, func(r rune) bool { return r == '\\' || !unicode.IsPrint(r) }):
		return "", errors.New("has a character that paths can't have")
	}
	joined := path.Join(dir, p)
	if joined == ".." || strings.HasPrefix(joined, "../") {
		return "", errors.New("leads out of the repository")
	}
	return joined, nil
}

// problemsError is the error that lists problems, in their order in the files.
func problemsError(problems []Problem) error {
	sort.SliceStable(problems, func(i, j int) bool {
		if problems[i].Path != problems[j].Path {
			return problems[i].Path < problems[j].Path
		}
		return problems[i].Line < problems[j].Line
	})
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	return errs.New(errs.Invalid, "%s", strings.Join(lines, "\n"))
}

func lineOf(d *hcl.Diagnostic) int {
	if d.Subject == nil {
		return 0
	}
	return d.Subject.Start.Line
}

// sentence writes a diagnostic of the HCL library as whole sentences.
func sentence(d *hcl.Diagnostic) string {
	s := strings.TrimSuffix(d.Summary, ".") + "."
	if d.Detail != "" && d.Detail != d.Summary {
		s += " " + d.Detail
	}
	return s
}

package planner

import (
	"errors"
	"path"
	"sort"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/gate"
)

// ConfigFile is the repository's configuration file, read at the pull
// request's base commit, so that a pull request can't weaken its own rules.
const ConfigFile = "tidelock.hcl"

// RepoConfig is what a repository says about itself in ConfigFile. The zero
// value is not the default; see DefaultRepoConfig. A pointer that is nil
// leaves the choice to the server's settings.
type RepoConfig struct {
	File             string // that it was read from, relative to the root; "" where there is none
	Commit           string // that it was read at, where whoever read it says so
	Projects         []ProjectConfig
	Autodiscover     bool     // find projects that are not listed; true by default
	Ignore           []string // doublestar patterns of directories that are never projects
	Submodules       bool     // fetch the repository's Git submodules, where the server allows it
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
	Gates            gate.Set // beside the server's: they can only tighten
	Tool             ToolConfig
	Drift            DriftConfig
	Policy           PolicyConfig
}

// When a project's lock is taken.
const (
	LockAtPlan  = "plan"
	LockAtApply = "apply"
	LockOff     = "off"
)

// ProjectConfig is one project: a project block, or one workspace of it.
type ProjectConfig struct {
	Name         string
	Dir          string            // relative to the repository's root, clean
	Workspace    string            // DefaultWorkspace where none is given
	VarFiles     []string          // relative to Dir, clean, inside the repository
	Watch        []string          // doublestar patterns relative to the repository's root
	WhenModified []string          // patterns as Matches takes them, relative to the repository's root; nil for what Affected looks at by itself
	DependsOn    []string          // names of projects
	Order        int               // applied after those of lower ones
	Weight       int               // how many ordinary runs one of its runs is worth; 0 for 1
	ByHand       bool              // never planned by a push
	Env          map[string]string // of its runs
	Options      Options           // flags of each of its plans
	Hooks        []Hook
	Kind         string // KindTerragrunt, or "" for Terraform's own
	SourceDir    string // where hooks run that make the code in Dir, relative to the repository's root; "" where nothing does
	Secrets      Secrets
	UsageFile    string // relative to Dir, clean, inside the repository; "" for none
	Tool         ToolConfig
	Drift        DriftConfig
	Line         int // of the block, for problems that are found later
	DependsLine  int // of depends_on
	// ReadsState are the keys of the projects of the repository whose outputs
	// the project may read; see Project.Key. ReadsLine is where they are named.
	ReadsState []string
	ReadsLine  int
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

// InRepo joins dir and a path that the repository gives, and
// returns it relative to the repository's root. Its error reads on after the
// path: "leads out of the repository".
func InRepo(dir, p string) (string, error) {
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

// ProblemsError is the errs.Invalid that lists problems, one a line, in their
// order in the files.
func ProblemsError(problems []Problem) error {
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

// ValidProjectName reports whether name can be a project's: letters, digits
// and . _ / - :, so that it can stand in a command and in Markdown.
func ValidProjectName(name string) bool { return plainName(name, 100, "._/-:") }

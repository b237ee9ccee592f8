package command

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/planner"
)

// Filter narrows a command to some projects. An empty list lets everything
// through; of a list, one entry must match. Entries are names or patterns
// with *, **, ? and [...]; braces have no meaning.
type Filter struct {
	Dirs       []string `json:"dirs,omitempty"` // clean paths relative to the root
	Workspaces []string `json:"workspaces,omitempty"`
	Projects   []string `json:"projects,omitempty"` // by name; there * stands for / too
}

// Empty reports whether the filter lets everything through.
func (f Filter) Empty() bool {
	return len(f.Dirs) == 0 && len(f.Workspaces) == 0 && len(f.Projects) == 0
}

// Match reports whether the project passes.
func (f Filter) Match(p planner.Project) bool {
	return matchAny(f.Dirs, p.Dir, false) && matchAny(f.Workspaces, p.Workspace, true) && matchAny(f.Projects, p.Name, true)
}

// One reports whether the filter can only mean a single directory, workspace
// and project: it repeats nothing and holds no pattern.
func (f Filter) One() bool {
	for _, list := range [][]string{f.Dirs, f.Workspaces, f.Projects} {
		if len(list) > 1 || len(list) == 1 && strings.ContainsAny(list[0], "*?") {
			return false
		}
	}
	return true
}

// String returns the filter as it is typed, with a space before each flag.
func (f Filter) String() string {
	var b strings.Builder
	for _, o := range []struct {
		flag   string
		values []string
	}{{"-d", f.Dirs}, {"-w", f.Workspaces}, {"-p", f.Projects}} {
		for _, v := range o.values {
			if o.flag == "-d" && strings.HasPrefix(v, "-") {
				v = "./" + v
			}
			fmt.Fprintf(&b, " %s %s", o.flag, Quote(v))
		}
	}
	return b.String()
}

// matchAny reports whether one of the patterns is or matches s, or whether
// there are none.
func matchAny(patterns []string, s string, flat bool) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return p == s || match(p, s, flat) })
}

// Braces are taken literally: with them, the work of a match grows with the
// product of all their alternatives, and a pattern is hostile input.
var noBraces = strings.NewReplacer("{", `\{`, "}", `\}`)

// match is one pattern against one name. flat makes / a letter like any other.
func match(pattern, s string, flat bool) bool {
	if flat {
		pattern, s = strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(s, "/", "\x00")
	}
	ok, err := doublestar.Match(noBraces.Replace(pattern), s)
	return err == nil && ok
}

const (
	// maxNames is how often each of -d, -w and -p may be given.
	maxNames = 50
	// maxNameLength is the bytes that a name or pattern after them may have.
	maxNameLength = 300
)

// Add puts what was typed after -d, -w or -p into the filter. The error is
// errs.Invalid and says what may stand there.
func (f *Filter) Add(flag, value string) error {
	if problem := f.add(flag, value); problem != "" {
		return errs.New(errs.Invalid, "%s", strings.ReplaceAll(problem, "`", ""))
	}
	return nil
}

// add puts what was typed after a flag into the filter. The sentence says
// what is wrong with it, in Markdown, "" if nothing is.
func (f *Filter) add(flag, value string) string {
	if len(value) > maxNameLength {
		return fmt.Sprintf("What follows `%s` can have %d bytes at most.", flag, maxNameLength)
	}
	var into *[]string
	switch flag {
	case "-d":
		into = &f.Dirs
		clean := path.Clean(value)
		if path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") || strings.Contains(clean, "\\") {
			return "`-d` takes a directory inside the repository, such as `-d live/network`."
		}
		if !doublestar.ValidatePattern(noBraces.Replace(clean)) {
			return fmt.Sprintf("`%s` is no valid pattern.", markdown.Word(clean))
		}
		value = clean
	case "-w":
		into = &f.Workspaces
		if !planner.ValidWorkspace(strings.NewReplacer("*", "x", "?", "x").Replace(value)) {
			return "`-w` takes the name of a workspace: letters, digits, `-`, `_` and `.`, and `*` and `?` for any of them."
		}
	case "-p":
		into = &f.Projects
		if strings.HasPrefix(value, "-") {
			return "`-p` takes the name of a project, as the comment shows it."
		}
	}
	if slices.Contains(*into, value) {
		return ""
	}
	if len(*into) == maxNames {
		return fmt.Sprintf("`%s` can be given %d times at most.", flag, maxNames)
	}
	*into = append(*into, value)
	return ""
}

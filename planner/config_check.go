package planner

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/bmatcuk/doublestar/v4"
)

// templateProblem reports what the template's grammar says against it, and
// where: first is the line of the file at which the text begins. What it may
// use is for whoever executes it to check.
func templateProblem(text string, first int) (line int, problem string) {
	if len(text) > maxTemplate {
		return first, fmt.Sprintf("The template is larger than %d kB.", maxTemplate>>10)
	}
	if strings.TrimSpace(text) == "" {
		return first, "The template is empty. Leave the block out for the usual comment."
	}
	const name = "comment"
	tree := parse.New(name)
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(text, "", "", map[string]*parse.Tree{}); err != nil {
		// The package tells its errors as "template: comment:3: unexpected …".
		message := strings.TrimPrefix(err.Error(), "template: "+name+":")
		at, rest, ok := strings.Cut(message, ":")
		n, convErr := strconv.Atoi(at)
		if !ok || convErr != nil {
			return first, "The template can't be read: " + message + "."
		}
		return first + n - 1, "The template can't be read: " + strings.TrimSuffix(strings.TrimSpace(rest), ".") + "."
	}
	return 0, ""
}

// maxTemplate is in bytes: more than a comment's words need, and what the bot
// takes.
const maxTemplate = 16 << 10

// EnvProblem reports why a run of a project can't be given the variable, as
// the end of a sentence that begins with its name; "" where it can, as far as
// the server allows that name. What steers Terraform or the programs that run
// is Tidelock's alone to set.
func EnvProblem(name, value string) string {
	switch {
	case !plainName(name, 200, "") || name[0] >= '0' && name[0] <= '9':
		return "is no name of an environment variable: letters, digits and _ only."
	case strings.HasPrefix(name, "TF_VAR_"):
		return "can't be set here. Write the value into a .tfvars file and name that in var_files."
	case strings.HasPrefix(name, "TF_CLI_ARGS"):
		return "can't be set here. Use flags for the flags of plans."
	case strings.HasPrefix(name, "TF_"), strings.HasPrefix(name, "TIDELOCK_"), strings.HasPrefix(name, "TG_"), strings.HasPrefix(name, "TERRAGRUNT_"):
		return "is for Tidelock alone to set."
	case name == "HOME", name == "PATH", name == "TMPDIR", name == "IFS", name == "ENV", name == "BASH_ENV", name == "CHECKPOINT_DISABLE",
		strings.HasPrefix(name, "LD_"), strings.HasPrefix(name, "DYLD_"):
		return "is for Tidelock alone to set: every run gets its own."
	case len(value) > 32<<10 || strings.ContainsRune(value, 0):
		return "has a value that no environment can hold."
	}
	return ""
}

// hookProblem reports what is wrong with a hook's program and arguments.
func hookProblem(run []string) string {
	switch {
	case len(run) == 0 || run[0] == "":
		return "run names no program. It is the program and its arguments, such as [\"./generate.sh\", \"--quick\"]."
	case len(run) > 100:
		return "run has more than 100 arguments."
	case len(run) == 1 && strings.ContainsAny(run[0], " \t\n"):
		words := strings.Fields(run[0])
		return fmt.Sprintf("run is the program and its arguments, and no shell's line: write [%s].", strings.Join(quoteAll(words), ", "))
	}
	for _, a := range run {
		if len(a) > 16<<10 || strings.ContainsRune(a, 0) {
			return "run has an argument that no program can be given."
		}
	}
	return ""
}

func quoteAll(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strconv.Quote(short(w))
	}
	return out
}

// IgnoreProblem reports why a pattern of directories can't be one; "" where it
// can.
func IgnoreProblem(pattern string) string {
	if !doublestar.ValidatePattern(pattern) {
		return fmt.Sprintf("%q is not a pattern.", short(pattern))
	}
	return ""
}

// PatternProblem reports why a pattern of when_modified can't be one, as the
// end of a sentence; "" where it can.
func PatternProblem(pattern string) string {
	p := strings.TrimPrefix(pattern, "!")
	switch clean := path.Clean(p); {
	case p == "":
		return "is empty"
	case len(p) > 1000:
		return "is too long"
	case path.IsAbs(p):
		return "is an absolute path; give one relative to the repository's root"
	case clean == ".." || strings.HasPrefix(clean, "../"):
		return "leads out of the repository"
	case !doublestar.ValidatePattern(p):
		return "is none"
	}
	return ""
}

// matchLast reports whether the last of the patterns that match the file says
// yes. A pattern with a "!" before it says no. One that matches a directory
// speaks of all that lies below it.
func matchLast(patterns []string, file string) bool {
	matched := false
	for _, pattern := range patterns {
		p, not := strings.CutPrefix(pattern, "!")
		if matched == !not {
			continue // it would change nothing
		}
		p = path.Clean(p)
		for at := file; at != "." && at != "/"; at = path.Dir(at) {
			if doublestar.MatchUnvalidated(p, at) {
				matched = !not
				break
			}
		}
	}
	return matched
}

// dependencies checks what projects say of each other: names that exist, no
// circle, and no order that contradicts.
func (r *configReader) dependencies(cfg RepoConfig) {
	byName := map[string]*ProjectConfig{}
	names := make([]string, 0, len(cfg.Projects))
	for i := range cfg.Projects {
		p := &cfg.Projects[i]
		byName[p.Name] = p
		names = append(names, p.Name)
	}
	for _, p := range cfg.Projects {
		for _, name := range p.DependsOn {
			on := byName[name]
			switch {
			case name == p.Name:
				r.say(p.DependsLine, "The project %s depends on itself.", p.Name)
			case on == nil && !cfg.Autodiscover:
				r.say(p.DependsLine, "The project %s depends on %q, and there is no such project.%s", p.Name, short(name), r.guess(name, names))
			case on != nil && on.Order > p.Order:
				r.say(p.DependsLine, "The project %s depends on %s, whose order is %d, and has the lower order %d itself: neither could begin. Give it order = %d, or leave order out of both.",
					p.Name, on.Name, on.Order, p.Order, on.Order)
			}
		}
	}
	for _, circle := range Circles(cfg.Projects) {
		r.say(byName[circle[0]].DependsLine, "The projects depend on each other in a circle: %s.", CircleText(circle))
	}
}

// reads turns what projects say of the states that they read into the keys of
// those projects: each name is a project's or a block's, or a directory's, where
// it stands for all of its workspaces. It is read by this file alone: what a
// name stands for must not be for a pull request to say. Whether a project is
// there that the file does not list only the tree tells.
func (r *configReader) reads(cfg *RepoConfig) {
	byName := map[string][]string{}
	for _, p := range cfg.Projects {
		key := Project{Dir: p.Dir, Workspace: p.Workspace}.Key()
		names := []string{p.Name, p.Dir}
		if block, ok := strings.CutSuffix(p.Name, ":"+p.Workspace); ok {
			names = append(names, block)
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			byName[name] = append(byName[name], key)
		}
	}
	exact := map[string]string{}
	names := make([]string, 0, len(cfg.Projects))
	for _, p := range cfg.Projects {
		exact[p.Name] = Project{Dir: p.Dir, Workspace: p.Workspace}.Key()
		names = append(names, p.Name)
	}
	total := 0
	for i := range cfg.Projects {
		p := &cfg.Projects[i]
		var keys []string
		for _, name := range p.ReadsState {
			dir, err := InRepo(".", name)
			switch {
			case exact[name] != "":
				keys = append(keys, exact[name])
			case byName[name] != nil:
				keys = append(keys, byName[name]...)
			case err == nil && byName[dir] != nil:
				keys = append(keys, byName[dir]...)
			case err == nil && cfg.Autodiscover && !strings.Contains(dir, ":"):
				keys = append(keys, Project{Dir: dir, Workspace: DefaultWorkspace}.Key())
			default:
				r.say(p.ReadsLine, "The project %s reads the state of %q, and there is no such project.%s", p.Name, short(name), r.guess(name, names))
			}
			if total+len(keys) > maxDependencies {
				r.say(p.ReadsLine, "The projects read each other's states more than %d times.", maxDependencies)
				return
			}
		}
		total += len(keys)
		slices.Sort(keys)
		p.ReadsState = slices.Compact(keys)
		if slices.Contains(p.ReadsState, (Project{Dir: p.Dir, Workspace: p.Workspace}).Key()) && len(p.ReadsState) == 1 {
			r.say(p.ReadsLine, "The project %s reads its own state, which it has.", p.Name)
		}
	}
}

// Circles returns the circles of several projects that depend on each other,
// by name: the first one stands at the end again. Where there are many through
// the same projects, not all of them are told.
func Circles(projects []ProjectConfig) [][]string {
	byName := map[string]*ProjectConfig{}
	for i := range projects {
		byName[projects[i].Name] = &projects[i]
	}
	const visiting, done = 1, 2
	state := map[string]int{}
	var circles [][]string
	var visit func(p *ProjectConfig, way []string)
	visit = func(p *ProjectConfig, way []string) {
		state[p.Name] = visiting
		way = append(way, p.Name)
		for _, name := range p.DependsOn {
			on := byName[name]
			switch {
			case on == nil || name == p.Name || state[name] == done:
			case state[name] == visiting:
				if len(circles) < maxGuesses {
					circles = append(circles, circle(append(append([]string(nil), way...), name)))
				}
			default:
				visit(on, way)
			}
		}
		state[p.Name] = done
	}
	for i := range projects {
		if state[projects[i].Name] == 0 {
			visit(&projects[i], nil)
		}
	}
	return circles
}

// CircleText writes a circle for people: "a → b → a".
func CircleText(circle []string) string {
	const most = 20
	if n := len(circle); n > most {
		circle = append(append(append([]string(nil), circle[:most-2]...), fmt.Sprintf("%d more", n-most+1)), circle[n-1])
	}
	return strings.Join(circle, " → ")
}

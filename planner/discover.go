package planner

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/tidelock/tidelock/internal/errs"
)

// maxEntries bounds how many files and directories Discover looks at.
const maxEntries = 500_000

// Discover finds the projects in a work tree. Pass the FS of an os.Root, which
// no link leads out of; os.DirFS follows links anywhere.
//
// A directory that the configuration lists is always a project. Where
// autodiscovery is on, so is a directory of Terraform code that
//   - declares a backend or a cloud block, or
//   - is not called as a local module from elsewhere in the repository and
//     has a provider block, or
//   - is neither called, nor below a directory named modules, and has
//     required_providers or anything to plan.
//
// Hidden directories and those that the configuration ignores are passed over.
// Projects come sorted by directory and workspace. Problems are what is wrong
// in the code of projects and the modules they call; they keep no project
// from the list. The error is errs.TooLarge or one of reading.
func Discover(fsys fs.FS, cfg RepoConfig) ([]Project, []Problem, error) {
	modules, err := scan(fsys)
	if err != nil {
		return nil, nil, err
	}
	called := map[string]bool{}
	for _, m := range modules {
		for _, c := range m.calls {
			if c.dir != m.dir {
				called[c.dir] = true
			}
		}
	}
	var projects []Project
	var problems []Problem
	taken := map[string]bool{} // directories that the configuration speaks of
	for _, pc := range cfg.Projects {
		taken[pc.Dir] = true
		p := Project{
			Name: pc.Name, Dir: pc.Dir, Workspace: pc.Workspace, Watch: pc.Watch, WhenModified: pc.WhenModified,
			DependsOn: pc.DependsOn, Order: pc.Order, ByHand: pc.ByHand, Env: pc.Env, Options: pc.Options, Hooks: pc.Hooks,
		}
		for _, h := range pc.Hooks {
			// What a program reads before the plan nobody can tell.
			p.WholeTree = p.WholeTree || h.When == BeforePlan
		}
		for _, f := range pc.VarFiles {
			p.VarFiles = append(p.VarFiles, path.Join(pc.Dir, f))
		}
		if p.Workspace == "" {
			p.Workspace = DefaultWorkspace
		}
		if m := modules[pc.Dir]; m == nil || m.files == 0 {
			p.Missing = true
			problems = append(problems, Problem{Path: cfg.file(), Line: pc.Line, Message: fmt.Sprintf("The project %s has the directory %s, which holds no Terraform code.", pc.Name, pc.Dir)})
		}
		projects = append(projects, p)
	}
	if cfg.Autodiscover {
		for dir, m := range modules {
			if taken[dir] || ignored(dir, cfg.Ignore) || !isProject(m, called[dir]) {
				continue
			}
			projects = append(projects, Project{Name: displayName(dir, DefaultWorkspace), Dir: dir, Workspace: DefaultWorkspace})
		}
	}
	sort.Slice(projects, func(i, j int) bool {
		if projects[i].Dir != projects[j].Dir {
			return projects[i].Dir < projects[j].Dir
		}
		return projects[i].Workspace < projects[j].Workspace
	})
	problems = append(problems, cfg.lost(projects)...)
	seen := map[string]bool{} // directories whose problems are told
	for i := range projects {
		problems = append(problems, complete(&projects[i], modules, seen)...)
	}
	sort.SliceStable(problems, func(i, j int) bool {
		if problems[i].Path != problems[j].Path {
			return problems[i].Path < problems[j].Path
		}
		return problems[i].Line < problems[j].Line
	})
	return projects, problems, nil
}

// file returns the path that problems of the configuration are told with.
func (c RepoConfig) file() string {
	if c.File == "" {
		return ConfigFile
	}
	return c.File
}

// lost returns a problem for each project that depends on one that is not
// there, or that would be applied before it: what ParseConfig can't know of
// projects that are discovered.
func (c RepoConfig) lost(projects []Project) []Problem {
	byName := map[string]Project{}
	names := make([]string, 0, len(projects))
	for _, p := range projects {
		byName[p.Name] = p
		names = append(names, p.Name)
	}
	var problems []Problem
	for _, pc := range c.Projects {
		for _, name := range pc.DependsOn {
			on, ok := byName[name]
			problem := ""
			switch {
			case !ok:
				problem = fmt.Sprintf("The project %s depends on %q, and there is no such project.", pc.Name, short(name))
				if len(problems) < maxGuesses {
					problem += DidYouMean(name, names)
				}
			case on.Order > pc.Order:
				problem = fmt.Sprintf("The project %s depends on %s, whose order is %d, and has the lower order %d itself: neither could begin.", pc.Name, name, on.Order, pc.Order)
			default:
				continue
			}
			problems = append(problems, Problem{Path: c.file(), Line: cmp.Or(pc.DependsLine, pc.Line), Message: problem})
		}
	}
	return problems
}

// isProject decides for a directory that the configuration does not list.
func isProject(m *module, called bool) bool {
	switch {
	case m.backend != "":
		return true
	case called:
		return false // a module, even one that configures a provider, as old ones do
	case m.provider:
		return true
	case underModules(m.dir):
		return false
	}
	return m.required || m.content
}

// underModules reports whether one of the directory's names says that it
// holds modules for others to call.
func underModules(dir string) bool {
	for _, name := range strings.Split(dir, "/") {
		if name == "modules" || name == "module" {
			return true
		}
	}
	return false
}

func ignored(dir string, patterns []string) bool {
	for _, p := range patterns {
		// "examples" ignores what is below it too.
		if doublestar.MatchUnvalidated(p, dir) || doublestar.MatchUnvalidated(strings.TrimSuffix(p, "/")+"/**", dir) {
			return true
		}
	}
	return false
}

// displayName names a project that the configuration does not.
func displayName(dir, workspace string) string {
	if workspace == DefaultWorkspace {
		return dir
	}
	return dir + ":" + workspace
}

// complete fills in what the code says of a project, with its modules, and
// returns the problems of directories that were not told of yet.
func complete(p *Project, modules map[string]*module, told map[string]bool) []Problem {
	var problems []Problem
	tell := func(dir string, list []Problem) {
		if !told[dir] {
			told[dir] = true
			problems = append(problems, list...)
		}
	}
	root := modules[p.Dir]
	if root == nil {
		return nil
	}
	p.Backend = root.backend
	p.CommittedState = root.tfstate && root.backend == ""
	var forbidden []Problem
	for dir := p.Dir; ; dir = path.Dir(dir) {
		if m := modules[dir]; m != nil {
			for _, f := range m.forbidden {
				forbidden = append(forbidden, forbiddenProblem(path.Join(dir, f)))
			}
		}
		if dir == "." {
			break
		}
	}
	tell("forbidden "+p.Dir, forbidden)
	files := map[string]bool{}
	visited := map[string]bool{p.Dir: true}
	queue := []string{p.Dir}
	for len(queue) > 0 {
		dir := queue[0]
		queue = queue[1:]
		m := modules[dir]
		p.WholeTree = p.WholeTree || m.anyFile
		for _, r := range m.refs {
			base := dir
			if r.root {
				base = p.Dir
			}
			if full := path.Join(base, r.pattern); full != ".." && !strings.HasPrefix(full, "../") {
				files[full] = true
			}
		}
		list := append([]Problem(nil), m.problems...)
		for _, c := range m.calls {
			if called := modules[c.dir]; called == nil || called.files == 0 {
				list = append(list, Problem{Path: c.path, Line: c.line, Message: fmt.Sprintf("The module's directory %s holds no Terraform code.", c.dir)})
				p.Modules = append(p.Modules, c.dir) // so that a change that adds it is seen
				continue
			}
			if !visited[c.dir] {
				visited[c.dir] = true
				p.Modules = append(p.Modules, c.dir)
				queue = append(queue, c.dir)
			}
		}
		tell(dir, list)
	}
	sort.Strings(p.Modules)
	p.Modules = uniq(p.Modules)
	for f := range files {
		p.Files = append(p.Files, f)
	}
	sort.Strings(p.Files)
	return problems
}

func uniq(sorted []string) []string {
	out := sorted[:0]
	for i, s := range sorted {
		if i == 0 || s != sorted[i-1] {
			out = append(out, s)
		}
	}
	return out
}

// forbiddenNames are what a repository must not hold beside a project's code
// or above it: each would change which programs run or which state is used.
var forbiddenNames = map[string]string{
	".terraform":      "Terraform's working directory chooses the workspace, the backend and the providers that run",
	"terraform.d":     "a folder of plugins makes Terraform run programs from the repository",
	".terraformrc":    "a CLI configuration chooses where providers come from",
	"terraform.rc":    "a CLI configuration chooses where providers come from",
	".tofurc":         "a CLI configuration chooses where providers come from",
	"tofu.rc":         "a CLI configuration chooses where providers come from",
	backendOverride:   "Tidelock writes a file of that name itself",
	".terraform.d":    "a folder of plugins makes Terraform run programs from the repository",
	"errored.tfstate": "it is a state, which holds secrets, and Terraform would overwrite it",
}

func forbiddenProblem(full string) Problem {
	return Problem{Path: full, Message: fmt.Sprintf("%s must not be in the repository: %s. Remove it with git rm -r --cached and add it to .gitignore.", path.Base(full), forbiddenNames[path.Base(full)])}
}

// Forbidden returns a problem for each thing in a project's directory, or in
// one above it, that a repository must not hold. Nothing of the project may
// run while there is one.
func Forbidden(fsys fs.FS, dir string) ([]Problem, error) {
	var out []Problem
	for {
		entries, err := fs.ReadDir(fsys, dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read directory %s: %w", dir, err)
		}
		for _, e := range entries {
			if _, ok := forbiddenNames[e.Name()]; ok {
				out = append(out, forbiddenProblem(path.Join(dir, e.Name())))
			}
		}
		if dir == "." {
			return out, nil
		}
		dir = path.Dir(dir)
	}
}

// scan reads all directories that hold Terraform code, or something that they
// must not hold.
func scan(fsys fs.FS) (map[string]*module, error) {
	modules := map[string]*module{}
	get := func(dir string) *module {
		if modules[dir] == nil {
			modules[dir] = &module{dir: dir}
		}
		return modules[dir]
	}
	entries, budget := 0, int64(maxCode)
	err := fs.WalkDir(fsys, ".", func(full string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entries++; entries > maxEntries {
			return errs.New(errs.TooLarge, "The repository has more than %d files and directories.", maxEntries)
		}
		name, dir := d.Name(), path.Dir(full)
		if full == "." {
			return nil
		}
		if _, ok := forbiddenNames[name]; ok {
			m := get(dir)
			m.forbidden = append(m.forbidden, name)
		}
		if d.IsDir() {
			if strings.HasPrefix(name, ".") {
				return fs.SkipDir
			}
			return nil
		}
		if name == "terraform.tfstate" {
			get(dir).tfstate = true
		}
		if codeFile(name) {
			get(dir).readFile(fsys, name, &budget)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the work tree: %w", err)
	}
	return modules, nil
}

package planner

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
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
	s, err := Survey(fsys, cfg)
	return s.Projects, s.Problems, err
}

// Surveyed is what Survey found.
type Surveyed struct {
	Projects []Project // as Discover returns them
	Problems []Problem
	// Calls holds, for each directory of code, the directories of the local
	// modules that it calls itself, sorted.
	Calls map[string][]string
}

// Survey is Discover, with the graph of the modules.
func Survey(fsys fs.FS, cfg RepoConfig) (Surveyed, error) {
	tree, err := scan(fsys)
	if err != nil {
		return Surveyed{}, err
	}
	var projects []Project
	var problems []Problem
	taken := map[string]bool{} // directories that the configuration speaks of
	for _, pc := range cfg.Projects {
		taken[pc.Dir] = true
		p := Project{
			Name: pc.Name, Dir: pc.Dir, Workspace: pc.Workspace, Watch: pc.Watch, WhenModified: pc.WhenModified,
			DependsOn: pc.DependsOn, Order: pc.Order, Weight: pc.Weight, ByHand: pc.ByHand, Env: pc.Env, Options: pc.Options, Hooks: pc.Hooks,
			Kind: pc.Kind, SourceDir: pc.SourceDir, Secrets: pc.Secrets, ReadsState: pc.ReadsState,
		}
		for _, h := range pc.Hooks {
			// What a program reads before the plan nobody can tell.
			p.WholeTree = p.WholeTree || h.Writes() && h.When != BeforeApply && h.Phase != PhaseApply
		}
		for _, f := range pc.VarFiles {
			p.VarFiles = append(p.VarFiles, path.Join(pc.Dir, f))
		}
		if pc.UsageFile != "" {
			p.UsageFile = path.Join(pc.Dir, pc.UsageFile)
		}
		if p.Workspace == "" {
			p.Workspace = DefaultWorkspace
		}
		switch u := tree.units[pc.Dir]; {
		case p.Kind == "terraform":
			p.Kind = ""
		case p.Kind == "" && u != nil && p.Workspace == DefaultWorkspace && pc.SourceDir == "":
			p.Kind = KindTerragrunt
		}
		if p.Kind == KindTerragrunt && tree.units[pc.Dir] == nil {
			p.Missing = true
			problems = append(problems, Problem{Path: cfg.file(), Line: pc.Line, Message: fmt.Sprintf("The project %s is of the kind terragrunt, and its directory %s holds no %s of a unit: one that others include is none.", pc.Name, pc.Dir, UnitFile)})
		} else if m := tree.modules[pc.Dir]; (m == nil || m.files == 0) && pc.SourceDir == "" && p.Kind != KindTerragrunt {
			p.Missing = true
			message := fmt.Sprintf("The project %s has the directory %s, which holds no Terraform code.", pc.Name, pc.Dir)
			if real, through, ok := tree.resolve(pc.Dir); ok && len(through) > 0 {
				message = fmt.Sprintf("The project %s has the directory %s, which leads through the symbolic link %s. Name the directory itself, %s.", pc.Name, pc.Dir, through[0], real)
			} else if tree.inSubmodule(pc.Dir) != "" {
				message = tree.noCode("The project "+pc.Name+" can't be read: the directory", pc.Dir)
			}
			problems = append(problems, Problem{Path: cfg.file(), Line: pc.Line, Message: message})
		}
		projects = append(projects, p)
	}
	if cfg.Autodiscover {
		for dir, m := range tree.modules {
			if taken[dir] || ignored(dir, cfg.Ignore) || tree.units[dir] != nil || !isProject(m, tree.called[dir]) {
				continue
			}
			projects = append(projects, Project{Name: displayName(dir, DefaultWorkspace), Dir: dir, Workspace: DefaultWorkspace})
		}
		for dir, u := range tree.units {
			if m := tree.modules[dir]; taken[dir] || ignored(dir, cfg.Ignore) || !u.own && (m == nil || m.files == 0) {
				continue
			}
			projects = append(projects, Project{Name: displayName(dir, DefaultWorkspace), Dir: dir, Workspace: DefaultWorkspace, Kind: KindTerragrunt})
		}
	}
	sort.Slice(projects, func(i, j int) bool {
		if projects[i].Dir != projects[j].Dir {
			return projects[i].Dir < projects[j].Dir
		}
		return projects[i].Workspace < projects[j].Workspace
	})
	problems = append(problems, cfg.lost(projects)...)
	problems = append(problems, tree.linkUnits(fsys, projects)...)
	c := completer{
		tree: tree, cfg: cfg, tools: map[string]ToolConfig{}, told: map[string]bool{}, aliases: map[string]*module{}, through: map[string][]string{}, used: map[string]bool{},
		pointers: pointers{fsys: fsys, seen: map[string]bool{}},
	}
	for _, pc := range cfg.Projects {
		if pc.Tool != (ToolConfig{}) {
			c.tools[Project{Dir: pc.Dir, Workspace: cmp.Or(pc.Workspace, DefaultWorkspace)}.Key()] = pc.Tool
		}
	}
	for i := range projects {
		problems = append(problems, c.complete(&projects[i])...)
	}
	problems = append(problems, tree.told(c.used)...)
	sort.SliceStable(problems, func(i, j int) bool {
		if problems[i].Path != problems[j].Path {
			return problems[i].Path < problems[j].Path
		}
		return problems[i].Line < problems[j].Line
	})
	calls := map[string][]string{}
	for dir := range c.used {
		m := c.module(dir)
		if m == nil || len(m.calls) == 0 {
			continue
		}
		for _, call := range m.calls {
			calls[dir] = append(calls[dir], call.dir)
		}
		sort.Strings(calls[dir])
		calls[dir] = uniq(calls[dir])
	}
	return Surveyed{projects, problems, calls}, nil
}

// file returns the path that problems of the configuration are told with.
func (c RepoConfig) file() string {
	if c.File == "" {
		return ConfigFile
	}
	return c.File
}

// lost returns a problem for each project that depends on one that is not
// there, or that would be applied before it, or that reads the state of one
// that is not there: what ParseConfig can't know of
// projects that are discovered.
func (c RepoConfig) lost(projects []Project) []Problem {
	byName, keys := map[string]Project{}, map[string]bool{}
	names := make([]string, 0, len(projects))
	for _, p := range projects {
		byName[p.Name], keys[p.Key()] = p, true
		names = append(names, p.Name)
	}
	var problems []Problem
	for _, pc := range c.Projects {
		for _, key := range pc.ReadsState {
			if keys[key] {
				continue
			}
			problem := fmt.Sprintf("The project %s reads the state of %q, and there is no such project.", pc.Name, short(strings.TrimSuffix(key, ":"+DefaultWorkspace)))
			if len(problems) < maxGuesses {
				problem += DidYouMean(strings.TrimSuffix(key, ":"+DefaultWorkspace), names)
			}
			problems = append(problems, Problem{Path: c.file(), Line: cmp.Or(pc.ReadsLine, pc.Line), Message: problem})
		}
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

// completer fills in, project by project, what the code says of each.
type completer struct {
	tree     *scanned
	cfg      RepoConfig
	tools    map[string]ToolConfig // of projects that the configuration lists, by key
	told     map[string]bool       // directories whose problems are told
	aliases  map[string]*module    // modules that are called through links; nil for directories without code
	through  map[string][]string   // and those links
	used     map[string]bool       // directories of projects and of the modules they call
	pointers pointers
}

// module returns the module in a directory, nil where there is no code.
func (c *completer) module(dir string) *module {
	if m := c.tree.modules[dir]; m != nil && m.files > 0 {
		return m
	}
	m, known := c.aliases[dir]
	if !known {
		m, c.through[dir] = c.tree.module(dir)
		c.aliases[dir] = m
	}
	return m
}

func (c *completer) tell(key string, list []Problem) []Problem {
	if c.told[key] {
		return nil
	}
	c.told[key] = true
	return list
}

// complete fills in what the code says of a project, with its modules, and
// returns the problems of directories that were not told of yet.
func (c *completer) complete(p *Project) []Problem {
	root := c.tree.modules[p.Dir]
	if u := c.tree.units[p.Dir]; u != nil && p.Kind == KindTerragrunt {
		root = u.module(root)
	}
	if root == nil {
		return nil
	}
	p.Backend = root.backend
	if p.Kind == "" { // Terragrunt makes its own of what the code says
		p.StatePlace = root.place
	}
	p.CommittedState = root.tfstate && root.backend == ""
	var problems []Problem
	for dir := p.Dir; ; dir = path.Dir(dir) {
		if m := c.tree.modules[dir]; m != nil {
			for _, f := range m.forbidden {
				problem := forbiddenProblem(path.Join(dir, f))
				problems = append(problems, c.tell("forbidden "+problem.Path, []Problem{problem})...)
			}
		}
		if dir == "." {
			break
		}
	}
	files := map[string]bool{}
	add := func(pattern string) {
		for _, f := range c.tree.patterns(pattern) {
			files[f] = true
		}
	}
	visited := map[string]bool{p.Dir: true}
	queue := []*module{root}
	var all []*module
	for len(queue) > 0 {
		m := queue[0]
		queue = queue[1:]
		all = append(all, m)
		c.used[m.dir] = true
		p.WholeTree = p.WholeTree || m.anyFile
		for _, r := range m.refs {
			base := m.dir
			switch {
			case r.tree:
				base = "."
			case r.root:
				base = p.Dir
			}
			if full := path.Join(base, r.pattern); full != ".." && !strings.HasPrefix(full, "../") {
				add(full)
			}
		}
		list := append([]Problem(nil), m.problems...)
		for _, call := range m.calls {
			if visited[call.dir] {
				continue
			}
			called := c.module(call.dir)
			p.Modules = append(p.Modules, call.dir) // where it is missing too, so that a change that adds it is seen
			if called == nil {
				list = append(list, Problem{Path: call.path, Line: call.line, Message: c.tree.noCode("The module's directory", call.dir)})
				continue
			}
			visited[call.dir] = true
			queue = append(queue, called)
			if called.real != "" {
				p.Modules = append(p.Modules, called.real)
				c.used[called.real] = true
				for _, link := range c.through[call.dir] {
					files[escapePattern(link)] = true
				}
			}
		}
		problems = append(problems, c.tell(m.dir, list)...)
	}
	sort.Strings(p.Modules)
	p.Modules = uniq(p.Modules)
	p.Tool = c.tool(p, all)
	if problem := p.Tool.Problem; problem.Message != "" {
		problems = append(problems, c.tell("tool "+problem.String(), []Problem{problem})...)
	}
	for _, f := range append(slices.Clone(p.VarFiles), p.Tool.File) {
		if linked := c.tree.patterns(escapePattern(f)); f != "" && len(linked) > 1 {
			add(escapePattern(f))
		}
	}
	for f := range files {
		p.Files = append(p.Files, f)
	}
	sort.Strings(p.Files)
	if c.tree.lfs {
		for _, f := range p.Files {
			problems = append(problems, c.pointers.look(f)...)
		}
		for _, f := range p.VarFiles {
			problems = append(problems, c.pointers.look(escapePattern(f))...)
		}
	}
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
	BackendOverride:   "Tidelock writes a file of that name itself",
	backendTofu:       "OpenTofu would read it in place of the file that Tidelock writes",
	ReadsOverride:     "Tidelock writes a file of that name itself",
	readsTofu:         "OpenTofu would read it in place of the file that Tidelock writes",
	".terraform.d":    "a folder of plugins makes Terraform run programs from the repository",
	"errored.tfstate": "it is a state, which holds secrets, and Terraform would overwrite it",
}

func forbiddenProblem(full string) Problem {
	return Problem{Path: full, Message: fmt.Sprintf("%s must not be in the repository: %s. Remove it with git rm -r --cached and add it to .gitignore.", path.Base(full), forbiddenNames[path.Base(full)])}
}

// Forbidden returns a problem for each thing in a project's directory, or in
// one above it, that a repository must not hold, and for a circle of modules, in
// which Terraform would never come to an end. Nothing of the project may
// run while there is one.
func Forbidden(fsys fs.FS, dir string) ([]Problem, error) {
	var out []Problem
	if circle, file := moduleCircle(fsys, dir); circle != "" {
		out = append(out, Problem{Path: file, Message: "The modules call each other in a circle, which has no end: " + circle + ". The call in " + file + " closes it."})
	}
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

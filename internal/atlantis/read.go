package atlantis

import (
	"cmp"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// File is the name of the file in a repository's root.
const File = "atlantis.yaml"

// Read reads an atlantis.yaml of version 2 or 3; filename is what its messages
// call it. The notes tell what could not be carried over, by line. The error
// is errs.Invalid and lists every problem, one a line, as planner.ParseConfig
// does.
func Read(src []byte, filename string) (planner.RepoConfig, []planner.Problem, error) {
	none := planner.DefaultRepoConfig()
	if len(src) > maxFile {
		return none, nil, errs.New(errs.Invalid, "%s is larger than %d kB.", filename, maxFile>>10)
	}
	r := &reader{
		document:  document{file: filename, told: map[string]bool{}},
		cfg:       none,
		workflows: map[string]*workflow{},
		used:      map[string]bool{},
	}
	r.cfg.File = filename
	r.whole(r.parse(src))
	if len(r.problems) > 0 {
		return none, nil, planner.ProblemsError(r.problems)
	}
	slices.SortStableFunc(r.notes, func(a, b planner.Problem) int { return cmp.Compare(a.Line, b.Line) })
	return r.cfg, r.notes, nil
}

// EnvFiles adds what Atlantis gives to Terraform without being told: the file
// env/WORKSPACE.tfvars in a project's directory, behind the other variable
// files. fsys is the repository.
func EnvFiles(fsys fs.FS, cfg planner.RepoConfig) planner.RepoConfig {
	cfg.Projects = slices.Clone(cfg.Projects)
	for i := range cfg.Projects {
		p := &cfg.Projects[i]
		file := "env/" + p.Workspace + ".tfvars"
		if info, err := fs.Stat(fsys, path.Join(p.Dir, file)); err == nil && info.Mode().IsRegular() && !slices.Contains(p.VarFiles, file) {
			p.VarFiles = append(slices.Clone(p.VarFiles), file)
		}
	}
	return cfg
}

// reader reads one file.
type reader struct {
	document
	cfg       planner.RepoConfig
	version   int
	workflows map[string]*workflow
	used      map[string]bool // workflows of projects
	projects  []project
	globbed   bool // a project's directory was a pattern
	hooked    int  // bytes of the hooks' commands
	locks     []choice
	deletes   []choice
}

// choice is what one project says of something that here the whole repository
// decides.
type choice struct {
	value string // "" where the project says nothing
	line  int
}

// project is one item of projects.
type project struct {
	planner.ProjectConfig
	requirements map[string]map[string]int // "apply" → "approved" → line
	workflow     string
	workflowLine int
	givenName    string // "" where it has none
}

var topKeys = []string{
	"version", "projects", "workflows", "policies", "autodiscover", "automerge", "parallel_apply", "parallel_plan",
	"delete_source_branch_on_merge", "emoji_reaction", "allowed_regexp_prefixes", "abort_on_execution_order_fail", "repo_locks", "silence_pr_comments",
}

func (r *reader) whole(root *yaml.Node) {
	if len(r.problems) > 0 {
		return
	}
	if isNull(root) {
		r.say(0, "The file is empty. It must at least say its version: version: 3.")
		return
	}
	entries := r.known(r.entries(root, "The file"), "The file", topKeys...)
	hasVersion := false
	for _, e := range entries {
		if e.key == "version" {
			hasVersion = true
			v, ok := r.number(e.value, e.line, "version")
			if ok && v != 2 && v != 3 {
				r.say(e.line, "version is %d; 2 and 3 can be read.", v)
			}
			r.version = v
		}
	}
	if !hasVersion {
		r.say(root.Line, "The version is missing: version: 3.")
	}
	for _, e := range entries { // before the projects that use them
		if e.key == "workflows" {
			for _, w := range r.entries(e.value, "workflows") {
				r.workflows[w.key] = r.workflow(w)
			}
		}
	}
	autodiscover, lock, remove := "auto", "", ""
	for _, e := range entries {
		switch e.key {
		case "projects":
			items := r.list(e.value, e.line, "projects")
			if len(items) > planner.MaxProjects {
				r.say(e.line, "There are more than %d projects.", planner.MaxProjects)
				return
			}
			for _, item := range items {
				r.project(item)
			}
		case "autodiscover":
			autodiscover = r.autodiscover(e)
		case "automerge":
			if v := r.boolean(e.value, e.line, e.key); v != nil {
				r.cfg.AutoMerge = v
			}
		case "delete_source_branch_on_merge":
			if v := r.boolean(e.value, e.line, e.key); v != nil {
				remove = strconv.FormatBool(*v)
			}
		case "repo_locks":
			lock = r.repoLocks(e)
		default:
			r.elsewhere(e)
		}
	}
	r.cfg.Autodiscover = autodiscover == "enabled" || autodiscover == "auto" && len(r.projects) == 0
	if r.globbed && autodiscover != "disabled" {
		r.cfg.Autodiscover = true
	}
	if lock = r.one(r.locks, lock, "repo_locks", "lock", planner.LockAtPlan, planner.LockAtApply, planner.LockOff); lock != "" {
		r.cfg.Lock = &lock
	}
	if remove = r.one(r.deletes, remove, "delete_source_branch_on_merge", "delete_branch", "false", "true"); remove != "" {
		yes := remove == "true"
		r.cfg.DeleteBranch = &yes
	}
	r.finish()
	r.unusedWorkflows()
}

// elsewhere tells of the keys that have nothing to be carried over to.
func (r *reader) elsewhere(e entry) {
	switch e.key {
	case "parallel_plan", "parallel_apply":
		if v := r.boolean(e.value, e.line, e.key); v != nil && !*v {
			r.note(e.line, "%s: false: plans and applies of independent projects always run at the same time here. Give projects that must not an order or depends_on.", e.key)
		}
	case "abort_on_execution_order_fail":
		if v := r.boolean(e.value, e.line, e.key); v != nil && !*v {
			r.note(e.line, "%s: false: where a project fails, those of a higher order and those that depend on it never begin here.", e.key)
		}
	case "emoji_reaction":
		r.note(e.line, "emoji_reaction: Tidelock reacts with 👀 to every comment that it obeys.")
	case "allowed_regexp_prefixes":
		r.texts(e.value, e.line, e.key)
		r.note(e.line, "allowed_regexp_prefixes: -p takes a project's name here. For several projects give -d a pattern of directories, such as -d 'staging/**'.")
	case "silence_pr_comments":
		r.silence(e)
	case "policies":
		r.note(e.line, "policies: the policies are the server's here, and are asked before every apply. Ask who runs the server to add yours.")
	}
}

func (r *reader) silence(e entry) {
	for _, s := range r.texts(e.value, e.line, e.key) {
		if s != "plan" && s != "apply" {
			r.say(e.line, "silence_pr_comments holds %q; it can hold plan and apply.", short(s))
		}
	}
	r.note(e.line, "silence_pr_comments: there is one comment here for plan and apply, kept up to date. quiet_unchanged = true leaves it out where no plan changes anything.")
}

func (r *reader) autodiscover(e entry) string {
	mode := "auto"
	for _, f := range r.known(r.entries(e.value, "autodiscover"), "autodiscover", "mode", "ignore_paths") {
		switch f.key {
		case "mode":
			if v, ok := r.text(f.value, f.line, "mode"); ok {
				mode = v
			}
			if mode != "auto" && mode != "enabled" && mode != "disabled" {
				r.say(f.line, "mode is %q; it can be auto, enabled or disabled.", short(mode))
			}
		case "ignore_paths":
			for _, p := range r.texts(f.value, f.line, "ignore_paths") {
				if problem := planner.IgnoreProblem(p); problem != "" {
					r.say(f.line, "%s", problem)
					continue
				}
				r.cfg.Ignore = append(r.cfg.Ignore, p)
			}
		}
	}
	return mode
}

// repoLocks returns the lock setting of a repo_locks.
func (r *reader) repoLocks(e entry) string {
	lock := planner.LockAtPlan
	for _, f := range r.known(r.entries(e.value, "repo_locks"), "repo_locks", "mode") {
		v, _ := r.text(f.value, f.line, "mode")
		switch v {
		case "", "on_plan":
		case "on_apply":
			lock = planner.LockAtApply
		case "disabled":
			lock = planner.LockOff
		default:
			r.say(f.line, "mode is %q; it can be on_plan, on_apply or disabled.%s", short(v), r.guess(v, []string{"on_plan", "on_apply", "disabled"}))
		}
	}
	return lock
}

// one makes one value for the repository of what projects say each: what all
// of them say, else the strictest, which stands first in order. whole is what
// the file says of the repository, "" for nothing.
func (r *reader) one(choices []choice, whole, key, setting string, order ...string) string {
	effective := map[string]bool{}
	line := 0
	for _, c := range choices {
		effective[cmp.Or(c.value, whole)] = true
		if c.value != "" && line == 0 {
			line = c.line
		}
	}
	if line == 0 {
		return whole // no project says anything
	}
	if len(effective) == 1 && !r.cfg.Autodiscover {
		for v := range effective {
			return v
		}
	}
	strictest := whole
	for _, v := range slices.Backward(order) {
		if effective[v] || v == whole {
			strictest = v
		}
	}
	if effective[""] && whole == "" {
		// Some projects have what the server says, which may be stricter.
		strictest = ""
	}
	if strictest == "" {
		r.note(line, "%s: the whole repository has one setting here, %s, and not every project says the same. It is left to the server's.", key, setting)
		return ""
	}
	r.note(line, "%s: the whole repository has one setting here, %s, and not every project says the same. It is %s for all.", key, setting, strictest)
	return strictest
}

var projectKeys = []string{
	"name", "branch", "dir", "workspace", "workflow", "terraform_distribution", "terraform_version", "autoplan", "plan_requirements", "apply_requirements",
	"import_requirements", "depends_on", "delete_source_branch_on_merge", "repo_locking", "repo_locks", "execution_order_group", "policy_check",
	"custom_policy_check", "silence_pr_comments", "glob_file_match",
}

// project reads an item of projects.
func (r *reader) project(n *yaml.Node) {
	entries := r.known(r.entries(n, "A project"), "A project", projectKeys...)
	if n.Kind != yaml.MappingNode {
		if isNull(n) {
			r.say(n.Line, "The project is empty.")
		}
		return
	}
	p := project{requirements: map[string]map[string]int{}}
	p.Line, p.Workspace = n.Line, planner.DefaultWorkspace
	dir, dirLine := "", p.Line
	lock, remove := choice{}, choice{}
	for _, e := range entries {
		switch e.key {
		case "dir":
			dir, _ = r.text(e.value, e.line, e.key)
			dirLine = e.line
		case "name":
			if s, ok := r.text(e.value, e.line, e.key); ok && s == "" {
				r.say(e.line, "The project's name is empty.")
			} else {
				p.givenName = s
			}
		case "workspace":
			if w, _ := r.text(e.value, e.line, e.key); w != "" {
				p.Workspace = w
			}
			if !planner.ValidWorkspace(p.Workspace) {
				r.say(e.line, "The workspace %q can have letters, digits, and . _ - only.", short(p.Workspace))
			}
		case "workflow":
			p.workflow, _ = r.text(e.value, e.line, e.key)
			p.workflowLine = e.line
		case "autoplan":
			r.autoplan(&p, e, dir, entries)
		case "plan_requirements", "apply_requirements", "import_requirements":
			r.requirements(&p, e)
		case "depends_on":
			p.DependsOn = r.texts(e.value, e.line, e.key)
			p.DependsLine = e.line
		case "execution_order_group":
			p.Order, _ = r.number(e.value, e.line, e.key)
		case "repo_locks":
			lock = choice{r.repoLocks(e), e.line}
		case "repo_locking":
			if v := r.boolean(e.value, e.line, e.key); v != nil && lock.value == "" {
				lock = choice{map[bool]string{true: planner.LockAtPlan, false: planner.LockOff}[*v], e.line}
			}
		case "delete_source_branch_on_merge":
			if v := r.boolean(e.value, e.line, e.key); v != nil {
				remove = choice{strconv.FormatBool(*v), e.line}
			}
		case "terraform_version":
			r.toolVersion(e, &p.Tool)
		case "terraform_distribution":
			switch v, _ := r.text(e.value, e.line, e.key); v {
			case "terraform":
				p.Tool.Name, p.Tool.NameLine = planner.ToolTerraform, e.line
			case "opentofu":
				p.Tool.Name, p.Tool.NameLine = planner.ToolOpenTofu, e.line
			default:
				r.say(e.line, "terraform_distribution is %q; it can be terraform or opentofu.", short(v))
			}
		default:
			r.projectElsewhere(e)
		}
	}
	if dir == "" {
		r.say(p.Line, "The project has no dir. It is the directory relative to the repository's root, . for the root itself.")
		return
	}
	if strings.ContainsAny(dir, "*?[") {
		r.globbed = true
		r.note(dirLine, "dir: %s: no pattern can stand for directories here. Directories are discovered by what their code says, as autodiscover has it: list those that are not found, and those that need what this project says.", short(dir))
		return
	}
	clean, err := planner.InRepo(".", strings.TrimLeft(dir, "/"))
	if err != nil && path.Clean(dir) != "/" {
		r.say(dirLine, "The project's dir %q %s.", short(dir), err)
		return
	}
	p.Dir = cmp.Or(clean, ".")
	r.projects = append(r.projects, p)
	r.locks = append(r.locks, lock)
	r.deletes = append(r.deletes, remove)
}

// toolVersion reads a version, or a constraint for one.
func (r *reader) toolVersion(e entry, tool *planner.ToolConfig) {
	v, ok := r.text(e.value, e.line, e.key)
	if !ok {
		return
	}
	if _, err := planner.AskTool("", v, ""); err != nil {
		r.say(e.line, "terraform_version: %s", err)
		return
	}
	tool.Version, tool.VersionLine = v, e.line
}

// projectElsewhere tells of a project's keys that are not carried over.
func (r *reader) projectElsewhere(e entry) {
	switch e.key {
	case "branch":
		v, _ := r.text(e.value, e.line, e.key)
		if len(v) < 2 || v[0] != '/' || v[len(v)-1] != '/' {
			r.say(e.line, "branch must be a regular expression between slashes, such as /main/, but is %q.", short(v))
		} else if len(v) > 1000 {
			r.say(e.line, "branch is too long.")
		} else if _, err := regexp.Compile(v[1 : len(v)-1]); err != nil {
			r.say(e.line, "branch is no regular expression: %v.", err)
		}
		r.note(e.line, "branch: %s: the project is planned for pull requests into every branch. The configuration is read from the branch that a pull request goes into: leave the project out of the file on other branches.", short(v))
	case "silence_pr_comments":
		r.silence(e)
	case "policy_check", "custom_policy_check":
		if v := r.boolean(e.value, e.line, e.key); v != nil && *v == (e.key == "custom_policy_check") {
			r.note(e.line, "%s: %t: the server's policies are asked before every apply, of every project.", e.key, *v)
		}
	case "glob_file_match":
		r.note(e.line, "glob_file_match: projects are discovered by what their code says; see autodiscover and ignore.")
	}
}

// autoplan reads when the project is planned by itself. Its patterns are
// relative to the directory, which may stand further down.
func (r *reader) autoplan(p *project, e entry, dir string, entries []entry) {
	for _, other := range entries {
		if other.key == "dir" {
			if n := r.resolve(other.value); n != nil && n.Kind == yaml.ScalarNode {
				dir = strings.TrimLeft(n.Value, "/")
			}
		}
	}
	for _, f := range r.known(r.entries(e.value, "autoplan"), "autoplan", "enabled", "when_modified") {
		switch f.key {
		case "enabled":
			if v := r.boolean(f.value, f.line, "enabled"); v != nil {
				p.ByHand = !*v
			}
		case "when_modified":
			list := r.texts(f.value, f.line, "when_modified")
			if list == nil {
				continue
			}
			p.WhenModified = []string{}
			for _, pattern := range list {
				if len(pattern) > 1000 {
					r.say(f.line, "The pattern %q is too long.", short(pattern))
					continue
				}
				ours := patterns(path.Clean(dir), pattern)
				if len(ours) == 0 {
					r.note(f.line, "when_modified: %q leads out of the repository, or is empty, and can match nothing.", short(pattern))
				}
				for _, o := range ours {
					if problem := planner.PatternProblem(o); problem != "" {
						r.say(f.line, "The pattern %q %s.", short(pattern), problem)
						continue
					}
					p.WhenModified = append(p.WhenModified, o)
				}
			}
		}
	}
}

package planner

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/gate"
)

// The form of the file. What each of it means stands in ConfigOptions.
type hclConfig struct {
	Autodiscover     *bool        `hcl:"autodiscover"`
	Ignore           []string     `hcl:"ignore,optional"`
	Submodules       bool         `hcl:"submodules,optional"`
	Lock             *string      `hcl:"lock"`
	AutoPlan         *bool        `hcl:"auto_plan"`
	PlanDrafts       *bool        `hcl:"plan_drafts"`
	ApplyBeforeMerge *bool        `hcl:"apply_before_merge"`
	ApplyOnMerge     *bool        `hcl:"apply_on_merge"`
	AutoMerge        *bool        `hcl:"auto_merge"`
	MergeMethod      *string      `hcl:"merge_method"`
	DeleteBranch     *bool        `hcl:"delete_branch"`
	Commands         []string     `hcl:"commands,optional"`
	QuietUnchanged   *bool        `hcl:"quiet_unchanged"`
	CommentPerCommit *bool        `hcl:"comment_per_commit"`
	SplitComments    *bool        `hcl:"split_comments"`
	ProjectChecks    *bool        `hcl:"project_checks"`
	Tool             *string      `hcl:"tool"`
	ToolVersion      *string      `hcl:"tool_version"`
	Template         *hclTemplate `hcl:"template,block"`
	Drift            *hclDrift    `hcl:"drift,block"`
	Policy           *hclPolicy   `hcl:"policy,block"`
	Gates            []hclGate    `hcl:"gate,block"`
	Projects         []hclBlock   `hcl:"project,block"`
}

// hclGate lets a gate block through: internal/gate reads it.
type hclGate struct {
	Act  string   `hcl:"act,label"`
	Body hcl.Body `hcl:",remain"`
}

type hclTemplate struct {
	Comment      string    `hcl:"comment"`
	CommentRange hcl.Range `hcl:"comment,attr_value_range"`
}

// hclBlock is a project block before its body is read, which is done once for
// each of its workspaces.
type hclBlock struct {
	Name  string    `hcl:"name,label"`
	Body  hcl.Body  `hcl:",remain"`
	Range hcl.Range `hcl:",def_range"`
}

type hclProject struct {
	Dir          string            `hcl:"dir"`
	Workspace    *string           `hcl:"workspace"`
	Workspaces   []string          `hcl:"workspaces,optional"`
	VarFiles     []string          `hcl:"var_files,optional"`
	UsageFile    string            `hcl:"usage_file,optional"`
	Watch        []string          `hcl:"watch,optional"`
	WhenModified []string          `hcl:"when_modified,optional"`
	AutoPlan     *bool             `hcl:"auto_plan"`
	DependsOn    []string          `hcl:"depends_on,optional"`
	ReadsState   []string          `hcl:"reads_state,optional"`
	Order        *int              `hcl:"order"`
	Weight       *int              `hcl:"weight"`
	Flags        []string          `hcl:"flags,optional"`
	Env          map[string]string `hcl:"env,optional"`
	Tool         *string           `hcl:"tool"`
	ToolVersion  *string           `hcl:"tool_version"`
	SourceDir    string            `hcl:"source_dir,optional"`
	Kind         string            `hcl:"kind,optional"`
	Secrets      map[string]string `hcl:"secrets,optional"`
	PlanSecrets  map[string]string `hcl:"plan_secrets,optional"`
	ApplySecrets map[string]string `hcl:"apply_secrets,optional"`
	Hooks        []hclHook         `hcl:"hook,block"`
	Drift        *hclDrift         `hcl:"drift,block"`
}

type hclHook struct {
	When         string            `hcl:"when,label"`
	Run          []string          `hcl:"run"`
	Phase        string            `hcl:"phase,optional"`
	Timeout      string            `hcl:"timeout,optional"`
	Env          string            `hcl:"env,optional"`
	MultiEnv     string            `hcl:"multienv,optional"`
	Sensitive    bool              `hcl:"sensitive,optional"`
	SARIF        string            `hcl:"sarif,optional"`
	Levels       map[string]string `hcl:"levels,optional"`
	FindingsExit []int             `hcl:"findings_exit,optional"`
	Range        hcl.Range         `hcl:",def_range"`
}

// Bounds of a configuration file: far above what anybody writes, and low
// enough that the worst is read in a moment.
const (
	maxConfig     = 1 << 20 // bytes
	MaxProjects   = 5_000   // of a repository, each workspace counted
	maxWorkspaces = 100     // of one block
	maxGuesses    = 20      // messages that look for what was meant
	// maxDependencies is the sum of what all projects depend on, with each
	// workspace counted.
	maxDependencies = 100_000
)

// CommandNames returns the commands that can be allowed or left out by
// `commands`.
func CommandNames() []string {
	return []string{"plan", "apply", "destroy", "unlock", "cancel", "approve-policies", "revoke-policies", "approve-cost", "revoke-cost", "import", "state rm", "state mv", "drift", "cost", "version", "help", "retry", "rollback"}
}

// configReader collects what is wrong while a file is read.
type configReader struct {
	file     string
	src      []byte
	body     *hclsyntax.Body
	problems []Problem
	guesses  int
	partial  bool // some project could not be read at all
	told     map[string]bool
}

// ParseConfig reads a ConfigFile; filename is what its messages call it. The
// error is errs.Invalid and its sentence lists every problem, one a line, with
// file and line.
func ParseConfig(src []byte, filename string) (RepoConfig, error) {
	cfg := DefaultRepoConfig()
	cfg.File = filename
	if len(src) > maxConfig {
		return cfg, errs.New(errs.Invalid, "%s is larger than %d kB.", filename, maxConfig>>10)
	}
	if err := checkDepth(src); err != nil {
		return cfg, errs.New(errs.Invalid, "%s: %s", filename, err)
	}
	r := &configReader{file: filename, src: src, told: map[string]bool{}}
	file, diags := hclsyntax.ParseConfig(src, filename, hcl.InitialPos)
	var raw hclConfig
	if !diags.HasErrors() {
		r.body, _ = file.Body.(*hclsyntax.Body)
		diags = append(diags, gohcl.DecodeBody(file.Body, nil, &raw)...)
	} else {
		r.partial = true
	}
	r.diagnostics(diags)
	r.whole(raw, &cfg)
	if r.body != nil {
		var problems []gate.Problem
		cfg.Gates, problems = gate.Decode(r.body, filename)
		for _, p := range problems {
			r.say(p.Line, "%s", p.Message)
		}
	}
	r.projects(raw.Projects, &cfg)
	if !r.partial {
		r.dependencies(cfg)
		r.reads(&cfg)
	}
	if len(r.problems) > 0 {
		return DefaultRepoConfig(), ProblemsError(r.problems)
	}
	return cfg, nil
}

func (r *configReader) say(line int, format string, args ...any) {
	p := Problem{Path: r.file, Line: line, Message: fmt.Sprintf(format, args...)}
	if key := p.String(); !r.told[key] { // of a block with several workspaces once
		r.told[key] = true
		r.problems = append(r.problems, p)
	}
}

func (r *configReader) diagnostics(diags hcl.Diagnostics) {
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			r.say(lineOf(d), "%s", sentence(d))
		}
	}
}

// guess is DidYouMean, a bounded number of times in a file: the names of a
// hostile one could keep it busy.
func (r *configReader) guess(name string, known []string) string {
	if r.guesses++; r.guesses > maxGuesses {
		return ""
	}
	return DidYouMean(name, known)
}

// oneOf checks a value that is one of a few words.
func (r *configReader) oneOf(name string, value *string, known ...string) {
	if value != nil && !slices.Contains(known, *value) {
		r.say(attributeLine(r.body, name), "%s is %q; it can be %s.%s", name, short(*value), orList(known), r.guess(*value, known))
	}
}

// orList returns `"a", "b" or "c"`.
func orList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = fmt.Sprintf("%q", w)
	}
	last := len(quoted) - 1
	if last == 0 {
		return quoted[0]
	}
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}

// attributeLine returns the line of a body's attribute, 0 where it has none.
func attributeLine(body *hclsyntax.Body, name string) int {
	if body != nil && body.Attributes[name] != nil {
		return body.Attributes[name].SrcRange.Start.Line
	}
	return 0
}

// whole reads what concerns the repository as a whole.
func (r *configReader) whole(raw hclConfig, cfg *RepoConfig) {
	if raw.Autodiscover != nil {
		cfg.Autodiscover = *raw.Autodiscover
	}
	cfg.Ignore, cfg.Lock, cfg.AutoPlan, cfg.PlanDrafts = raw.Ignore, raw.Lock, raw.AutoPlan, raw.PlanDrafts
	cfg.Submodules = raw.Submodules
	cfg.ApplyBeforeMerge, cfg.ApplyOnMerge, cfg.AutoMerge = raw.ApplyBeforeMerge, raw.ApplyOnMerge, raw.AutoMerge
	cfg.MergeMethod, cfg.DeleteBranch, cfg.Commands = raw.MergeMethod, raw.DeleteBranch, raw.Commands
	cfg.QuietUnchanged, cfg.CommentPerCommit, cfg.SplitComments, cfg.ProjectChecks = raw.QuietUnchanged, raw.CommentPerCommit, raw.SplitComments, raw.ProjectChecks
	for _, p := range raw.Ignore {
		if problem := IgnoreProblem(p); problem != "" {
			r.say(attributeLine(r.body, "ignore"), "%s", problem)
		}
	}
	cfg.Drift = r.drift(raw.Drift)
	cfg.Policy = r.policy(raw.Policy)
	cfg.Tool = r.tool(raw.Tool, raw.ToolVersion, r.body)
	r.oneOf("lock", raw.Lock, LockAtPlan, LockAtApply, LockOff)
	r.oneOf("merge_method", raw.MergeMethod, "merge", "squash", "rebase")
	known := CommandNames()
	for _, c := range raw.Commands {
		if !slices.Contains(known, c) {
			r.say(attributeLine(r.body, "commands"), "There is no command %q.%s There are %s.", short(c), r.guess(c, known), strings.Join(known, ", "))
		}
	}
	if t := raw.Template; t != nil {
		cfg.Template, cfg.TemplateLine = t.Comment, t.CommentRange.Start.Line
		if at := t.CommentRange.Start.Byte; at >= 0 && at+2 <= len(r.src) && string(r.src[at:at+2]) == "<<" {
			cfg.TemplateLine++ // a heredoc's text begins below its marker
		}
		if line, problem := templateProblem(t.Comment, cfg.TemplateLine); problem != "" {
			r.say(line, "%s", problem)
		}
	}
}

func (r *configReader) projects(blocks []hclBlock, cfg *RepoConfig) {
	names, keys := map[string]int{}, map[string]int{}
	groups := map[string][]string{} // block's name → the projects of its workspaces
	for _, b := range blocks {
		list := r.block(b)
		r.partial = r.partial || list == nil
		if len(cfg.Projects)+len(list) > MaxProjects {
			r.say(b.Range.Start.Line, "There are more than %d projects.", MaxProjects)
			r.partial = true
			return
		}
		for _, p := range list {
			if first, ok := names[p.Name]; ok {
				r.say(p.Line, "There is a project %q on line %d already.", p.Name, first)
			}
			key := Project{Dir: p.Dir, Workspace: p.Workspace}.Key()
			if first, ok := keys[key]; ok {
				r.say(p.Line, "The project on line %d has the same directory and workspace: they would share one state.", first)
			}
			names[p.Name], keys[key] = p.Line, p.Line
			if p.Name != b.Name {
				groups[b.Name] = append(groups[b.Name], p.Name)
			}
		}
		cfg.Projects = append(cfg.Projects, list...)
	}
	total := 0
	for i := range cfg.Projects {
		p := &cfg.Projects[i]
		var on []string
		seen := map[string]bool{}
		for _, name := range p.DependsOn {
			all := []string{name}
			if _, ok := names[name]; !ok && groups[name] != nil {
				all = groups[name]
			}
			for _, name := range all {
				if !seen[name] {
					seen[name] = true
					on = append(on, name)
				}
			}
		}
		p.DependsOn = on
		if total += len(on); total > maxDependencies {
			r.say(p.DependsLine, "The projects depend on each other more than %d times.", maxDependencies)
			r.partial = true
			return
		}
	}
}

// block reads one project block: a project for each of its workspaces.
func (r *configReader) block(b hclBlock) []ProjectConfig {
	line := b.Range.Start.Line
	if !ValidProjectName(b.Name) {
		r.say(line, "The project name %q can have letters, digits, and . _ / - : only.", short(b.Name))
	}
	body, _ := b.Body.(*hclsyntax.Body)
	decode := func(workspace string) hclProject {
		var p hclProject
		ctx := &hcl.EvalContext{Variables: map[string]cty.Value{"workspace": cty.StringVal(workspace)}}
		r.diagnostics(gohcl.DecodeBody(b.Body, ctx, &p))
		return p
	}
	first := decode(DefaultWorkspace)
	at := attributeLine(body, "workspaces")
	switch {
	case first.Workspaces == nil:
		w := DefaultWorkspace
		if first.Workspace != nil {
			w = *first.Workspace
		}
		if w != DefaultWorkspace {
			first = decode(w)
		}
		if !ValidWorkspace(w) {
			r.say(cmp.Or(attributeLine(body, "workspace"), line), "The workspace %q can have letters, digits, and . _ - only.", short(w))
		}
		return []ProjectConfig{r.project(b.Name, w, first, body, line)}
	case first.Workspace != nil:
		r.say(at, "A project has workspace or workspaces, not both.")
		return nil
	case len(first.Workspaces) == 0:
		r.say(at, "workspaces names none. Leave it out for the default one.")
		return nil
	case len(first.Workspaces) > maxWorkspaces:
		r.say(at, "workspaces names more than %d.", maxWorkspaces)
		return nil
	}
	if body != nil {
		delete(body.Attributes, "workspaces") // it needs no second look for each of them
	}
	var out []ProjectConfig
	for i, w := range first.Workspaces {
		if slices.Contains(first.Workspaces[:i], w) {
			r.say(at, "workspaces names %q twice.", short(w))
			continue
		}
		if !ValidWorkspace(w) {
			r.say(at, "The workspace %q can have letters, digits, and . _ - only.", short(w))
		}
		out = append(out, r.project(b.Name+":"+w, w, decode(w), body, line))
	}
	return out
}

func (r *configReader) project(name, workspace string, p hclProject, body *hclsyntax.Body, line int) ProjectConfig {
	at := func(attribute string) int { return cmp.Or(attributeLine(body, attribute), line) }
	pc := ProjectConfig{
		Name: name, Dir: p.Dir, Workspace: workspace, Watch: p.Watch, WhenModified: p.WhenModified,
		DependsOn: p.DependsOn, ByHand: p.AutoPlan != nil && !*p.AutoPlan, Env: p.Env, Line: line, DependsLine: attributeLine(body, "depends_on"),
		ReadsState: p.ReadsState, ReadsLine: attributeLine(body, "reads_state"),
	}
	if p.Order != nil {
		pc.Order = *p.Order
	}
	if p.Weight != nil {
		if pc.Weight = *p.Weight; pc.Weight < 1 || pc.Weight > MaxWeight {
			r.say(at("weight"), "The weight of %s must be from 1 to %d: it is how many ordinary runs the project's runs are worth.", name, MaxWeight)
		}
	}
	pc.Drift = r.drift(p.Drift)
	pc.Tool = r.tool(p.Tool, p.ToolVersion, body)
	if dir, err := InRepo(".", p.Dir); err != nil && attributeLine(body, "dir") > 0 { // one that is missing is told already
		r.say(at("dir"), "The project's dir %q %s.", short(p.Dir), err)
	} else {
		pc.Dir = dir
	}
	for _, f := range p.VarFiles {
		if _, err := InRepo(pc.Dir, f); err != nil {
			r.say(at("var_files"), "The variable file %q %s.", short(f), err)
			continue
		}
		pc.VarFiles = append(pc.VarFiles, path.Clean(f))
	}
	if p.UsageFile != "" {
		if _, err := InRepo(pc.Dir, p.UsageFile); err != nil {
			r.say(at("usage_file"), "The usage file %q %s.", short(p.UsageFile), err)
		} else {
			pc.UsageFile = path.Clean(p.UsageFile)
		}
	}
	for _, w := range p.Watch {
		if !doublestar.ValidatePattern(w) {
			r.say(at("watch"), "%q is not a pattern.", short(w))
		}
	}
	for _, w := range p.WhenModified {
		if problem := PatternProblem(w); problem != "" {
			r.say(at("when_modified"), "The pattern %q %s.", short(w), problem)
		}
	}
	if p.WhenModified != nil && p.Watch != nil {
		r.say(at("watch"), "watch adds to what is looked at by default, and when_modified replaces that: put the patterns of both into when_modified.")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Env)) {
		if problem := EnvProblem(name, p.Env[name]); problem != "" {
			r.say(at("env"), "The variable %q %s", short(name), problem)
		}
	}
	var err error
	if pc.Options, err = ParseOptions(p.Flags); err != nil {
		r.say(at("flags"), "%s", strings.ReplaceAll(errs.Sentence(err), "After -- there may stand", "There may stand"))
	}
	for _, h := range p.Hooks {
		pc.Hooks = append(pc.Hooks, r.hook(h))
	}
	r.workflow(p, &pc, at)
	return pc
}

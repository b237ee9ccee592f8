package policy

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// InputVersion is the version of what rules see, input.version. It grows when
// something that rules may rely on changes its meaning or goes; what is added
// leaves it as it is, since a rule that does not know of a key does not see it.
// A rule that must have an added key asks for it: it is absent where there is
// nothing to say.
const InputVersion = 1

// Input is one plan and the facts around it.
type Input struct {
	// Plan is judged by its Raw JSON, which rules see under input.plan and,
	// for conftest's sake, at the top of the input.
	Plan    *tfplan.Plan
	Pull    *Pull // nil where no pull request is behind the run
	Project Project
	Client  Client
	Change  *Change // nil where no commit is behind the run
	Cost    *Cost   // nil where nothing was estimated
	Actor   *Actor  // who asked for the plan; nil where nobody did
	State   *State  // before the plan; nil where there is none yet
	// Files are the repository's files that rules asked for, by path within it
	// with slashes: see Engine.Files.
	Files map[string]string
	// Overrides go before the engine's own: those of the client, say.
	Overrides Overrides
}

// Pull is what rules see of the pull request, under input.pull.
type Pull struct {
	Repo    string   `json:"repo"` // "owner/name"
	Number  int      `json:"number"`
	Title   string   `json:"title"`
	Author  string   `json:"author"`
	Labels  []string `json:"labels"`
	Draft   bool     `json:"draft"`
	HeadRef string   `json:"head_ref"`
	BaseRef string   `json:"base_ref"`
	HeadSHA string   `json:"head_sha"`
	// Approvals are the logins of those whose approval of the head counts.
	Approvals []string `json:"approvals"`
}

// Change is what rules see of the commit that was planned, under input.change.
type Change struct {
	ID      string   `json:"id"`
	HeadSHA string   `json:"head_sha"`
	BaseSHA string   `json:"base_sha"`
	Merged  bool     `json:"merged"`
	Files   []string `json:"files"` // paths that differ from the base
}

// Cost is what rules see of the estimate, under input.cost: amounts by the
// month, in the currency's units.
type Cost struct {
	Currency string      `json:"currency"`
	Before   json.Number `json:"before"`
	After    json.Number `json:"after"`
	Delta    json.Number `json:"delta"`
	Known    bool        `json:"known"` // all that costs was priced: the sums are not "at least"
	// Resources are those that were priced, by address.
	Resources []CostOfResource `json:"resources"`
}

// CostOfResource is one resource's part of Cost.
type CostOfResource struct {
	Address string      `json:"address"`
	Type    string      `json:"type"`
	Before  json.Number `json:"before"`
	After   json.Number `json:"after"`
}

// Actor is what rules see of who asked for the plan, under input.actor.
type Actor struct {
	Kind  string `json:"kind"` // user, token, schedule, bot
	Login string `json:"login"`
}

// State is what rules see of the state before the plan, under input.state.
type State struct {
	Lineage string `json:"lineage"`
	Serial  int64  `json:"serial"`
}

// Project is what rules see of the project, under input.project.
type Project struct {
	Name      string `json:"name"`
	Dir       string `json:"dir"`
	Workspace string `json:"workspace"`
	// Environment is what the server's policy settings call the project's
	// environment, such as "production"; "" where they name none.
	Environment string `json:"environment"`
}

// Client is what rules see of the client, under input.client.
type Client struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// maxInput bounds the plan's JSON, in bytes.
const maxInput = 512 << 20

// top holds the keys of the input that are not the plan's.
var top = []string{"plan", "pull", "project", "client", "change", "cost", "actor", "state", "files", "settings", "version"}

// build makes the input of the rules. Of the plan it reads what some rule can
// ask for, and no more: prior state and configuration are most of a plan's
// JSON, and few rules look at them.
func (in Input) build(settings Settings, needs needs) (ast.Value, error) {
	if in.Plan == nil || len(in.Plan.Raw) == 0 {
		return nil, errs.New(errs.Invalid, "There is no plan to judge.")
	}
	if len(in.Plan.Raw) > maxInput {
		return nil, errs.New(errs.TooLarge, "The plan is %d MB as JSON, and policies judge at most %d MB: split the project, or plan a part of it with -target.", len(in.Plan.Raw)>>20, maxInput>>20)
	}
	plan, err := members(in.Plan.Raw, needs.plan)
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The plan's JSON can't be read.")
	}
	all := map[string]*ast.Term{"plan": object(plan)}
	maps.Copy(all, plan)
	for key, v := range in.facts(settings) {
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, errs.Wrap(errs.Invalid, err, "The facts for the policies can't be written as JSON.")
		}
		if all[key], err = newDecoder(raw).value(0); err != nil {
			return nil, errs.Wrap(errs.Invalid, err, "The facts for the policies can't be read.")
		}
	}
	return object(all).Value, nil
}

// size is about how much memory the plan takes while it is judged, in bytes:
// its values, and what all rules have in common of them.
func (in Input) size() uint64 {
	if in.Plan == nil {
		return 0
	}
	return 12 * uint64(len(in.Plan.Raw))
}

// facts are what rules see beside the plan, by key. What is not there has no
// key: to a rule it is undefined, and not null.
func (in Input) facts(settings Settings) map[string]any {
	own := map[string]any{
		"project":  in.Project,
		"client":   in.Client,
		"settings": settings,
		"version":  InputVersion,
	}
	// Lists are lists in any case: one that is null would be undefined to a
	// rule that counts it.
	if in.Pull != nil {
		p := *in.Pull
		p.Labels, p.Approvals = list(p.Labels), list(p.Approvals)
		own["pull"] = p
	}
	if in.Change != nil {
		c := *in.Change
		c.Files = list(c.Files)
		own["change"] = c
	}
	if in.Cost != nil {
		c := *in.Cost
		c.Resources = list(c.Resources)
		own["cost"] = c
	}
	if in.Actor != nil {
		own["actor"] = in.Actor
	}
	if in.State != nil {
		own["state"] = in.State
	}
	if in.Files != nil {
		own["files"] = in.Files
	}
	return own
}

func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

func object(members map[string]*ast.Term) *ast.Term {
	pairs := make([][2]*ast.Term, 0, len(members))
	for _, key := range slices.Sorted(maps.Keys(members)) {
		pairs = append(pairs, [2]*ast.Term{ast.StringTerm(key), members[key]})
	}
	return ast.ObjectTerm(pairs...)
}

// needs are the keys of the plan that rules can ask for.
type needs struct {
	all   bool
	keys  map[string]bool
	facts map[string]bool // beside the plan: "change", and "change.files" or "change.*"
}

func (n needs) plan(key string) bool { return n.all || n.keys[key] }

// join adds what others need.
func (n *needs) join(o needs) {
	n.all = n.all || o.all
	maps.Copy(n.keys, o.keys)
	maps.Copy(n.facts, o.facts)
}

// needsOf finds what the modules ask of the input. A rule that takes the input
// or the plan as a whole, or looks a key up by a variable, needs everything.
func needsOf(modules map[string]*ast.Module) needs {
	// resource_changes is there for Judge, which looks for what is sensitive.
	n := needs{keys: map[string]bool{"resource_changes": true}, facts: map[string]bool{}}
	var visitor *ast.GenericVisitor
	visitor = ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case ast.Var:
			n.all = n.all || x.Equal(ast.InputRootDocument.Value)
		case ast.Ref:
			if !x.HasPrefix(ast.InputRootRef) {
				return false
			}
			n.add(x[1:])
			for _, t := range x[1:] {
				visitor.Walk(t) // an index may hold another reference
			}
			return true
		}
		return false
	})
	for _, m := range modules {
		visitor.Walk(m)
	}
	if n.keys["variables"] {
		n.keys["configuration"] = true // tells which variables are sensitive
	}
	return n
}

// fact notes that something beside the plan is asked for, and which part of it.
func (n *needs) fact(key string, rest ast.Ref) {
	part := "*"
	if len(rest) > 0 {
		if s, ok := rest[0].Value.(ast.String); ok {
			part = string(s)
		}
	}
	n.facts[key], n.facts[key+"."+part] = true, true
}

// Asks reports whether some rule can look at a fact beside the plan: "change",
// or a part of one, "pull.approvals". What no rule looks at need not be found
// out, and changes no verdict.
func (e *Engine) Asks(fact string) bool {
	whole, _, _ := strings.Cut(fact, ".")
	return e.needs.all || e.needs.facts[fact] || e.needs.facts[whole+".*"]
}

// add notes the reference whose path within the input is given.
func (n *needs) add(path ast.Ref) {
	for depth := range 2 {
		if len(path) <= depth {
			n.all = true
			return
		}
		key, ok := path[depth].Value.(ast.String)
		switch {
		case !ok:
			n.all = true
			return
		case depth == 0 && key == "plan":
			continue
		case depth == 0 && slices.Contains(top, string(key)):
			n.fact(string(key), path[1:])
			return
		}
		n.keys[string(key)] = true
		return
	}
}

package gate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Act is what a gate stands before.
type Act string

// The acts. ActDestroy is the apply of a plan that destroys a whole project.
const (
	ActPlan    Act = "plan"
	ActApply   Act = "apply"
	ActDestroy Act = "destroy"
)

// Acts lists the acts in the order in which they are told.
func Acts() []Act { return []Act{ActPlan, ActApply, ActDestroy} }

// The names of the gates as they stand in Verdict.Gate and in a configuration
// file. The gate of an expression has the expression's name.
const (
	Approvals     = "approvals"
	CodeOwners    = "code_owners"
	Mergeable     = "mergeable"
	Checks        = "checks"
	UpToDate      = "up_to_date"
	Policies      = "policies"
	Cost          = "max_monthly_cost_increase"
	Budgets       = "budgets"
	Labels        = "labels"
	WithoutLabels = "without_labels"
	Role          = "role"
	Users         = "users" // and teams
)

// names lists them in the order of the verdicts.
var names = []string{Approvals, CodeOwners, Mergeable, Checks, UpToDate, Policies, Cost, Budgets, Labels, WithoutLabels, Role, Users}

// Rules are the gates of one act. A zero field asks for nothing. They are
// stored as JSON with the change that they were read for.
type Rules struct {
	// Approvals is how many approving reviews of the head there must be, by
	// people who may write and are not the author.
	Approvals int `json:"approvals,omitempty"`
	// CodeOwners asks that every changed file that has owners is approved by
	// one of them.
	CodeOwners bool `json:"code_owners,omitempty"`
	// Mergeable asks that GitHub says the pull merges cleanly.
	Mergeable bool `json:"mergeable,omitempty"`
	// Checks are names, or patterns such as "ci/*", of checks and statuses of
	// the head that must have passed, at least one for each; "*" is every one.
	Checks []string `json:"checks,omitempty"`
	// UpToDate asks that the head holds the tip of its base branch.
	UpToDate bool `json:"up_to_date,omitempty"`
	// Policies asks that the policies pass, or that what they found was waived.
	Policies bool `json:"policies,omitempty"`
	// MaxMonthlyCost is the difference in USD a month above which the gate is
	// closed; nil asks for nothing. An unknown difference closes it.
	MaxMonthlyCost *decimal.Decimal `json:"max_monthly_cost_increase,omitempty"`
	// Budgets asks that no budget of the server's is exceeded, or that its
	// owners have approved it. Where there are budgets it is asked before every
	// apply: no file says so, and none can keep it from being asked.
	Budgets bool `json:"-"`
	// Labels must all be there; of WithoutLabels none may be. GitHub's labels
	// don't differ by case.
	Labels        []string `json:"labels,omitempty"`
	WithoutLabels []string `json:"without_labels,omitempty"`
	// Role is the least role of the actor: read, triage, write, maintain or
	// admin; "" asks for none.
	Role string `json:"role,omitempty"`
	// People are those who alone may do it.
	People
	// Also are further lists that have to let the actor through: those of the
	// repository beside the server's.
	Also []People `json:"also,omitempty"`
	// Expressions must all be true.
	Expressions []Expression `json:"rules,omitempty"`
	// Off names the gates that a file turns off in so many words, such as
	// code_owners = false. It opens nothing; Loosens tells of it.
	Off []string `json:"off,omitempty"`
}

// People are users by login and members of teams by "organization/team". Who
// is in one of both is let through; where both are empty, everyone is.
type People struct {
	Users []string `json:"users,omitempty"`
	Teams []string `json:"teams,omitempty"`
}

func (p People) empty() bool { return len(p.Users) == 0 && len(p.Teams) == 0 }

// Expression is a rule in CEL. It opens its gate where it is true.
type Expression struct {
	Name    string `json:"name"`
	Expr    string `json:"expr"`
	Message string `json:"message,omitempty"` // what to do where it is not true, a sentence
	Pos     string `json:"pos,omitempty"`     // file:line of its text
}

// Set is the gates of all acts.
type Set struct {
	Plan    Rules `json:"plan,omitzero"`
	Apply   Rules `json:"apply,omitzero"`
	Destroy Rules `json:"destroy,omitzero"`
}

// Of returns the gates that stand before the act. A destroy is an apply too:
// it passes the gates of both, so that nobody gets around those of the apply
// by destroying instead.
func (s Set) Of(act Act) Rules {
	switch act {
	case ActPlan:
		return s.Plan
	case ActApply:
		return s.Apply
	case ActDestroy:
		return s.Apply.tighten(s.Destroy)
	}
	return Rules{Role: "no such act as " + string(act)} // closed for everybody
}

// WithFloor returns the gates as a server has them: the policies are asked
// before every apply, and approvals, from the short form of the settings, is
// the least number of approving reviews.
func (s Set) WithFloor(approvals int) Set {
	s.Apply.Policies, s.Destroy.Policies = true, true
	s.Apply.Approvals = max(s.Apply.Approvals, approvals)
	return s
}

// Tighten returns the gates that are open exactly where those of both sets
// are: the server's floor with a repository's wishes over it. So a repository
// can only tighten.
func (s Set) Tighten(repo Set) Set {
	return Set{Plan: s.Plan.tighten(repo.Plan), Apply: s.Apply.tighten(repo.Apply), Destroy: s.Destroy.tighten(repo.Destroy)}
}

func (r Rules) tighten(o Rules) Rules {
	out := Rules{
		Approvals:      max(r.Approvals, o.Approvals),
		CodeOwners:     r.CodeOwners || o.CodeOwners,
		Mergeable:      r.Mergeable || o.Mergeable,
		Checks:         union(r.Checks, o.Checks),
		UpToDate:       r.UpToDate || o.UpToDate,
		Policies:       r.Policies || o.Policies,
		Budgets:        r.Budgets || o.Budgets,
		MaxMonthlyCost: r.MaxMonthlyCost,
		Labels:         union(r.Labels, o.Labels),
		WithoutLabels:  union(r.WithoutLabels, o.WithoutLabels),
		Role:           r.Role,
		Off:            union(r.Off, o.Off),
	}
	if m := o.MaxMonthlyCost; m != nil && (out.MaxMonthlyCost == nil || m.LessThan(*out.MaxMonthlyCost)) {
		out.MaxMonthlyCost = m
	}
	if rank(o.Role) > rank(out.Role) {
		out.Role = o.Role
	}
	for _, p := range append(r.lists(), o.lists()...) {
		switch {
		case out.empty():
			out.People = p
		case !same(out.People, p) && !slices.ContainsFunc(out.Also, func(q People) bool { return same(p, q) }):
			out.Also = append(out.Also, p)
		}
	}
	for _, e := range append(slices.Clone(r.Expressions), o.Expressions...) {
		if !slices.Contains(out.Expressions, e) {
			out.Expressions = append(out.Expressions, e)
		}
	}
	return out
}

// lists returns every list that has to let the actor through.
func (r Rules) lists() []People {
	var out []People
	for _, p := range append([]People{r.People}, r.Also...) {
		if !p.empty() {
			out = append(out, p)
		}
	}
	return out
}

func same(a, b People) bool { return slices.Equal(a.Users, b.Users) && slices.Equal(a.Teams, b.Teams) }

func union(a, b []string) []string {
	var out []string
	for _, s := range append(slices.Clone(a), b...) {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// roles are GitHub's, from the least.
var roles = []string{"read", "triage", "write", "maintain", "admin"}

// rank orders roles: 0 is none. A role that nobody knows ranks above all, so
// that no rule can be loosened by misspelling it.
func rank(role string) int {
	if role == "" {
		return 0
	}
	if i := slices.Index(roles, role); i >= 0 {
		return i + 1
	}
	return len(roles) + 1
}

// holds reports whether somebody who has the role has at least the least one.
// Roles that nobody knows hold nothing.
func holds(has, least string) bool {
	return slices.Contains(roles, has) && rank(has) >= rank(least)
}

// Loosens returns a sentence for everything in which the repository asks for
// less than the server's floor s and does not get it. Pure wishes for more are
// not told.
func (s Set) Loosens(repo Set) []string {
	var out []string
	for _, act := range Acts() {
		floor, wish := s.rules(act), repo.rules(act)
		say := func(format string, args ...any) {
			out = append(out, fmt.Sprintf("Gate %q: ", act)+fmt.Sprintf(format, args...))
		}
		if wish.Approvals > 0 && wish.Approvals < floor.Approvals {
			say("approvals = %d asks for fewer reviews than the server, which wants %d.", wish.Approvals, floor.Approvals)
		}
		if m, f := wish.MaxMonthlyCost, floor.MaxMonthlyCost; m != nil && f != nil && m.GreaterThan(*f) {
			say("%s = %s lets more through than the server, whose limit is %s.", Cost, m, f)
		}
		if wish.Role != "" && rank(wish.Role) < rank(floor.Role) {
			say("role = %q is less than the server asks for, which is %q.", wish.Role, floor.Role)
		}
		if extra := outside(wish.People, floor.lists()); len(extra) > 0 {
			say("the server does not let %s through, so naming them here changes nothing.", list(extra))
		}
		for _, name := range wish.Off {
			if slices.Contains(floor.on(), name) {
				say("%s is turned off here, but the server asks for it.", name)
			}
		}
	}
	return out
}

// outside returns the names that a list of the floor lacks. Who is in a team
// is not known here: a user stands outside only where no team could let him
// in, and a team only where none at all is let in.
func outside(p People, floor []People) []string {
	var out []string
	for _, f := range floor {
		for _, u := range p.Users {
			if len(f.Teams) == 0 && !containsFold(f.Users, u) {
				out = append(out, u)
			}
		}
		for _, t := range p.Teams {
			if !containsFold(f.Teams, t) {
				out = append(out, t)
			}
		}
	}
	return union(out, nil)
}

// rules returns the act's own rules, those of the apply not among a destroy's.
func (s Set) rules(act Act) Rules {
	switch act {
	case ActPlan:
		return s.Plan
	case ActApply:
		return s.Apply
	}
	return s.Destroy
}

// on returns the names of the gates that the rules have, expressions apart.
func (r Rules) on() []string {
	has := map[string]bool{
		Approvals: r.Approvals > 0, CodeOwners: r.CodeOwners, Mergeable: r.Mergeable, Checks: len(r.Checks) > 0,
		UpToDate: r.UpToDate, Policies: r.Policies, Cost: r.MaxMonthlyCost != nil, Budgets: r.Budgets, Labels: len(r.Labels) > 0,
		WithoutLabels: len(r.WithoutLabels) > 0, Role: r.Role != "", Users: len(r.lists()) > 0,
	}
	var out []string
	for _, n := range names {
		if has[n] {
			out = append(out, n)
		}
	}
	return out
}

func containsFold(all []string, s string) bool {
	return slices.ContainsFunc(all, func(a string) bool { return strings.EqualFold(a, s) })
}

// Need says which facts the rules look at that cost a request, or more.
type Need struct {
	Role      bool // Actor.Role
	Reviews   bool // Facts.Reviews
	Owners    bool // Facts.Owners, and the reviews
	Checks    bool // Facts.Checks
	Compare   bool // Pull.Behind
	Mergeable bool // Pull.Mergeable
	// Teams are those in whose membership of the actor's somebody is
	// interested, as "organization/team" in lower case, sorted.
	Teams []string
}

// Needs returns what the rules look at. Rules that don't compile ask for
// nothing: they are closed whatever the facts.
func (r Rules) Needs() Need {
	n := Need{
		Role: r.Role != "", Reviews: r.Approvals > 0 || r.CodeOwners, Owners: r.CodeOwners,
		Checks: len(r.Checks) > 0, Compare: r.UpToDate, Mergeable: r.Mergeable,
	}
	for _, p := range r.lists() {
		n.Teams = append(n.Teams, p.Teams...)
	}
	for _, e := range r.Expressions {
		if c := compile(e.Expr); len(c.problems) == 0 {
			n = n.with(c.need)
		}
	}
	for i, t := range n.Teams {
		n.Teams[i] = strings.ToLower(t)
	}
	slices.Sort(n.Teams)
	n.Teams = slices.Compact(n.Teams)
	return n
}

func (n Need) with(o Need) Need {
	n.Role = n.Role || o.Role
	n.Reviews = n.Reviews || o.Reviews
	n.Owners = n.Owners || o.Owners
	n.Checks = n.Checks || o.Checks
	n.Compare = n.Compare || o.Compare
	n.Mergeable = n.Mergeable || o.Mergeable
	n.Teams = append(n.Teams, o.Teams...)
	return n
}

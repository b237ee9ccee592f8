package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/shopspring/decimal"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/prices"
)

// budgetBlock is the type of the blocks that say what may be spent.
const budgetBlock = "budget"

const budgetDoc = "What some projects may cost a month, in a block each: `budget \"NAME\"`. It looks at the projects that everything in it holds for, of all clients where it names none; several may look at the same project, and each counts. " +
	"The block `owners` says who may approve what is over it, as `approve-cost`: `users`, `teams` and `count`; without it, one person with the role maintain. " +
	"The block `thresholds` says what is told of, once a month each: lists of `percent` of the budget and of `absolute` amounts that the monthly rate reaches, and of percent that the forecast of the month reaches, `projected`. " +
	"They stand in the file only, and have no variables. [Budgets](budgets.md) has an example."

// budgetAttributes are what a block may hold, for the reference.
var budgetAttributes = []struct{ name, takes, doc string }{
	{"amount", "amount", "What may be spent, as `\"5000.00\"`. Required."},
	{"currency", "currency", "Of the amount, as `EUR`; `cost.currency` without it. What projects cost in another currency is converted by the last rate that is known for today."},
	{"period", "`\"month\"`", "How long the amount lasts."},
	{"month", "month", "The one month that it is for, as `\"2026-12\"`. Without it, it is for every month."},
	{"client", "pattern", "The clients (installations) whose projects it looks at, by slug."},
	{"environment", "pattern", "The environments, by the names of this file's `environment` blocks."},
	{"repos", "list of patterns", "The repositories, as `\"acme/infra\"` or `\"acme/*\"`."},
	{"projects", "list of patterns", "The names of the projects."},
	{"on_exceed", "`\"gate\"` or `\"warn\"`", "What a change meets that would exceed it: `gate`, which it is without a word, keeps it from being applied until the owners approve; `warn` says so in the comment and nothing more. What can't be compared with the budget, for want of a rate, meets the same."},
}

type hclBudget struct {
	Amount      hcl.Expression   `hcl:"amount"`
	Currency    string           `hcl:"currency,optional"`
	Period      string           `hcl:"period,optional"`
	Month       string           `hcl:"month,optional"`
	Client      string           `hcl:"client,optional"`
	Environment string           `hcl:"environment,optional"`
	Repos       []string         `hcl:"repos,optional"`
	Projects    []string         `hcl:"projects,optional"`
	OnExceed    string           `hcl:"on_exceed,optional"`
	Thresholds  *hclThresholds   `hcl:"thresholds,block"`
	Owners      *hclBudgetOwners `hcl:"owners,block"`
}

type hclThresholds struct {
	Absolute  hcl.Expression `hcl:"absolute,optional"`
	Percent   hcl.Expression `hcl:"percent,optional"`
	Projected hcl.Expression `hcl:"projected,optional"`
}

type hclBudgetOwners struct {
	Users []string `hcl:"users,optional"`
	Teams []string `hcl:"teams,optional"`
	Count int      `hcl:"count,optional"`
}

// What a budget may hold at most, so that a comment has room for it.
const (
	maxThresholds   = 20
	maxBudgetOwners = 20
)

var (
	budgetName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)
	budgetAmount = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,6})?$`)
)

// readBudgets reads the budget blocks.
func (l *Reading) readBudgets(blocks hcl.Blocks) {
	for _, b := range blocks {
		if b.Type != budgetBlock {
			continue
		}
		name := b.Labels[0]
		r := budgetReader{l: l, where: place(b.DefRange), name: name}
		var raw hclBudget
		if diags := gohcl.DecodeBody(b.Body, nil, &raw); diags.HasErrors() {
			l.diagnostics(budgetBlock, diags)
			continue
		}
		if slices.ContainsFunc(l.Config.Budgets, func(o budget.Budget) bool { return o.Name == name }) {
			r.say("stands here twice.")
			continue
		}
		l.Config.Budgets = append(l.Config.Budgets, r.read(raw))
		l.origins[budgetBlock+"."+name] = origin{rank: rankFile, where: r.where}
	}
}

// budgetReader reads one block and reports what is wrong with it.
type budgetReader struct {
	l           *Reading
	where, name string
}

func (r *budgetReader) say(format string, args ...any) {
	r.l.problem(budgetBlock, r.where, "the budget %q "+format, append([]any{r.name}, args...)...)
}

func (r *budgetReader) read(raw hclBudget) budget.Budget {
	b := budget.Budget{
		Name: r.name, Currency: raw.Currency, OnExceed: cmp.Or(raw.OnExceed, budget.Gate), Place: r.where,
		Scope: budget.Scope{Client: raw.Client, Environment: raw.Environment, Repos: raw.Repos, Projects: raw.Projects},
	}
	if !budgetName.MatchString(r.name) {
		r.say("has a name that can't be used: letters, digits and . _ - only, at most 63, and a letter or digit first.")
	}
	var ok bool
	if b.Amount, ok = r.amount(raw.Amount); !ok {
		r.say("needs an amount such as \"5000.00\", with six digits after the point at most.")
	} else if !b.Amount.IsPositive() {
		r.say("has the amount %s; it must be more than 0.", b.Amount)
	}
	if b.Currency != "" && !prices.IsCurrency(b.Currency) {
		r.say("has the currency %q; write its three capital letters, such as EUR.", b.Currency)
	}
	if raw.Period != "" && raw.Period != "month" {
		r.say("has the period %q; there is \"month\".", raw.Period)
	}
	if raw.Month != "" {
		m, err := budget.ParseMonth(raw.Month)
		if err != nil {
			r.say("has the month %q; it is written like \"2026-11\".", raw.Month)
		}
		b.Month = m
	}
	if b.OnExceed != budget.Gate && b.OnExceed != budget.Warn {
		r.say("has on_exceed %q; there are \"gate\" and \"warn\".", raw.OnExceed)
	}
	r.scope(b.Scope)
	if raw.Thresholds != nil {
		b.Thresholds = r.thresholds(*raw.Thresholds)
	}
	if raw.Owners != nil {
		b.Owners = r.owners(*raw.Owners)
	}
	return b
}

// amount reads an exact decimal, written as a number or as text.
func (r *budgetReader) amount(e hcl.Expression) (decimal.Decimal, bool) {
	v, diags := e.Value(nil)
	if diags.HasErrors() {
		return decimal.Zero, false
	}
	return exact(v)
}

func exact(v cty.Value) (decimal.Decimal, bool) {
	text, err := convert.Convert(v, cty.String)
	if err != nil || text.IsNull() || !text.IsKnown() || !budgetAmount.MatchString(text.AsString()) {
		return decimal.Zero, false
	}
	d, err := decimal.NewFromString(text.AsString())
	return d, err == nil
}

func (r *budgetReader) scope(s budget.Scope) {
	for _, l := range []struct {
		name string
		list []string
	}{{"client", []string{s.Client}}, {"environment", []string{s.Environment}}, {"repos", s.Repos}, {"projects", s.Projects}} {
		single := l.name == "client" || l.name == "environment"
		for _, p := range l.list {
			if p == "" && !single || !doublestar.ValidatePattern(p) {
				r.say("has %q in %s, which is not a pattern.", p, l.name)
			}
		}
	}
	for _, p := range s.Repos {
		if !strings.Contains(p, "/") && p != "**" {
			r.say("has %q in repos, which matches no repository: write OWNER/NAME, or OWNER/*.", p)
		}
	}
}

func (r *budgetReader) thresholds(raw hclThresholds) []budget.Threshold {
	var out []budget.Threshold
	for _, of := range []struct {
		kind budget.ThresholdKind
		list hcl.Expression
	}{{budget.Percent, raw.Percent}, {budget.Absolute, raw.Absolute}, {budget.Projected, raw.Projected}} {
		if of.list == nil {
			continue
		}
		v, diags := of.list.Value(nil)
		if diags.HasErrors() || v.IsNull() || !v.CanIterateElements() || v.Type().IsObjectType() || v.Type().IsMapType() {
			if !v.IsNull() {
				r.say("has thresholds in %s that are no list of amounts, such as [50, 80, 100].", of.kind)
			}
			continue
		}
		n := 0
		for it := v.ElementIterator(); it.Next(); {
			_, item := it.Element()
			d, ok := exact(item)
			n++
			switch {
			case !ok || !d.IsPositive():
				r.say("has a threshold in %s, number %d, that is no amount of more than 0.", of.kind, n)
			case of.kind != budget.Absolute && d.GreaterThan(decimal.NewFromInt(1000)):
				r.say("has the threshold %s in %s; 1000 percent is the most.", d, of.kind)
			case slices.ContainsFunc(out, func(t budget.Threshold) bool { return t.Kind == of.kind && t.Value.Equal(d) }):
				r.say("has the threshold %s twice in %s.", d, of.kind)
			default:
				out = append(out, budget.Threshold{Kind: of.kind, Value: d})
			}
		}
	}
	if len(out) > maxThresholds {
		r.say("has %d thresholds; %d are the most.", len(out), maxThresholds)
	}
	return out
}

func (r *budgetReader) owners(raw hclBudgetOwners) budget.Owners {
	o := budget.Owners{Who: append(slices.Clone(raw.Users), raw.Teams...), Count: raw.Count}
	for _, u := range raw.Users {
		if policyset.OwnerProblem(u) != "" || strings.Contains(u, "/") {
			r.say("has %q among the users of its owners, which is no login such as alice.", u)
		}
	}
	for _, t := range raw.Teams {
		if policyset.OwnerProblem(t) != "" || !strings.Contains(t, "/") {
			r.say("has %q among the teams of its owners, which is no team such as acme/finance.", t)
		}
	}
	if len(o.Who) > maxBudgetOwners {
		r.say("names %d owners; %d are the most. A team may have any number of members.", len(o.Who), maxBudgetOwners)
	}
	if o.Count < 0 || o.Count > 10 {
		r.say("has the count %d of owners; it is between 1 and 10.", o.Count)
	} else if len(raw.Teams) == 0 && len(raw.Users) > 0 && o.Count > len(raw.Users) {
		r.say("needs the word of %d owners, and names %d.", o.Count, len(raw.Users))
	}
	return o
}

// checkBudgets looks at what depends on the rest of the file.
func (l *Reading) checkBudgets() {
	for i := range l.Config.Budgets {
		b := &l.Config.Budgets[i]
		b.Currency = cmp.Or(b.Currency, l.Config.Cost.Currency)
		if b.Scope.Environment == "" {
			continue
		}
		if !slices.ContainsFunc(l.Config.Policies.Environments, func(e policyset.Environment) bool {
			ok, err := doublestar.Match(b.Scope.Environment, e.Name)
			return ok && err == nil
		}) {
			l.problem(budgetBlock, b.Place, "the budget %q is for the environment %q, and no environment block has such a name, so it looks at nothing. Environments of the admin repository are not known here.", b.Name, b.Scope.Environment)
		}
	}
}

// budgetHCL returns the block as a file could hold it.
func budgetHCL(b budget.Budget) string {
	var s strings.Builder
	fmt.Fprintf(&s, "budget %q {\n", b.Name)
	text := func(name, v string) {
		if v != "" {
			fmt.Fprintf(&s, "  %s = %q\n", name, v)
		}
	}
	list := func(indent, name string, v []string) {
		if len(v) > 0 {
			quoted := make([]string, len(v))
			for i, item := range v {
				quoted[i] = fmt.Sprintf("%q", item)
			}
			fmt.Fprintf(&s, "%s%s = [%s]\n", indent, name, strings.Join(quoted, ", "))
		}
	}
	text("amount", b.Amount.String())
	text("currency", b.Currency)
	if !b.Month.IsZero() {
		text("month", b.Month.String())
	}
	text("client", b.Scope.Client)
	text("environment", b.Scope.Environment)
	list("  ", "repos", b.Scope.Repos)
	list("  ", "projects", b.Scope.Projects)
	text("on_exceed", b.OnExceed)
	if len(b.Thresholds) > 0 {
		s.WriteString("  thresholds {\n")
		for _, kind := range []budget.ThresholdKind{budget.Percent, budget.Absolute, budget.Projected} {
			var values []string
			for _, t := range b.Thresholds {
				if t.Kind == kind {
					values = append(values, t.Value.String())
				}
			}
			list("    ", string(kind), values)
		}
		s.WriteString("  }\n")
	}
	if len(b.Owners.Who) > 0 || b.Owners.Count > 0 {
		s.WriteString("  owners {\n")
		var users, teams []string
		for _, w := range b.Owners.Who {
			if strings.Contains(w, "/") {
				teams = append(teams, w)
			} else {
				users = append(users, w)
			}
		}
		list("    ", "users", users)
		list("    ", "teams", teams)
		if b.Owners.Count > 0 {
			fmt.Fprintf(&s, "    count = %d\n", b.Owners.Count)
		}
		s.WriteString("  }\n")
	}
	s.WriteString("}\n")
	return s.String()
}

// writeBudgets prints the blocks as a file could hold them.
func (l *Reading) writeBudgets(s *strings.Builder) {
	for _, b := range l.Config.Budgets {
		fmt.Fprintf(s, "\n# from %s\n%s", b.Place, budgetHCL(b))
	}
}

// budgetsJSON adds the blocks to what is shown as JSON.
func (l *Reading) budgetsJSON(all map[string]Shown) {
	for _, b := range l.Config.Budgets {
		all[budgetBlock+"."+b.Name] = Shown{Value: budgetHCL(b), Source: b.Place}
	}
}

// budgetsReference is the section of docs/configuration.md.
func budgetsReference() string {
	var s strings.Builder
	fmt.Fprintf(&s, "\n## `budget`\n\n%s\n\n| attribute | takes | what it means |\n|---|---|---|\n", budgetDoc)
	for _, a := range budgetAttributes {
		fmt.Fprintf(&s, "| **`%s`** | %s | %s |\n", a.name, a.takes, strings.ReplaceAll(a.doc, "|", "\\|"))
	}
	return s.String()
}

package infracost

import (
	"slices"
	"strings"
	"sync"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// ofPlan is the estimate of a plan that the file was made of. What the file
// only counts, the plan names: resources that are free, those that Infracost
// does not support, and those that it does not look at.
func (r Root) ofPlan(plan *tfplan.Plan) (cost.Estimate, error) {
	if len(r.Projects) != 1 {
		return cost.Estimate{}, errs.New(errs.Invalid, "Infracost answered for %d projects, but was asked for one plan.", len(r.Projects))
	}
	p := r.Projects[0]
	order := map[string]int{}
	for i := range plan.Changes {
		if ch := &plan.Changes[i]; ch.Mode == "managed" && ch.Action != tfplan.ActionRead {
			if _, ok := order[ch.Address]; !ok { // not of deposed objects
				order[ch.Address] = i
			}
			p.PastBreakdown.move(ch.PrevAddress, ch.Address)
		}
	}
	x := r.reading(p)
	if x.e.Failed != "" {
		return cost.Estimate{}, errs.New(errs.Unavailable, "Infracost could not estimate the plan: %s", x.e.Failed)
	}
	listed := map[string]bool{}
	for i := range x.e.Resources {
		res := &x.e.Resources[i]
		listed[res.Address] = true
		if at, ok := order[res.Address]; ok {
			res.Type, res.Action = plan.Changes[at].Type, plan.Changes[at].Action
		}
	}
	for address, at := range order {
		if !listed[address] {
			x.unlisted(&plan.Changes[at], p.Summary)
		}
	}
	slices.SortStableFunc(x.e.Resources, func(a, b cost.ResourceCost) int {
		i, known := order[a.Address]
		j, also := order[b.Address]
		if known && also {
			return i - j
		}
		return strings.Compare(a.Address, b.Address)
	})
	e := x.finish()
	hide(&e, plan.SensitiveValues())
	return e, nil
}

// move gives a resource the address that it has now.
func (b *Breakdown) move(from, to string) {
	if b == nil || from == "" || slices.ContainsFunc(b.Resources, func(r Resource) bool { return r.Name == to }) {
		return
	}
	for i := range b.Resources {
		if b.Resources[i].Name == from {
			b.Resources[i].Name = to
			return
		}
	}
}

// unlisted adds a resource that the file does not list.
func (x *reading) unlisted(ch *tfplan.Change, s *Summary) {
	r := cost.ResourceCost{Address: ch.Address, Type: ch.Type, Action: ch.Action, Status: cost.StatusFree}
	exists := [2]bool{ch.Action != tfplan.ActionCreate, ch.Action != tfplan.ActionDelete}
	still := ch.Action == tfplan.ActionNoop || ch.Action == tfplan.ActionMove || ch.Action == tfplan.ActionImport || ch.Action == tfplan.ActionForget
	free := s != nil && s.NoPriceCounts[ch.Type] > 0 || (s == nil || s.UnsupportedCounts[ch.Type] == 0) && isFree(ch.Type)
	if free {
		r.Before, r.After, r.Delta = &decimal.Zero, &decimal.Zero, &decimal.Zero
		x.count(cost.StatusFree, 1)
		if !still {
			x.e.Resources = append(x.e.Resources, r)
		}
		return
	}
	if !exists[0] {
		r.Before = &decimal.Zero
	}
	if !exists[1] {
		r.After = &decimal.Zero
	}
	switch {
	case still:
		r.Delta = &decimal.Zero // whatever it costs, it goes on costing it
	default:
		x.adds, x.saves = x.adds || exists[1], x.saves || exists[0]
	}
	x.unsupported(1, r)
}

// isFree reports whether Tidelock's own list has a type as free. Infracost
// does not look at types of other clouds than the three large ones, of which
// many are no cloud's at all.
func isFree(typ string) bool {
	for _, f := range freeTypes() {
		if prefix, star := strings.CutSuffix(f, "*"); f == typ || star && strings.HasPrefix(typ, prefix) {
			return true
		}
	}
	return false
}

// hide takes out of an estimate what the plan marks as sensitive: Infracost
// writes what it prices by into the names of lines.
func hide(e *cost.Estimate, values []string) {
	if len(values) == 0 {
		return
	}
	masker := redact.NewMasker(values...)
	clean := func(text string) string {
		for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '(' || r == ')' }) {
			if slices.Contains(values, strings.TrimSpace(part)) {
				return redact.Mask
			}
		}
		return masker.String(text)
	}
	for i := range e.Resources {
		r := &e.Resources[i]
		for _, lines := range [][]cost.Component{r.Components, r.Was} {
			for j := range lines {
				lines[j].Name, lines[j].Detail = clean(lines[j].Name), clean(lines[j].Detail)
			}
		}
		for j := range r.Usage {
			r.Usage[j] = clean(r.Usage[j])
		}
		r.Note = clean(r.Note)
	}
}

// freeTypes are the types that are free, by Tidelock's list.
var freeTypes = sync.OnceValue(func() []string {
	_, _, free := cost.Types()
	return free
})

package infracost

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// Named is a project with its estimate, to be written.
type Named struct {
	Name      string
	Path      string // of the plan's JSON, as the reader would name it
	Workspace string // "" for none, or the default one
	Estimate  cost.Estimate
	// Plan is the plan that was estimated, where it is at hand. Free resources
	// that do not change are only counted in an estimate; it tells their types.
	Plan *tfplan.Plan
}

// words is what the format has no place for. It stands in a resource's
// metadata, under metadataKey.
type words struct {
	Action  tfplan.Action `json:"action,omitempty"`
	Status  cost.Status   `json:"status"`
	Region  string        `json:"region,omitempty"`
	Note    string        `json:"note,omitempty"`
	Assumed []string      `json:"assumed,omitempty"`
	Usage   []string      `json:"usage,omitempty"`
	// Delta is null where the difference is not known.
	Delta *Amount  `json:"delta"`
	AsOf  string   `json:"pricesAsOf,omitempty"`
	From  []string `json:"pricesFrom,omitempty"`
}

const metadataKey = "tidelock"

// New makes a file of estimates, all of one currency. about says where it comes
// from; its command is "breakdown" where it names none.
func New(projects []Named, about Metadata, now time.Time) Root {
	if about.Command == "" {
		about.Command = "breakdown"
	}
	root := Root{Version: Version, Metadata: about, Currency: "USD", Projects: []Project{}, TimeGenerated: now.UTC(), Summary: &Summary{}}
	for i, n := range projects {
		if i == 0 && n.Estimate.Currency != "" {
			root.Currency = n.Estimate.Currency
		}
		p := n.project()
		root.Projects = append(root.Projects, p)
		root.Summary.add(p.Summary)
	}
	root.total()
	return root
}

// plus adds an amount that may be unknown to a sum that may be empty.
func plus(sum **Amount, a *Amount) {
	switch {
	case a == nil:
	case *sum == nil:
		*sum = amount(a.Decimal)
	default:
		*sum = amount((*sum).Add(a.Decimal))
	}
}

func (n Named) project() Project {
	p := Project{
		Name: n.Name, Metadata: &ProjectMetadata{Path: n.Path, Type: "terraform_plan_json", Workspace: n.Workspace},
		PastBreakdown: &Breakdown{Resources: []Resource{}}, Breakdown: &Breakdown{Resources: []Resource{}}, Diff: &Breakdown{Resources: []Resource{}},
		Summary: &Summary{},
	}
	if n.Estimate.Failed != "" {
		p.Metadata.Errors = []Diagnosis{{Code: failedCode, Message: n.Estimate.Failed, Data: json.RawMessage("null"), IsError: true}}
	}
	hours := decimal.NewFromInt(int64(cmp.Or(n.Estimate.Hours, cost.HoursPerMonth)))
	for _, r := range n.Estimate.Resources {
		was, is := sidesOf(r)
		past, now := was.resource(r, hours), is.resource(r, hours)
		if past != nil {
			p.PastBreakdown.Resources = append(p.PastBreakdown.Resources, *past)
		}
		if now != nil {
			p.Breakdown.Resources = append(p.Breakdown.Resources, *now)
		}
		if d := difference(past, now); d != nil {
			if was.exists && is.exists && r.Delta != nil { // a side paid by use alone has no amount of its own
				d.MonthlyCost, d.HourlyCost = amount(*r.Delta), amount(r.Delta.Div(hours))
			}
			p.Diff.Resources = append(p.Diff.Resources, *d)
		}
	}
	for _, b := range []*Breakdown{p.PastBreakdown, p.Breakdown, p.Diff} {
		b.settle()
	}
	n.count(p.Summary)
	return p
}

// failedCode marks a project that has no estimate at all.
const failedCode = 1

// settle sorts a breakdown's resources, the dearest first, and adds them up.
func (b *Breakdown) settle() {
	slices.SortStableFunc(b.Resources, func(x, y Resource) int {
		switch {
		case x.MonthlyCost == nil && y.MonthlyCost == nil:
		case x.MonthlyCost == nil:
			return 1
		case y.MonthlyCost == nil:
			return -1
		default:
			if c := y.MonthlyCost.Cmp(x.MonthlyCost.Decimal); c != 0 {
				return c
			}
		}
		return strings.Compare(x.Name, y.Name)
	})
	b.TotalHourlyCost, b.TotalMonthlyCost, b.TotalMonthlyUsageCost = amount(decimal.Zero), amount(decimal.Zero), amount(decimal.Zero)
	for _, r := range b.Resources {
		plus(&b.TotalHourlyCost, r.HourlyCost)
		plus(&b.TotalMonthlyCost, r.MonthlyCost)
		plus(&b.TotalMonthlyUsageCost, r.MonthlyUsageCost)
	}
}

// side is a resource as it was, or as it will be.
type side struct {
	exists     bool
	components []cost.Component
	whole      bool // nothing of it lacks a price
	// left is set where the estimate leaves the resource out of its totals,
	// since only one side could be priced: so do these.
	left bool
	note string
}

// sidesOf takes an estimate's entry apart.
func sidesOf(r cost.ResourceCost) (was, is side) {
	was.exists, is.exists = r.Action != tfplan.ActionCreate, r.Action != tfplan.ActionDelete
	if was.exists && is.exists && r.Delta == nil {
		was.left, is.left = true, true
	}
	is.components, was.components = r.Components, r.Was
	if !is.exists {
		was.components = r.Components
	} else if was.exists && len(r.Was) == 0 && r.Before != nil && r.Before.Equal(sumOf(r.Components)) {
		was.components = r.Components // as they were
	}
	whole := r.Status == cost.StatusPriced || r.Status == cost.StatusFree || r.Status == cost.StatusUsage
	was.whole, is.whole = whole, whole
	if whole {
		return was, is
	}
	note, before, both := strings.Cut(r.Note, "; before: ")
	switch {
	case both:
		was.note, is.note = before, note
	case strings.HasPrefix(r.Note, "before: "):
		was.note, is.whole = strings.TrimPrefix(r.Note, "before: "), true
	default:
		was.note, is.note = r.Note, r.Note
		was.whole = was.exists && is.exists && r.Delta == nil && r.Before != nil
	}
	return was, is
}

func sumOf(components []cost.Component) decimal.Decimal {
	var sum decimal.Decimal
	for _, c := range components {
		sum = sum.Add(c.Monthly)
	}
	return sum
}

// resource writes a side; nil where there is nothing of it to write.
func (s side) resource(r cost.ResourceCost, hours decimal.Decimal) *Resource {
	if !s.exists || r.Status == cost.StatusFree || r.Status == cost.StatusUnsupported {
		return nil // these are only counted
	}
	out := &Resource{Name: r.Address, Type: r.Type, Metadata: map[string]json.RawMessage{}}
	w := words{Action: r.Action, Status: r.Status, Region: r.Region, Note: r.Note, Assumed: r.Assumed, Usage: r.Usage, Delta: amountOf(r.Delta)}
	for _, c := range s.components {
		out.Components = append(out.Components, s.component(c, hours))
		if c.AsOf > w.AsOf {
			w.AsOf = c.AsOf
		}
		if c.Source != "" && !slices.Contains(w.From, c.Source) {
			w.From = append(w.From, c.Source)
		}
	}
	for _, c := range out.Components {
		plus(&out.HourlyCost, c.HourlyCost)
		plus(&out.MonthlyCost, c.MonthlyCost)
		if c.UsageBased {
			plus(&out.MonthlyUsageCost, c.MonthlyCost)
		}
	}
	if s.whole && !s.left && r.Status == cost.StatusPriced && out.MonthlyCost == nil {
		out.HourlyCost, out.MonthlyCost = amount(decimal.Zero), amount(decimal.Zero) // none of it costs nothing
	}
	if !s.whole {
		out.Components = append(out.Components, Component{Name: cmp.Or(s.note, "not priced"), PriceNotFound: r.Status == cost.StatusNoPrice || r.Status == cost.StatusPartial})
	}
	for _, u := range r.Usage {
		out.Components = append(out.Components, Component{Name: u, UsageBased: true})
	}
	text, err := json.Marshal(w)
	if err != nil {
		return nil // texts and decimals can always be written
	}
	out.Metadata[metadataKey] = text
	return out
}

func (s side) component(c cost.Component, hours decimal.Decimal) Component {
	out := Component{Name: c.Name, Unit: c.Unit, MonthlyQuantity: amount(c.Quantity), Price: amount(c.Price), UsageBased: c.ByUse}
	if c.Detail != "" {
		out.Name += " (" + c.Detail + ")"
	}
	hourly := c.Quantity.Div(hours)
	out.HourlyQuantity = amount(hourly)
	if !s.left {
		out.HourlyCost, out.MonthlyCost = amount(hourly.Mul(c.Price)), amount(c.Monthly)
	}
	return out
}

// count fills in how many resources there will be of which kind.
func (n Named) count(s *Summary) {
	supported, unsupported, usage, free := 0, 0, 0, 0
	s.UnsupportedCounts, s.NoPriceCounts = map[string]int{}, map[string]int{}
	listed := map[string]bool{}
	for _, r := range n.Estimate.Resources {
		listed[r.Address] = true
		switch {
		case r.Action == tfplan.ActionDelete:
		case r.Status == cost.StatusFree:
			free++
			s.NoPriceCounts[r.Type]++
		case r.Status == cost.StatusUnsupported:
			unsupported++
			s.UnsupportedCounts[r.Type]++
		default:
			supported++
			if len(r.Usage) > 0 || slices.ContainsFunc(r.Components, func(c cost.Component) bool { return c.ByUse }) {
				usage++
			}
		}
	}
	if n.Plan == nil {
		deleted := 0
		for _, r := range n.Estimate.Resources {
			if r.Action == tfplan.ActionDelete && r.Status == cost.StatusFree {
				deleted++
			}
		}
		free = n.Estimate.Counts.Free - deleted
	} else if n.Estimate.Failed == "" {
		for i := range n.Plan.Changes {
			ch := &n.Plan.Changes[i]
			if ch.Mode == "managed" && ch.Action != tfplan.ActionRead && !listed[ch.Address] {
				free++ // free ones that do not change are counted alone
				s.NoPriceCounts[ch.Type]++
			}
		}
	}
	detected := supported + unsupported + free
	s.Detected, s.Supported, s.Unsupported, s.UsageBased, s.NoPrice = &detected, &supported, &unsupported, &usage, &free
}

// add adds another project's counts.
func (s *Summary) add(o *Summary) {
	for _, n := range []struct {
		sum **int
		of  *int
	}{{&s.Total, o.Total}, {&s.Detected, o.Detected}, {&s.Supported, o.Supported}, {&s.Unsupported, o.Unsupported}, {&s.UsageBased, o.UsageBased}, {&s.NoPrice, o.NoPrice}} {
		if n.of == nil {
			continue
		}
		total := *n.of
		if *n.sum != nil {
			total += **n.sum
		}
		*n.sum = &total
	}
	for _, m := range []struct {
		sum *map[string]int
		of  map[string]int
	}{{&s.SupportedCounts, o.SupportedCounts}, {&s.UnsupportedCounts, o.UnsupportedCounts}, {&s.NoPriceCounts, o.NoPriceCounts}} {
		if m.of == nil {
			continue
		}
		if *m.sum == nil {
			*m.sum = map[string]int{}
		}
		for k, v := range m.of {
			(*m.sum)[k] += v
		}
	}
}

package cost

import (
	"cmp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/planner/tfplan"
)

// Advice is one thing that could cost less, and by how much. It is found by
// pricing the resource anew with one value of the plan changed, so that
// following it saves exactly what it says; where anything of either side has no
// price in the resource's own region, there is no advice.
type Advice struct {
	ID      string          `json:"id"` // what it is about, the same for all resources: "aws.volume.gp3"
	Address string          `json:"address"`
	Text    string          `json:"text"`   // what to do, a sentence
	Why     string          `json:"why"`    // what it rests on, and what else becomes different
	Saving  decimal.Decimal `json:"saving"` // a month, in the estimate's currency
	// Touched is set where a line of the change stands in the block that
	// declares the resource, File and Line say where that is. Whoever has the
	// code fills them in.
	Touched bool   `json:"touched,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
}

// maxAdvices is how many are kept of a plan: those that save the most.
const maxAdvices = 200

// leastSaving is below what nobody would edit a line for.
var leastSaving = decimal.New(1, -2)

// alternative is another way to have at least the same.
type alternative struct {
	id, text, why string
	sets          []set
	dealt         bool // Google takes something off by itself for what is there now
}

// set is a value of a resource that would be another.
type set struct {
	path  []any // names of attributes and blocks, and places in lists
	value any
}

// advisers know what could be had for less, by type of resource. Those of
// templates are asked once for all that is made of one.
var advisers = map[string]func(v view) []alternative{}

func init() {
	for _, m := range []map[string]func(view) []alternative{machineAdvisers(), volumeAdvisers()} {
		for typ, f := range m {
			advisers[typ] = f
		}
	}
}

// advise finds what could cost less after the change. The changes must be the
// estimation's own: they are edited, priced and put back.
func (x *estimation) advise() ([]Advice, error) {
	made := map[*tfplan.Change][]*tfplan.Change{} // from templates
	var asked []*tfplan.Change
	for i := range x.changes {
		c := &x.changes[i]
		if c.Mode != "managed" || c.After == nil || c.Action == tfplan.ActionForget || c.Action == tfplan.ActionRead {
			continue
		}
		if ofTemplates[c.Type] {
			for _, t := range x.price(c, true).from {
				if !slices.Contains(made[t], c) {
					made[t] = append(made[t], c)
				}
			}
		}
		if advisers[c.Type] != nil {
			asked = append(asked, c)
		}
	}
	var out []Advice
	for _, c := range asked {
		about := []*tfplan.Change{c}
		if templates[c.Type] {
			about = made[c]
		}
		out = append(out, x.best(c, about)...)
	}
	out = append(out, x.unattached()...)
	out = append(out, x.gateways()...)
	if x.err != nil {
		return nil, x.err
	}
	slices.SortStableFunc(out, func(a, b Advice) int {
		return cmp.Or(b.Saving.Cmp(a.Saving), strings.Compare(a.Address, b.Address), strings.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), maxAdvices)], nil
}

// best is the alternative of each kind that saves the most.
func (x *estimation) best(c *tfplan.Change, about []*tfplan.Change) []Advice {
	if len(about) == 0 {
		return nil
	}
	var out []Advice
	v := sideView(c, true)
	for _, a := range advisers[c.Type](v) {
		saving, from, to, ok := x.saves(c, about, a)
		if !ok {
			continue
		}
		advice := Advice{
			ID: a.id, Address: c.Address, Text: a.text, Saving: saving,
			Why: a.why + " " + Money(to, x.currency()) + " a month instead of " + Money(from, x.currency()) + ".",
		}
		i := slices.IndexFunc(out, func(o Advice) bool { return o.ID == a.id })
		switch {
		case i < 0:
			out = append(out, advice)
		case out[i].Saving.LessThan(saving):
			out[i] = advice
		}
	}
	return out
}

func (x *estimation) currency() string {
	if c := x.terms.native(); c != "" {
		return c
	}
	return x.catalog.Currency()
}

// saves prices what is about a change as it is and as it would be.
func (x *estimation) saves(c *tfplan.Change, about []*tfplan.Change, a alternative) (saving, from, to decimal.Decimal, ok bool) {
	total := func() (bills []*bill, sum decimal.Decimal) {
		for _, r := range about {
			b := x.price(r, true)
			bills, sum = append(bills, b), sum.Add(b.total())
		}
		return bills, sum
	}
	both := func() bool {
		var was, will []*bill
		if was, from = total(); slices.ContainsFunc(was, func(b *bill) bool { return !b.proves() }) {
			return false
		}
		after, unknown := c.After, c.Unknown
		defer func() { c.After, c.Unknown = after, unknown }()
		for _, s := range a.sets {
			value, isMap := with(c.After, s.path, s.value).(map[string]any)
			if !isMap {
				return false
			}
			c.After, c.Unknown = value, with(c.Unknown, s.path, false)
		}
		will, to = total()
		for i := range was {
			// What has no price and is the same in both cancels.
			if !will[i].proves() || !comparable(was[i], will[i]) {
				return false
			}
		}
		return from.Sub(to).GreaterThanOrEqual(leastSaving)
	}
	if a.dealt { // what the vendor takes off by itself must not be what is saved
		sustained := x.sustained
		x.sustained = true
		ok := both()
		x.sustained = sustained
		if !ok {
			return saving, from, to, false
		}
	}
	if !both() {
		return saving, from, to, false
	}
	return from.Sub(to), from, to, true
}

// proves reports whether a bill can be one side of a proof: what there is of it
// is known, none of it is a ceiling, and nothing of it is to be kept quiet.
func (b *bill) proves() bool {
	if !b.exists || b.sensitive || b.unsupported || len(b.unknown) > 0 || len(b.components) == 0 {
		return false
	}
	return !slices.ContainsFunc(b.components, func(c Component) bool { return strings.Contains(c.Detail, "ceiling") })
}

// whole reports whether all of a bill can be saved.
func (b *bill) whole() bool { return b.proves() && b.status == StatusPriced }

// with returns a value, or the mask over one, with another at a path. What
// lies on the way is copied. A mask that covers all, and what has no such path,
// stays.
func with(in any, path []any, value any) any {
	if len(path) == 0 {
		return value
	}
	switch key := path[0].(type) {
	case string:
		m, ok := in.(map[string]any)
		if !ok {
			return in
		}
		out := make(map[string]any, len(m)+1)
		for k, v := range m {
			out[k] = v
		}
		if _, there := m[key]; !there && len(path) > 1 {
			return in
		}
		out[key] = with(m[key], path[1:], value)
		return out
	case int:
		list, ok := in.([]any)
		if !ok || key >= len(list) {
			return in
		}
		out := slices.Clone(list)
		out[key] = with(list[key], path[1:], value)
		return out
	}
	return in
}

// templates are what machines are made of elsewhere, and ofTemplates what makes
// them.
var (
	templates = map[string]bool{
		"aws_launch_template": true, "aws_launch_configuration": true,
		"google_compute_instance_template": true, "google_compute_region_instance_template": true,
	}
	ofTemplates = map[string]bool{
		"aws_autoscaling_group": true, "aws_eks_node_group": true, "aws_instance": true,
		"google_compute_instance_group_manager": true, "google_compute_region_instance_group_manager": true,
	}
)

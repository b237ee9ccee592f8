package infracost

import (
	"encoding/json"

	"github.com/tidelock/tidelock/internal/errs"
)

// Compare returns the file with another file's figures as its past: what every
// resource cost there is what it cost before. Projects are matched by their
// names; where both files have one alone, those two are. One that only the
// older file has is removed altogether, one that only the newer has is new.
func (r Root) Compare(older Root) (Root, error) {
	if r.Currency != older.Currency {
		return Root{}, errs.New(errs.Invalid, "The estimates can't be compared: one is in %s, the older one in %s.", r.Currency, older.Currency)
	}
	past := map[string]Project{}
	for _, p := range older.Projects {
		if _, twice := past[p.Label()]; twice {
			return Root{}, errs.New(errs.Invalid, "The older estimate has two projects %q, so that nothing can be compared with them.", p.Label())
		}
		past[p.Label()] = p
	}
	out := r
	out.Projects, out.Summary = nil, &Summary{}
	var taken []string
	for _, p := range r.Projects {
		was, ok := past[p.Label()]
		if !ok {
			was, ok = past[p.Name]
		}
		if !ok && len(r.Projects) == 1 && len(older.Projects) == 1 {
			was, ok = older.Projects[0], true
		}
		if ok {
			taken = append(taken, was.Label())
		}
		since := p.since(was.Breakdown)
		since.older = was.Summary
		out.Projects = append(out.Projects, since)
	}
	for _, label := range taken {
		delete(past, label)
	}
	for _, p := range older.Projects {
		if _, left := past[p.Label()]; !left {
			continue
		}
		gone := p.Breakdown
		p.Breakdown, p.Summary = &Breakdown{Resources: []Resource{}}, &Summary{}
		out.Projects = append(out.Projects, p.since(gone))
	}
	for _, p := range out.Projects {
		out.Summary.add(p.Summary)
	}
	out.total()
	return out, nil
}

// total adds the projects up.
func (r *Root) total() {
	for _, t := range []struct {
		of                     func(Project) *Breakdown
		hourly, monthly, usage **Amount
	}{
		{func(p Project) *Breakdown { return p.Breakdown }, &r.TotalHourlyCost, &r.TotalMonthlyCost, &r.TotalMonthlyUsageCost},
		{func(p Project) *Breakdown { return p.PastBreakdown }, &r.PastTotalHourlyCost, &r.PastTotalMonthlyCost, &r.PastTotalMonthlyUsageCost},
		{func(p Project) *Breakdown { return p.Diff }, &r.DiffTotalHourlyCost, &r.DiffTotalMonthlyCost, &r.DiffTotalMonthlyUsageCost},
	} {
		*t.hourly, *t.monthly, *t.usage = nil, nil, nil
		for _, p := range r.Projects {
			if b := t.of(p); b != nil {
				plus(t.hourly, b.TotalHourlyCost)
				plus(t.monthly, b.TotalMonthlyCost)
				plus(t.usage, b.TotalMonthlyUsageCost)
			}
		}
	}
}

// since returns the project with another past.
func (p Project) since(past *Breakdown) Project {
	if past == nil {
		past = &Breakdown{Resources: []Resource{}}
	}
	now := p.Breakdown
	if now == nil {
		now = &Breakdown{Resources: []Resource{}}
	}
	before := past.byName()
	p.PastBreakdown, p.Breakdown, p.Diff = &Breakdown{Resources: []Resource{}}, &Breakdown{Resources: []Resource{}}, &Breakdown{Resources: []Resource{}}
	add := func(was, is *Resource) {
		d := difference(was, is)
		if d != nil {
			p.Diff.Resources = append(p.Diff.Resources, *d)
		}
		if was != nil {
			p.PastBreakdown.Resources = append(p.PastBreakdown.Resources, was.compared(d))
		}
		if is != nil {
			p.Breakdown.Resources = append(p.Breakdown.Resources, is.compared(d))
		}
	}
	for name, is := range now.byName() {
		add(before[name], is)
		delete(before, name)
	}
	for _, was := range before {
		add(was, nil)
	}
	for _, b := range []*Breakdown{p.PastBreakdown, p.Breakdown, p.Diff} {
		b.settle()
	}
	return p
}

// compared takes what held of the plan alone out of what Tidelock wrote of a
// resource: what becomes of it, and by how much.
func (r *Resource) compared(d *Resource) Resource {
	out := *r
	w := r.words()
	if w.Status == "" {
		return out
	}
	w.Action = ""
	if w.Delta != nil {
		w.Delta = nil
		if d == nil {
			w.Delta = &Amount{}
		} else if d.MonthlyCost != nil {
			w.Delta = d.MonthlyCost
		}
	}
	text, err := json.Marshal(w)
	if err != nil {
		return out // texts and decimals can always be written
	}
	out.Metadata = map[string]json.RawMessage{}
	for k, v := range r.Metadata {
		out.Metadata[k] = v
	}
	out.Metadata[metadataKey] = text
	return out
}

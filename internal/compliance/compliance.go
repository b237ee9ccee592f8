package compliance

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
)

// Statement is what is to be said of the frameworks.
type Statement struct {
	Frameworks []Framework `json:"frameworks"`
	Record     *Record     `json:"record,omitempty"` // nil where no database was asked
}

// Framework is one catalogue with the controls that rules speak of.
type Framework struct {
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	Controls []Control `json:"controls"`
	// Covered of Known controls have a rule that is not off. Known are those that
	// Tidelock has a title for: not all of a framework is about infrastructure.
	Covered int `json:"covered"`
	Known   int `json:"known"`
}

// Control is one control with what gives evidence for it.
type Control struct {
	ID    string `json:"id"`
	Title string `json:"title"` // in our words; "" for one of a framework that we don't know
	Rules []Rule `json:"rules"` // by ID; empty for a gap
}

// Rule is one rule's part.
type Rule struct {
	ID       string          `json:"rule"`
	Pack     string          `json:"pack,omitempty"` // "" for a bundled one
	Title    string          `json:"title"`
	Level    policy.Level    `json:"level"`
	Severity policy.Severity `json:"severity"`
	Evidence *Evidence       `json:"evidence,omitempty"` // nil where no database was asked
}

// Record is the time that was looked at, and what was judged in it.
type Record struct {
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Plans  int       `json:"plans"`      // that were judged
	Failed int       `json:"not_judged"` // plans that could not be judged, and so were blocked
	// Whole are words by which everything in one plan was accepted, not one
	// finding.
	Whole int `json:"accepted_whole_plans"`
	// Unlisted are findings that reports had no room for: Found and Findings
	// of some rules are then too low.
	Unlisted int       `json:"findings_not_listed"`
	Versions []Version `json:"policies"` // of rules, levels and settings, in the order of their first plan
}

// Version is one state of the policies that judged plans.
type Version struct {
	Policies string    `json:"hash"`
	Rules    int       `json:"rules"` // that were asked
	Plans    int       `json:"plans"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
}

// Evidence is what is on record of one rule.
type Evidence struct {
	Found     int `json:"plans_found"`     // plans in which it found something
	Forbidden int `json:"plans_forbidden"` // of these, those that it kept from being applied
	Findings  int `json:"findings"`        // different ones, however many plans had them
	Accepted  int `json:"accepted"`        // words by which one of its findings was accepted
}

// Options are what New is asked for.
type Options struct {
	Framework string // its ID; "" for all
	Gaps      bool   // list the controls that no rule speaks of, too
}

// New says which rules give evidence for what. rules have the levels that the
// server gives them. record may be nil.
func New(rules []policy.Rule, known []policy.Framework, o Options, record *Tally) (Statement, error) {
	ids := map[string]bool{}
	titles := map[string]policy.Framework{}
	for _, f := range known {
		ids[f.ID], titles[f.ID] = true, f
	}
	byControl := map[[2]string][]Rule{}
	for _, r := range rules {
		one := Rule{ID: r.ID, Pack: r.Pack, Title: r.Title, Level: r.Level, Severity: r.Severity}
		if record != nil {
			one.Evidence = record.of(r.Pack, r.ID)
		}
		for framework, controls := range r.Controls {
			ids[framework] = true
			for _, c := range controls {
				byControl[[2]string{framework, c}] = append(byControl[[2]string{framework, c}], one)
			}
		}
	}
	var s Statement
	if record != nil {
		s.Record = record.record()
	}
	for _, id := range sorted(ids) {
		if o.Framework != "" && id != o.Framework {
			continue
		}
		f := Framework{ID: id, Title: cmp.Or(titles[id].Title, id), Known: len(titles[id].Controls)}
		listed := map[string]bool{}
		add := func(c policy.Control) {
			if listed[c.ID] {
				return
			}
			listed[c.ID] = true
			speaking := byControl[[2]string{id, c.ID}]
			slices.SortFunc(speaking, func(a, b Rule) int { return cmp.Or(cmp.Compare(a.Pack, b.Pack), cmp.Compare(a.ID, b.ID)) })
			if slices.ContainsFunc(speaking, func(r Rule) bool { return r.Level != policy.Off }) {
				f.Covered++
			}
			if len(speaking) > 0 || o.Gaps {
				f.Controls = append(f.Controls, Control{ID: c.ID, Title: c.Title, Rules: append([]Rule{}, speaking...)})
			}
		}
		for _, c := range titles[id].Controls {
			add(c)
		}
		for key := range byControl {
			if key[0] == id {
				add(policy.Control{ID: key[1]})
			}
		}
		slices.SortFunc(f.Controls, func(a, b Control) int { return policy.CompareControls(a.ID, b.ID) })
		s.Frameworks = append(s.Frameworks, f)
	}
	if len(s.Frameworks) == 0 {
		return s, errs.New(errs.NotFound, "No rule knows the framework %q, only %s.", o.Framework, strings.Join(sorted(ids), ", "))
	}
	return s, nil
}

func sorted(ids map[string]bool) []string {
	out := make([]string, 0, len(ids))
	for id := range ids {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

package compliance

import (
	"context"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
)

// Tally counts what is on record. The zero Tally is not ready; Count makes one.
type Tally struct {
	since, until time.Time
	rules        map[rule]*counted
	versions     []*Version
	plans        int
	failed       int
	whole        int
	unlisted     int
}

type rule struct{ pack, id string }

type counted struct {
	found, forbidden, accepted int
	different                  map[finding]bool
}

// finding tells one from another across the plans of a project.
type finding struct {
	repo                  int64
	dir, workspace, print string
}

// Asked are whose record Count reads.
type Asked struct {
	Client string // its ID; "" for all
	Repo   int64  // 0 for all
	Since  time.Time
	Now    time.Time
}

// Count reads the judged plans and the words about them.
func Count(ctx context.Context, q db.Querier, runs *run.Store, a Asked) (*Tally, error) {
	t := &Tally{since: a.Since, until: a.Now, rules: map[rule]*counted{}}
	err := runs.Judged(ctx, q, a.Client, a.Repo, a.Since, func(r run.Run) error {
		if r.Report != nil {
			t.add(r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	const page = 500
	for older := ""; ; {
		words, err := runs.Waivers(ctx, q, run.WaiverFilter{Client: a.Client, Repo: a.Repo, Older: older, Limit: page})
		if err != nil {
			return nil, err
		}
		for _, w := range words {
			older = w.ID
			if w.Given.Before(a.Since) {
				continue
			}
			if w.Rule == "" {
				t.whole++
				continue
			}
			t.at(w.Pack, w.Rule).accepted++
		}
		if len(words) < page {
			return t, nil
		}
	}
}

func (t *Tally) at(pack, id string) *counted {
	key := rule{pack, id}
	if t.rules[key] == nil {
		t.rules[key] = &counted{different: map[finding]bool{}}
	}
	return t.rules[key]
}

func (t *Tally) add(r run.Run) {
	t.plans++
	if r.Report.Verdict == policy.Error {
		t.failed++
	}
	t.unlisted += r.Report.Omitted
	t.version(r)
	found, forbidden := map[rule]bool{}, map[rule]bool{}
	for _, f := range r.Report.Findings {
		if f.Source != "" { // a scanner's, not a rule's
			continue
		}
		key := rule{f.Pack, f.Rule}
		found[key] = true
		if f.Level.Blocks() {
			forbidden[key] = true
		}
		print := f.Fingerprint
		if print == "" { // of before findings had one
			print = f.Address + "\n" + f.Message
		}
		t.at(f.Pack, f.Rule).different[finding{r.Repo, r.Project.Dir, r.Project.Workspace, print}] = true
	}
	for key := range found {
		t.rules[key].found++
	}
	for key := range forbidden {
		t.rules[key].forbidden++
	}
}

func (t *Tally) version(r run.Run) {
	for _, v := range t.versions {
		if v.Policies == r.Report.Policies {
			v.Plans++
			v.Last = r.Created.UTC()
			return
		}
	}
	t.versions = append(t.versions, &Version{Policies: r.Report.Policies, Rules: r.Report.Rules, Plans: 1, First: r.Created.UTC(), Last: r.Created.UTC()})
}

func (t *Tally) of(pack, id string) *Evidence {
	c := t.rules[rule{pack, id}]
	if c == nil {
		return &Evidence{}
	}
	return &Evidence{Found: c.found, Forbidden: c.forbidden, Findings: len(c.different), Accepted: c.accepted}
}

func (t *Tally) record() *Record {
	r := &Record{Since: t.since.UTC(), Until: t.until.UTC(), Plans: t.plans, Failed: t.failed, Whole: t.whole, Unlisted: t.unlisted, Versions: []Version{}}
	for _, v := range t.versions {
		r.Versions = append(r.Versions, *v)
	}
	return r
}

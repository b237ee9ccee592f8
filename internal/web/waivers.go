package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
)

// waiversPage lists what was accepted of the policies' findings.
type waiversPage struct {
	Waivers []waiverView `json:"waivers"`
	Next    string       `json:"next,omitempty"` // ?before= of the next piece
	All     bool         `json:"-"`              // those too that count no more
	chooser
}

// waiverView is somebody's word about a finding.
type waiverView struct {
	ID          string        `json:"id"`
	Client      string        `json:"client"` // slug
	Repo        repoView      `json:"repo"`
	Project     string        `json:"project"`
	Dir         string        `json:"dir"`
	Workspace   string        `json:"workspace"`
	Pull        int           `json:"pull"`                  // where the word was given
	PlanDigest  string        `json:"plan_digest,omitempty"` // of the one plan that it is for
	Fingerprint string        `json:"fingerprint,omitempty"` // of the finding; left out for everything in that plan
	Rule        string        `json:"rule,omitempty"`
	Pack        string        `json:"pack,omitempty"`
	Address     string        `json:"address,omitempty"`
	Message     string        `json:"message,omitempty"`
	Actor       access.Actor  `json:"actor"`
	Reason      string        `json:"reason,omitempty"`
	Given       moment        `json:"given_at"`
	Expires     moment        `json:"expires_at,omitzero"`
	Stands      bool          `json:"stands"`          // it counts at this moment
	Ended       run.Ending    `json:"ended,omitempty"` // revoked, expired or replaced
	EndedAt     moment        `json:"ended_at,omitzero"`
	EndedBy     *access.Actor `json:"ended_by,omitempty"`
}

// PullURL is on GitHub.
func (w waiverView) PullURL() string { return pullURL(w.Repo, w.Pull) }

// RuleURL is where the rule is explained here; "" for everything in one plan.
func (w waiverView) RuleURL() string {
	if w.Rule == "" {
		return ""
	}
	return explains(policy.Finding{Rule: w.Rule})
}

// Badge says how the word stands.
func (w waiverView) Badge() badge {
	switch {
	case w.Ended != "":
		return badge{"mute", strings.ToUpper(string(w.Ended[:1])) + string(w.Ended[1:])}
	case !w.Stands:
		return badge{"mute", "Expired"}
	case !w.Expires.IsZero() && w.Expires.Sub(w.Expires.now) <= run.WarnAhead:
		return badge{"warn", "Expires " + w.Expires.Ahead()}
	case w.Expires.IsZero():
		return badge{"info", "For one plan"}
	}
	return badge{"good", "Stands"}
}

func (s *site) viewWaiver(w run.Waiver, client string, repo clients.Repo) waiverView {
	v := waiverView{
		ID: w.ID, Client: client, Repo: viewRepo(repo), Project: plain(w.Project), Dir: w.Dir, Workspace: w.Workspace, Pull: w.Pull, PlanDigest: w.PlanDigest,
		Fingerprint: w.Fingerprint, Rule: plain(w.Rule), Pack: w.Pack, Address: plain(w.Address), Message: plain(w.Message), Actor: w.Actor, Reason: plain(w.Reason),
		Given: s.at(w.Given), Stands: w.Stands(s.Now()), Ended: w.Ended, EndedBy: viewActor(w.EndedBy),
	}
	if !w.Expires.IsZero() {
		v.Expires = s.at(w.Expires)
	}
	if !w.EndedAt.IsZero() {
		v.EndedAt = s.at(w.EndedAt)
	}
	return v
}

// waivers lists what counts now, or with ?all=1 everything; ?repo=owner/name
// and ?expiring=7 (days) narrow it.
func (s *site) waivers(r *http.Request) (shown, error) {
	form := r.URL.Query()
	p := waiversPage{Waivers: []waiverView{}, All: form.Get("all") != ""}
	f := run.WaiverFilter{Standing: !p.All}
	if text := form.Get("expiring"); text != "" {
		days, err := strconv.Atoi(text)
		if err != nil || days < 0 || days > 3650 {
			return shown{}, errs.New(errs.Invalid, "expiring must be a number of days from 0 to 3650.")
		}
		f.Before = s.Now().Add(time.Duration(days) * 24 * time.Hour)
	}
	err := s.DB.Read(r.Context(), func(q db.Querier) error {
		l, err := s.listing(r.Context(), q, r)
		if err != nil {
			return err
		}
		for _, name := range []string{"all", "expiring", "repo"} {
			if v := form.Get(name); v != "" {
				l.more = append(l.more, [2]string{name, v})
			}
		}
		f.Client, f.Older, f.Limit = l.client.ID, l.before, l.limit+1
		names := repoNames{site: s, q: q, repos: map[int64]clients.Repo{}, clients: l.clients}
		if name := form.Get("repo"); name != "" {
			if f.Repo, err = names.find(r.Context(), name); err != nil {
				return err
			}
		}
		all, err := s.Runs.Waivers(r.Context(), q, f)
		if err != nil {
			return err
		}
		if len(all) > l.limit {
			all = all[:l.limit]
			p.Next = all[len(all)-1].ID
		}
		p.chooser = l.chooser(p.Next)
		for _, w := range all {
			repo, err := names.of(r.Context(), w.Repo)
			if err != nil {
				return err
			}
			p.Waivers = append(p.Waivers, s.viewWaiver(w, names.slug(w.Client), repo))
		}
		return nil
	})
	return shown{title: "Waivers", nav: "waivers", live: calm, data: p}, err
}

// waiver shows one.
func (s *site) waiver(r *http.Request) (shown, error) {
	id, err := pathID(r)
	if err != nil {
		return shown{}, err
	}
	var v waiverView
	err = s.DB.Read(r.Context(), func(q db.Querier) error {
		w, err := s.Runs.Waiver(r.Context(), q, id)
		if err != nil {
			return err
		}
		all, err := s.Clients.List(r.Context(), q)
		if err != nil {
			return err
		}
		names := repoNames{site: s, q: q, repos: map[int64]clients.Repo{}, clients: all}
		repo, err := names.of(r.Context(), w.Repo)
		v = s.viewWaiver(w, names.slug(w.Client), repo)
		return err
	})
	return shown{title: "Waiver", nav: "waivers", live: calm, data: v}, err
}

// repoNames reads repositories once each.
type repoNames struct {
	*site
	q       db.Querier
	repos   map[int64]clients.Repo
	clients []clients.Client
}

func (n repoNames) slug(id string) string {
	for _, c := range n.clients {
		if c.ID == id {
			return c.Slug
		}
	}
	return ""
}

func (n repoNames) of(ctx context.Context, id int64) (clients.Repo, error) {
	if r, ok := n.repos[id]; ok {
		return r, nil
	}
	r, err := n.Clients.Repo(ctx, n.q, id)
	if errs.Is(err, errs.NotFound) {
		r, err = clients.Repo{ID: id}, nil
	}
	n.repos[id] = r
	return r, err
}

func (n repoNames) find(ctx context.Context, name string) (int64, error) {
	for _, c := range n.clients {
		repos, err := n.Clients.Repos(ctx, n.q, c.ID)
		if err != nil {
			return 0, err
		}
		for _, r := range repos {
			if strings.EqualFold(r.FullName(), name) {
				return r.ID, nil
			}
		}
	}
	return 0, errs.New(errs.NotFound, "This server knows no repository %q.", name)
}

// acceptanceView is how far one finding of a report is accepted.
type acceptanceView struct {
	Finding int        `json:"finding"` // its place among the report's findings, from 0
	Needed  int        `json:"needed"`  // of how many owners
	Open    bool       `json:"open"`    // it keeps the plan from being applied
	By      []wordView `json:"by"`      // words that count
	Lapsed  []wordView `json:"lapsed,omitempty"`
	Until   moment     `json:"until,omitzero"` // when too few words are left; left out where they are for this plan
}

// wordView is one owner's word.
type wordView struct {
	ID      string       `json:"id"` // of the waiver
	Actor   access.Actor `json:"actor"`
	Given   moment       `json:"given_at"`
	Expires moment       `json:"expires_at,omitzero"`
	Reason  string       `json:"reason,omitempty"`
}

func (s *site) viewAcceptances(r run.Run) []acceptanceView {
	if r.Report == nil || r.Report.Verdict != policy.Fail {
		return nil
	}
	words := func(all []run.Waiver) []wordView {
		out := []wordView{}
		for _, w := range all {
			v := wordView{ID: w.ID, Actor: w.Actor, Given: s.at(w.Given), Reason: plain(w.Reason)}
			if !w.Expires.IsZero() {
				v.Expires = s.at(w.Expires)
			}
			out = append(out, v)
		}
		return out
	}
	var out []acceptanceView
	for i, a := range r.Standing().Findings {
		if a.Needed == 0 {
			continue
		}
		v := acceptanceView{Finding: i, Needed: a.Needed, Open: a.Open(), By: words(a.By), Lapsed: words(a.Lapsed)}
		if u := a.Until(); !u.IsZero() {
			v.Until = s.at(u)
		}
		out = append(out, v)
	}
	return out
}

// acceptedOf is how far the i-th finding of the run's report is accepted; nil
// where it forbids nothing.
func acceptedOf(r runView, i int) *acceptanceView {
	for j := range r.Acceptances {
		if r.Acceptances[j].Finding == i {
			return &r.Acceptances[j]
		}
	}
	return nil
}

// Date is the day of the moment, in UTC.
func (m moment) Date() string { return m.UTC().Format(time.DateOnly) }

// Soon warns of the end of what is accepted, in its last week: "expires in 3
// days"; "" before.
func (m moment) Soon() string {
	if left := m.Sub(m.now); left > 0 && left <= run.WarnAhead {
		return "expires " + m.Ahead()
	}
	return ""
}

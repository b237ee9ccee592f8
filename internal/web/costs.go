package web

import (
	"cmp"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/mux"

	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/costreport"
	"github.com/tidelock/tidelock/internal/errs"
)

// costsPage compares what the clients cost.
type costsPage struct {
	costPeriod
	Clients []costreport.Summary `json:"clients"`
	Budgets []costreport.Budget  `json:"budgets,omitempty"` // that look at several clients' projects

	Chart template.HTML `json:"-"` // of the clients, where there are several
}

// costPage is what one client costs.
type costPage struct {
	costPeriod
	costreport.Client

	Charts  costCharts          `json:"-"`
	Listed  []costreport.Change `json:"-"` // the newest of the changes
	Blank   bool                `json:"-"` // nothing is recorded of the client
	Several bool                `json:"-"` // more than one month is shown
}

// costCharts are drawn by internal/plot, which escapes every name in them.
type costCharts struct{ Months, Services, Budgets, Movers template.HTML }

// shownChanges is how many changes the page of a client lists.
const shownChanges = 30

// costPeriod is what months a page is of.
type costPeriod struct {
	From budget.Month `json:"from"`
	To   budget.Month `json:"to"`
	AsOf time.Time    `json:"as_of"`

	path string
	now  budget.Month
}

// Period names the months.
func (p costPeriod) Period() string { return costreport.Statement{From: p.From, To: p.To}.Period() }

// Present reports whether the present month is among them.
func (p costPeriod) Present() bool { return !p.To.Before(p.now) }

// EarlierURL and LaterURL are the addresses of as many months before, and
// after; "" where they have not begun.
func (p costPeriod) EarlierURL() string { return p.shifted(-len(budget.Months(p.From, p.To))) }

// LaterURL is the address of the months after.
func (p costPeriod) LaterURL() string {
	if p.Present() {
		return ""
	}
	return p.shifted(len(budget.Months(p.From, p.To)))
}

func (p costPeriod) shifted(by int) string {
	from, to := p.From.Add(by), p.To.Add(by)
	if p.now.Before(to) {
		to = p.now
	}
	q := costPeriod{From: from, To: to}
	return p.path + q.Query()
}

// YearURL is the address of the last twelve months.
func (p costPeriod) YearURL() string {
	q := costPeriod{From: p.now.Add(-11), To: p.now}
	return p.path + q.Query()
}

// Year reports whether it is of the last twelve months.
func (p costPeriod) Year() bool { return p.To == p.now && p.From == p.To.Add(-11) }

// Path is the page's own address, of the present month.
func (p costPeriod) Path() string { return p.path }

// Query keeps the months on the way from page to page.
func (p costPeriod) Query() string {
	switch {
	case p.From == p.now && p.To == p.now:
		return ""
	case p.From == p.To:
		return "?month=" + p.To.String()
	}
	return "?from=" + p.From.String() + "&to=" + p.To.String()
}

// statement asks for the months of the request, of one client or of all.
func (s *site) statement(r *http.Request, client string) (costreport.Statement, costPeriod, error) {
	if s.Ledger == nil {
		return costreport.Statement{}, costPeriod{}, errs.New(errs.NotFound, "This server keeps no ledger of costs.")
	}
	form := r.URL.Query()
	now := s.Now()
	asked, err := costreport.AskedFor(form.Get("month"), form.Get("from"), form.Get("to"), now)
	if err != nil {
		return costreport.Statement{}, costPeriod{}, err
	}
	st, err := costreport.Source{Ledger: s.Ledger, Bills: s.Bills}.Statement(r.Context(), asked, client)
	return st, costPeriod{From: asked.From, To: asked.To, AsOf: st.AsOf.UTC(), now: budget.MonthOf(now)}, err
}

// costs is the page of all clients that the reader may see.
func (s *site) costs(r *http.Request) (shown, error) {
	st, period, err := s.statement(r, "")
	if err != nil {
		return shown{}, err
	}
	period.path = "/costs"
	p := costsPage{costPeriod: period, Clients: []costreport.Summary{}, Budgets: st.Budgets}
	for _, c := range st.Clients {
		p.Clients = append(p.Clients, c.Summary)
	}
	p.Chart, err = st.ClientsChart("clients")
	return shown{title: "Costs", nav: "costs", data: p}, err
}

// cost is the page of one client. One that the reader may not see is not there.
func (s *site) cost(r *http.Request) (shown, error) {
	client, err := s.Clients.BySlug(r.Context(), s.DB, mux.Vars(r)["client"])
	if err != nil {
		return shown{}, err
	}
	st, period, err := s.statement(r, client.ID)
	if err != nil {
		return shown{}, err
	}
	period.path = "/costs/" + url.PathEscape(client.Slug)
	p := costPage{costPeriod: period, Blank: len(st.Clients) == 0, Several: st.Several()}
	if p.Blank {
		p.Client = costreport.Client{Summary: costreport.Summary{Slug: client.Slug, Name: client.Name, Currency: "USD", Months: []costreport.Month{}, Budgets: []costreport.Budget{}}}
		p.Services, p.Projects, p.Changes = []costreport.Service{}, []costreport.Project{}, []costreport.Change{}
	} else {
		p.Client = st.Clients[0]
	}
	p.Listed = p.Changes[:min(len(p.Changes), shownChanges)]
	for _, chart := range []struct {
		into *template.HTML
		make func(string) (template.HTML, error)
		id   string
	}{
		{&p.Charts.Months, p.MonthsChart, "months"}, {&p.Charts.Services, p.ServicesChart, "services"},
		{&p.Charts.Budgets, p.BudgetsChart, "budgets"}, {&p.Charts.Movers, p.MoversChart, "movers"},
	} {
		if *chart.into, err = chart.make(chart.id); err != nil {
			return shown{}, err
		}
	}
	return shown{title: "Costs of " + cmp.Or(client.Name, client.Slug), nav: "costs", data: p}, nil
}

// Unlisted is how many changes the page leaves to the JSON answer.
func (p costPage) Unlisted() int { return len(p.Changes) - len(p.Listed) }

// budgetSays is what a budget says of a change. Of one that looks at other
// clients' projects too it tells no amount.
type budgetSays struct {
	Budget     string   `json:"budget"`
	Word       string   `json:"word"`   // how it stands with the change
	Text       string   `json:"text"`   // the same with figures
	Closed     bool     `json:"closed"` // it keeps something of the change from being applied
	ApprovedBy []string `json:"approved_by,omitempty"`
	Owners     string   `json:"owners"` // who can approve, and
	Needed     int      `json:"needed"` // how many of them must

	tone string
}

func budgetsSay(all []budget.Verdict) (out []budgetSays) {
	for _, v := range all {
		b := budgetSays{Budget: v.Budget, Text: v.Stands(), Closed: v.Closed(), Owners: v.Owners.String(), Needed: v.Owners.Needed()}
		b.Word, b.tone = v.Word()
		for _, a := range v.ApprovedBy {
			b.ApprovedBy = append(b.ApprovedBy, a.Actor.Name)
		}
		out = append(out, b)
	}
	return out
}

// Badge is how the budget stands.
func (b budgetSays) Badge() badge { return badge{b.tone, capital(b.Word)} }

func budgetBadge(b costreport.Budget) badge { return badge{b.Tone(), capital(b.Word())} }

// changeBadge says how far a change is that moves costs.
func changeBadge(c costreport.Change) badge {
	tone := map[budget.State]string{budget.StatePlanned: "info", budget.StateMerged: "wait", budget.StateApplied: "good", budget.StateFailed: "bad"}[c.State]
	return badge{cmp.Or(tone, "mute"), capital(c.StateText())}
}

// capital begins a text with a capital letter.
func capital(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}

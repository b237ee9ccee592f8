package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
)

// policiesPage lists the rules that judge plans.
type policiesPage struct {
	Rules []ruleView `json:"rules"`

	All      int    `json:"-"` // how many there are without the search
	Query    string `json:"-"`
	Level    string `json:"-"`
	Severity string `json:"-"`
}

// Levels and Severities are what can be searched for.
func (policiesPage) Levels() []string { return []string{"hard", "mandatory", "advisory", "off"} }

// Severities are the others.
func (policiesPage) Severities() []string { return []string{"critical", "high", "medium", "low"} }

// ruleView is a rule as people read it.
type ruleView struct {
	policy.Rule
	URL string `json:"url"` // of its page here
}

func viewRule(r policy.Rule) ruleView { return ruleView{r, "/policies/" + url.PathEscape(r.ID)} }

// controlsView are the controls of a framework, for the page.
type controlsView struct {
	Framework string
	IDs       []string
}

// frameworks are the names of those that people know by another name than
// their key.
var frameworks = map[string]string{
	"cis_aws_3.0": "CIS Amazon Web Services Foundations 3.0", "cis_azure_3.0": "CIS Microsoft Azure Foundations 3.0",
	"cis_gcp_3.0": "CIS Google Cloud Platform Foundation 3.0", "soc2": "SOC 2", "iso27001_2022": "ISO/IEC 27001:2022, Annex A",
}

// Gives lists the controls that the rule gives evidence for, by framework.
func (r ruleView) Gives() []controlsView {
	var out []controlsView
	for _, key := range slices.Sorted(maps.Keys(r.Controls)) {
		name := key
		if known, ok := frameworks[key]; ok {
			name = known
		}
		out = append(out, controlsView{name, r.Controls[key]})
	}
	return out
}

// rules returns what judges, none where the pages were given none.
func (s *site) rules(r *http.Request) ([]policy.Rule, error) {
	if s.Rules == nil {
		return nil, nil
	}
	return s.Rules(r.Context())
}

func (s *site) policies(r *http.Request) (shown, error) {
	all, err := s.rules(r)
	if err != nil {
		return shown{}, err
	}
	form := r.URL.Query()
	p := policiesPage{Rules: []ruleView{}, All: len(all), Query: form.Get("q"), Level: form.Get("level"), Severity: form.Get("severity")}
	if len(p.Query) > maxQuery {
		return shown{}, errs.New(errs.Invalid, "q must not be longer than %d bytes.", maxQuery)
	}
	if p.Level != "" && !slices.Contains(p.Levels(), p.Level) {
		return shown{}, errs.New(errs.Invalid, "level must be one of %s.", strings.Join(p.Levels(), ", "))
	}
	if p.Severity != "" && !slices.Contains(p.Severities(), p.Severity) {
		return shown{}, errs.New(errs.Invalid, "severity must be one of %s.", strings.Join(p.Severities(), ", "))
	}
	words := strings.Fields(strings.ToLower(p.Query))
	for _, rule := range all {
		if p.Level != "" && string(rule.Level) != p.Level || p.Severity != "" && string(rule.Severity) != p.Severity || !speaksOf(rule, words) {
			continue
		}
		p.Rules = append(p.Rules, viewRule(rule))
	}
	return shown{title: "Policies", nav: "policies", data: p}, nil
}

// maxQuery bounds what is searched for, in bytes.
const maxQuery = 200

// speaksOf reports whether all words stand in what a rule is called, or among
// its controls.
func speaksOf(r policy.Rule, words []string) bool {
	if len(words) == 0 {
		return true
	}
	text := []string{r.ID, r.Title, r.Description, r.Pack}
	for framework, ids := range r.Controls {
		for _, id := range ids {
			text = append(text, framework+" "+id)
		}
	}
	whole := strings.ToLower(strings.Join(text, "\n"))
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(whole, w) })
}

func (s *site) policy(r *http.Request) (shown, error) {
	all, err := s.rules(r)
	if err != nil {
		return shown{}, err
	}
	id := mux.Vars(r)["id"]
	for _, rule := range all {
		if rule.ID == id {
			return shown{title: rule.Title, nav: "policies", data: viewRule(rule)}, nil
		}
	}
	return shown{}, errs.New(errs.NotFound, "There is no rule of that name here. A repository's own rules are in the repository.")
}

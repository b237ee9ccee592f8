package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// funcs is what templates may call. None of them returns markup: everything
// that they give is escaped for where it stands.
var funcs = template.FuncMap{
	"asset":   func(name string) string { return assets[name].path },
	"phase":   phaseBadge,
	"turn":    turn,
	"people":  people,
	"lines":   sentences,
	"gate":    tellGate,
	"heading": heading,
	"state":   stateBadge,
	"verdict": verdictBadge,
	"chain":   chainBadge,
	"counts":  signs,
	"tallied": tallied,
	"memory":  func(n int64) string { return fmt.Sprintf("%d MB", (n+1<<20-1)>>20) },
	"kind":    kindWord,
	"short":   short,
	"many":    many,
	"diff":    diffLines,
	"took":    took,
	"money":   money,
	"signed":  signed,
	"worth":   cost.Money,
	"moved":   cost.Signed,
	"worst":   worst,
	"level":   levelBadge,
	"inline":  inline,
	"explain": explains,
	"spot":    spotOf,
	"accept":  acceptedOf,
	"flat":    flat,
	"isplan":  func(k run.Kind) bool { return k == run.Plan },
	"trim":    func(s tfplan.Summary) string { return strings.TrimSuffix(s.String(), ".") },
	"about":   subjectLink,
	"stand":   pairBadge,
	"same":    func(a, b string) bool { return a == b },
	"drifted": driftBadgeOf,
	"budget":  budgetBadge,
	"moves":   changeBadge,
	"side":    sideText,
	"differs": diffSign,
	"vendor":  shortProvider,
	"keptat":  stateURL,
	"frozen":  func() badge { return badge{"warn", "Frozen"} },
	"current": func() badge { return badge{"good", "Counts"} },
	"looking": func() badge { return badge{"busy", "Comparing"} },
}

// badge is a word in a colour. The tone is a class of the style sheet: busy,
// wait, good, info, warn, bad or mute. The word always says the same as the
// colour.
type badge struct {
	Tone string
	Word string
}

var phases = map[run.Phase]badge{
	run.PhaseQueued:     {"wait", "Queued"},
	run.PhasePlanning:   {"busy", "Planning"},
	run.PhaseWaiting:    {"wait", "Waits for a lock"},
	run.PhaseGated:      {"warn", "Not planned yet"},
	run.PhaseCanceled:   {"mute", "Canceled"},
	run.PhaseFailed:     {"bad", "Plan failed"},
	run.PhaseForbidden:  {"bad", "Forbidden by policy"},
	run.PhasePlanned:    {"info", "Planned"},
	run.PhaseUnchanged:  {"good", "No changes"},
	run.PhaseEmpty:      {"mute", "No projects"},
	run.PhaseApplying:   {"busy", "Applying"},
	run.PhaseApplied:    {"good", "Applied"},
	run.PhaseAttention:  {"warn", "Needs a person"},
	run.PhaseSuperseded: {"mute", "Superseded"},
	run.PhaseClosed:     {"mute", "Closed"},
}

// phaseBadge says where a change stands.
func phaseBadge(c changeRow) badge {
	if c.Phase == run.PhaseWaiting && c.Tally.Waiting == 0 {
		return badge{"wait", "Waits its turn"}
	}
	if b, ok := phases[c.Phase]; ok {
		return b
	}
	return badge{"mute", string(c.Phase)}
}

// stateBadge says where a run stands.
func stateBadge(r runView) badge {
	switch r.Status {
	case run.Queued:
		return badge{"wait", "Queued"}
	case run.Blocked:
		return badge{"wait", "Waits for a lock"}
	case run.Deferred:
		return badge{"wait", "Waits its turn"}
	case run.Checking:
		return badge{"busy", "Checking"}
	case run.Running:
		if r.StoppedBy != nil {
			return badge{"busy", "Stopping"}
		}
		return badge{"busy", doing[r.Kind]}
	case run.Planned:
		if r.Kind == run.Drift {
			return driftBadge(r)
		}
		if r.Summary != nil && r.Summary.Empty() {
			return badge{"good", "No changes"}
		}
		return badge{"info", "Planned"}
	case run.Applied:
		if r.Kind == run.StateChange {
			return badge{"good", "Done"}
		}
		return badge{"good", "Applied"}
	case run.Failed:
		if r.StoppedBy != nil {
			return badge{"bad", "Stopped"}
		}
		return badge{"bad", "Failed"}
	case run.Held:
		return badge{"warn", "Held"}
	case run.Interrupted:
		return badge{"warn", "Interrupted"}
	case run.Canceled:
		return badge{"mute", "Canceled"}
	case run.Superseded:
		return badge{"mute", "Superseded"}
	}
	return badge{"mute", string(r.Status)}
}

// doing is what a run of a kind does while it runs.
var doing = map[run.Kind]string{run.Plan: "Planning", run.Apply: "Applying", run.StateChange: "Working", run.Drift: "Comparing"}

// driftBadge says what a finished comparison found.
func driftBadge(r runView) badge {
	if r.Summary != nil && r.Summary.Empty() {
		return badge{"good", "No drift"}
	}
	return badge{"warn", "Drift"}
}

// pairBadge says where a project stands: as its run does, save that a plan
// which no policy lets through is no plan that may be applied.
func pairBadge(p pairView) badge {
	now := p.Now()
	if now.Forbidden != nil && *now.Forbidden {
		return badge{"bad", "Forbidden by policy"}
	}
	return stateBadge(now)
}

func verdictBadge(v runView) badge {
	switch r := v.Report; {
	case r == nil:
		return badge{"mute", "Not judged"}
	case r.Verdict == policy.Pass:
		return badge{"good", "Passed"}
	case r.Verdict == policy.Warn:
		return badge{"warn", many(r.Advisory, "warning")}
	case r.Verdict == policy.Fail && v.Accepted():
		return badge{"warn", many(r.Mandatory, "violation") + ", accepted"}
	case r.Verdict == policy.Fail:
		return badge{"bad", many(r.Mandatory, "violation")}
	}
	return badge{"bad", "Could not be judged"}
}

func chainBadge(c chainView) badge {
	switch c.State {
	case "intact":
		return badge{"good", "Chain verified"}
	case "broken":
		return badge{"bad", "Chain broken"}
	}
	return badge{"warn", "Not verified"}
}

// sign is one count of a plan: +2 of the class add.
type sign struct {
	Class string
	Text  string
	Title string
}

// signs gives a plan's counts that are not zero.
func signs(s tfplan.Summary) []sign {
	var out []sign
	for _, c := range []struct {
		n                  int
		class, form, title string
	}{
		{s.Create, "add", "+%d", "to create"}, {s.Update, "mod", "~%d", "to update"}, {s.Replace, "rep", "±%d", "to replace"},
		{s.Delete, "del", "−%d", "to destroy"}, {s.Import, "oth", "%d imported", "to import"}, {s.Move, "oth", "%d moved", "to move"},
		{s.Forget, "oth", "%d forgotten", "to forget"}, {s.Invoke, "oth", "%d to invoke", "actions to invoke"},
		{s.Deferred, "oth", "%d deferred", "deferred until this is applied"}, {s.Unread, "oth", "%d not readable", "kinds of change that Tidelock can't read"},
	} {
		if c.n > 0 {
			out = append(out, sign{c.class, fmt.Sprintf(c.form, c.n), strconv.Itoa(c.n) + " " + c.title})
		}
	}
	if len(out) == 0 && s.Outputs > 0 {
		out = append(out, sign{"oth", many(s.Outputs, "output"), "outputs that change"})
	}
	return out
}

// tallied says what a change's projects are at: "2 applied, 1 failed".
func tallied(t tallyView) string {
	if t.Projects == 0 {
		return ""
	}
	var parts []string
	for _, c := range []struct {
		n    int
		word string
	}{
		{t.Planning, "planning"}, {t.Applying, "applying"}, {t.Attention, "to decide"}, {t.Failed, "failed"}, {t.Forbidden, "forbidden"},
		{t.Canceled, "canceled"}, {t.Waiting, "waiting"}, {t.Deferred, "to follow"}, {t.Ready, "planned"}, {t.Applied, "applied"}, {t.Unchanged, "unchanged"},
	} {
		if c.n > 0 {
			parts = append(parts, strconv.Itoa(c.n)+" "+c.word)
		}
	}
	if t.Projects == 1 {
		return "1 project"
	}
	return strconv.Itoa(t.Projects) + " projects: " + strings.Join(parts, ", ")
}

var kinds = map[run.Kind]string{run.Plan: "Plan", run.Apply: "Apply", run.StateChange: "State operation", run.Drift: "Drift check"}

func kindWord(k run.Kind) string {
	if word, ok := kinds[k]; ok {
		return word
	}
	return string(k)
}

// heading is what a run is called before its project's name: "Plan of".
func heading(k run.Kind) string {
	if k == run.StateChange {
		return kindWord(k) + " on"
	}
	return kindWord(k) + " of"
}

func itoa(n int) string { return strconv.Itoa(n) }

// short is a commit or a digest as people read it.
func short(hash string) string {
	if len(hash) > 8 {
		return hash[:8]
	}
	return hash
}

func many(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// Age says how long ago the moment is: "just now", "4 min ago", "3 days ago".
func (m moment) Age() string {
	d := m.now.Sub(m.Time)
	switch {
	case d < 10*time.Second:
		return "just now"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())/10*10) + " s ago"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min ago"
	case d < 24*time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h ago"
	case d < 60*24*time.Hour:
		return many(int(d.Hours()/24), "day") + " ago"
	}
	return m.Time.UTC().Format("2 Jan 2006")
}

// ISO is the moment for machines, Stamp for people.
func (m moment) ISO() string   { return m.Time.UTC().Format(time.RFC3339) }
func (m moment) Stamp() string { return m.Time.UTC().Format("2006-01-02 15:04:05 MST") }

// took says how long a run took, or has taken so far; "" before it starts.
func took(r runView) string {
	switch {
	case r.Started.IsZero():
		return ""
	case r.Finished.IsZero():
		return span(r.Started.now.Sub(r.Started.Time))
	}
	return span(r.Finished.Sub(r.Started.Time))
}

func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}

// money and signed write an amount of a month; an unknown one is a dash.
func money(amount *decimal.Decimal, currency string) string {
	if amount == nil {
		return "–"
	}
	return cost.Money(*amount, currency)
}

func signed(amount *decimal.Decimal, currency string) string {
	if amount == nil {
		return "–"
	}
	return cost.Signed(*amount, currency)
}

// worst is the tone of a finding.
func worst(f policy.Finding) string {
	if f.Level.Blocks() {
		return "bad"
	}
	return "warn"
}

func levelBadge(l policy.Level) badge {
	switch l {
	case policy.Hard, policy.Mandatory:
		return badge{"bad", string(l)}
	case policy.Advisory:
		return badge{"warn", string(l)}
	}
	return badge{"mute", string(l)}
}

// flat writes an event's detail, or a job's arguments, for people: "pull 12,
// summary (create 2)". What is empty or zero is left out, what is long is cut.
// What is no JSON object is shown as it is.
func flat(detail json.RawMessage) string {
	dec := json.NewDecoder(bytes.NewReader(detail))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return plain(string(detail))
	}
	var parts []string
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return plain(string(detail))
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return plain(string(detail))
		}
		if text := flatValue(value); text != "" {
			parts = append(parts, fmt.Sprint(name)+" "+text)
		}
	}
	return strings.Join(parts, ", ")
}

// maxDetail is how much of one value is shown, in characters.
const maxDetail = 300

func flatValue(v json.RawMessage) string {
	text := string(v)
	var s string
	switch {
	case text == "null", text == "0", text == "false":
		return ""
	case json.Unmarshal(v, &s) == nil:
		text = strings.TrimSpace(plain(s))
	case strings.HasPrefix(text, "{"):
		if text = flat(v); text != "" {
			text = "(" + text + ")"
		}
	}
	if r := []rune(text); len(r) > maxDetail {
		text = string(r[:maxDetail]) + "…"
	}
	return text
}

// link is an address with the words for it.
type link struct{ URL, Text string }

// subjectLink leads to what an event is about, where that has a page.
func subjectLink(e eventView) *link {
	id, err := parseID(e.Subject)
	if err != nil {
		return nil
	}
	area, _, _ := strings.Cut(e.Action, ".")
	switch {
	case e.Action == "policy.revoke", e.Action == "policy.expire":
		return &link{"/waivers/" + id, "what was accepted"}
	case e.Action == "drift.check":
		return &link{"/drift", "drift"}
	case area == "change", area == "group", area == "fork", e.Action == "plan.queue", e.Action == "drift.queue":
		return &link{"/changes/" + id, "its change"}
	case area == "plan", area == "apply", area == "state", area == "drift", area == "policy":
		return &link{"/runs/" + id, "its run"}
	}
	return nil
}

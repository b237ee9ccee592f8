package comment

import (
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
)

// accepted is a forbidden plan of which people said these words.
func accepted(owners policy.Owners, words ...run.Waiver) run.Run {
	r := forbidden("data")
	r.PlanDigest, r.Read = "sha256:5f3e", noon
	r.Report.Findings[0].Fingerprint, r.Report.Owners = "f", map[string]policy.Owners{"": owners}
	for _, w := range words {
		w.Client, w.Key, w.Pull, w.Fingerprint = r.Client, r.Key(), r.Pull, "f"
		if w.Expires.IsZero() {
			w.PlanDigest = r.PlanDigest
		}
		r.Waivers = append(r.Waivers, w)
	}
	return r
}

func word(login string, id int64, left time.Duration, reason string) run.Waiver {
	w := run.Waiver{Actor: access.Actor{Kind: access.User, Name: login, ID: id}, Reason: reason}
	if left != 0 {
		w.Expires = noon.Add(left)
	}
	return w
}

// What the comment says of accepted findings: of each, of the plan, in the
// table and in the next steps.
func TestAcceptedInWords(t *testing.T) {
	const day = 24 * time.Hour
	two := policy.Owners{Who: []string{"grace", "acme/db"}, Count: 2}
	for _, tt := range []struct {
		name  string
		run   run.Run
		finds []string
		lacks string
	}{
		{"nobody", accepted(policy.Owners{}), []string{"⛔ 1 violation |", "must be mended before `data` can be applied**", "have the findings accepted: whoever"}, "ccepted by"},
		{"for this plan", accepted(policy.Owners{}, word("grace", 2, 0, "")), []string{"⚠️ 1 violation, accepted |", "accepted by `grace` for exactly this plan**", "**Accepted by `grace` for this plan**", "✅ **Stateful"}, "until"},
		{"until a day", accepted(policy.Owners{}, word("grace", 2, 30*day, "it is *gone* by @ada")), []string{"accepted by `grace` until 2026-06-03**", "**Accepted by `grace` until 2026-06-03: it is \\*gone\\* by @\u2060ada**"}, "expires"},
		{"in its last week", accepted(policy.Owners{}, word("grace", 2, 3*day-time.Hour, "x")), []string{"until 2026-05-07, which expires in 3 days**", "**Accepted by `grace` until 2026-05-07, which expires in 3 days: x**"}, ""},
		{"on its last day", accepted(policy.Owners{}, word("grace", 2, 5*time.Hour, "x")), []string{"which expires at 17:00 UTC"}, ""},
		{"one of two", accepted(two, word("grace", 2, 30*day, "x")), []string{"⛔ 1 violation |", "**1 of 2 owners; accepted by `grace` until 2026-06-03: x**", "by 2 owners (`grace`, `acme/db`)"}, ", accepted |"},
		{"two of two, alike", accepted(two, word("grace", 2, 30*day, "x"), word("alan", 3, 30*day, "x")), []string{"**2 of 2 owners; accepted by `grace`, `alan` until 2026-06-03: x**", "accepted by `grace`, `alan` until 2026-06-03**"}, "⛔"},
		{"two of two, for other reasons", accepted(two, word("grace", 2, 30*day, "x"), word("alan", 3, 0, "y")), []string{"accepted by `alan` for this plan: y; accepted by `grace` until 2026-06-03: x"}, "⛔"},
		{"three of two: the third is not needed", accepted(two, word("grace", 2, 30*day, "x"), word("alan", 3, 20*day, "y"), word("eve", 4, 10*day, "z")), []string{"until 2026-05-24**", "2 of 2 owners"}, ": z"},
		{"expired", accepted(policy.Owners{}, word("grace", 2, -time.Hour, "x")), []string{"⛔ 1 violation |", "**Was accepted by `grace` until 2026-05-04, expired**"}, "✅ **"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := Render(scene(only(tt.run)))
			for _, s := range tt.finds {
				if !strings.Contains(body, s) {
					t.Errorf("it lacks %q", s)
				}
			}
			if tt.lacks != "" && strings.Contains(body, tt.lacks) {
				t.Errorf("it has %q", tt.lacks)
			}
			if t.Failed() {
				t.Log(body)
			}
		})
	}
}

// What nobody can accept is never proposed to be accepted, and what forbids
// beyond what the report lists is told of.
func TestHardAndHiddenFindingsInWords(t *testing.T) {
	r := accepted(policy.Owners{}, word("grace", 2, 0, ""))
	r.Report.Findings[0].Level, r.Report.Hard = policy.Hard, 1
	body := Render(scene(only(r)))
	if !strings.Contains(body, "1 of which nobody can accept") || !strings.Contains(body, "**Nobody can accept this.**") || strings.Contains(body, "approve-policies") || strings.Contains(body, "ccepted by") {
		t.Error(body)
	}
	r = accepted(policy.Owners{}, word("grace", 2, 0, ""))
	r.Report.Mandatory, r.Report.Omitted = 4, 3
	body = Render(scene(only(r)))
	if !strings.Contains(body, "⛔ 4 violations, 1 accepted |") || !strings.Contains(body, "3 violations beyond those listed can only be accepted together") {
		t.Error(body)
	}
	r.Waivers[0].Fingerprint = ""
	if body = Render(scene(only(r))); !strings.Contains(body, "3 violations beyond those listed: accepted for this plan.") || strings.Contains(body, "⛔") {
		t.Error(body)
	}
	v := scene(only(accepted(policy.Owners{})))
	for most, want := range map[time.Duration]string{36 * time.Hour: "36h", 90 * 24 * time.Hour: "30d"} {
		v.Settings.WaiverMax = most
		if body = Render(v); !strings.Contains(body, "or with `--for "+want+" --reason") {
			t.Error(body)
		}
	}
}

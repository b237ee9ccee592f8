package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// lasting has grace accept a finding of the plan for a month.
func lasting(w *world, plan run.Run, reason string) run.Waiver {
	w.t.Helper()
	f := policy.Finding{Rule: "security.aws.imds", Level: policy.Mandatory, Fingerprint: "f-imds", Address: "aws_instance.web", Message: reason}
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		_, err := w.opts.Runs.Waive(ctx, tx, run.Word{Plan: plan, Findings: []policy.Finding{f}, Expires: w.opts.Now().Add(30 * 24 * time.Hour), Reason: reason, Actor: grace})
		return err
	})
	all, err := w.opts.Runs.Waivers(w.t.Context(), w.opts.DB, run.WaiverFilter{Repo: plan.Repo, Limit: 1})
	if err != nil || len(all) != 1 {
		w.t.Fatalf("%v, %v", all, err)
	}
	return all[0]
}

type waiverJSON struct {
	ID, Client, Rule, Reason, Ended string
	Actor                           struct{ Name string }
	Stands                          bool
	Expires                         *time.Time `json:"expires_at"`
}

func TestWaiverPages(t *testing.T) {
	w := local(t)
	if text := content(w.page("/waivers")); !strings.Contains(text, "Nothing is accepted.") {
		t.Errorf("an empty page says %q", text)
	}
	c := w.open(w.repo, 12, "Open a port", "be0fd72c11")
	twice := failing()
	twice.Findings[0].Fingerprint, twice.Owners = "f-open", map[string]policy.Owners{"": {Who: []string{"grace", "eve"}, Count: 2}}
	plan := w.planned(w.plans(c, "net")[0], func(r *run.Run) { r.PlanDigest, r.Summary, r.Report = "sha256:5f3e", tfplan.Summary{Create: 1}, twice })
	say := func(word run.Word) {
		t.Helper()
		word.Plan, word.Findings = plan, plan.Report.Findings[:1]
		w.tx(func(ctx context.Context, tx *db.Tx) error {
			_, err := w.opts.Runs.Waive(ctx, tx, word)
			return err
		})
	}
	month := w.opts.Now().Add(30 * 24 * time.Hour)
	say(run.Word{Actor: grace, Expires: month, Reason: "until the VPN is there"})
	if text := content(w.page("/runs/" + plan.ID)); !strings.Contains(text, "1 of 2 owners") || !strings.Contains(text, "Accepted by grace until "+month.UTC().Format(time.DateOnly)) || !strings.Contains(text, "until the VPN is there") || strings.Contains(text, "violation accepted") {
		t.Errorf("the run's page says %s", text)
	}
	var forbidden runJSON
	w.json("/api/v1/runs/"+plan.ID, &forbidden)
	if !*forbidden.Forbidden || len(forbidden.Waivers) != 1 {
		t.Errorf("after one of two: %+v", forbidden)
	}
	say(run.Word{Actor: access.Actor{Kind: access.User, Name: "eve", ID: 4}})
	var got struct {
		Forbidden   bool
		Acceptances []struct {
			Finding, Needed int
			Open            bool
			By              []struct {
				ID, Reason string
				Actor      struct{ Name string }
				Expires    *time.Time `json:"expires_at"`
			}
			Until *time.Time
		}
	}
	w.json("/api/v1/runs/"+plan.ID, &got)
	if a := got.Acceptances; got.Forbidden || len(a) != 1 || a[0].Open || a[0].Finding != 0 || a[0].Needed != 2 || len(a[0].By) != 2 || a[0].By[0].Actor.Name != "eve" ||
		a[0].By[0].Expires != nil || a[0].By[1].Reason != "until the VPN is there" || a[0].Until == nil || !a[0].Until.Equal(month) {
		t.Errorf("after two of two: %+v", got)
	}
	var changes struct{ Changes []struct{ Phase string } }
	w.json("/api/v1/changes", &changes)
	if len(changes.Changes) != 1 || changes.Changes[0].Phase != "planned" {
		t.Errorf("the list says %+v", changes)
	}

	w.pass(25 * 24 * time.Hour)
	if text := content(w.page("/runs/" + plan.ID)); !strings.Contains(text, "expires in 5 days") {
		t.Errorf("no warning five days before: %s", text)
	}
	list := func(query string) (out []waiverJSON) {
		t.Helper()
		var p struct{ Waivers []waiverJSON }
		w.json("/api/v1/waivers"+query, &p)
		return p.Waivers
	}
	if all := list(""); len(all) != 2 || all[0].Actor.Name != "eve" || all[0].Expires != nil || all[1].Rule != "security.aws.public_ingress" || !all[1].Stands || all[1].Client == "" {
		t.Errorf("%+v", all)
	}
	for query, n := range map[string]int{"?expiring=5": 1, "?expiring=4": 0, "?repo=" + w.repo.FullName(): 2, "?limit=1": 1, "?client=" + list("")[0].Client: 2} {
		if all := list(query); len(all) != n {
			t.Errorf("%s: %+v", query, all)
		}
	}
	for query, status := range map[string]int{"?expiring=soon": http.StatusUnprocessableEntity, "?repo=acme/none": http.StatusNotFound, "/01900000-0000-7000-8000-000000000000": http.StatusNotFound, "/x": http.StatusNotFound} {
		if res := w.ask("GET", "/waivers"+query); res.StatusCode != status && !(status == http.StatusUnprocessableEntity && res.StatusCode == http.StatusBadRequest) {
			t.Errorf("%s: %s", query, res.Status)
		}
	}
	page := content(w.page("/waivers"))
	for _, s := range []string{"until the VPN is there", "Expires in 5 days", "For one plan", "security.aws.public_ingress"} {
		if !strings.Contains(page, s) {
			t.Errorf("the page lacks %q: %s", s, page)
		}
	}

	w.pass(5 * 24 * time.Hour)
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		_, _, err := w.opts.Runs.SweptWaivers(ctx, tx, 10)
		return err
	})
	if text := content(w.page("/runs/" + plan.ID)); !strings.Contains(text, "Was accepted by grace until") {
		t.Errorf("after its end: %s", text)
	}
	w.json("/api/v1/changes", &changes)
	if changes.Changes[0].Phase != "forbidden" {
		t.Errorf("after its end the list says %+v", changes)
	}
	if all := list(""); len(all) != 1 || list("?all=1")[1].Ended != "expired" {
		t.Errorf("after its end: %+v", all)
	}
	one := list("?all=1")[1]
	if text := content(w.page("/waivers/" + one.ID)); !strings.Contains(text, "expired by schedule policy waivers") || !strings.Contains(text, "Port 22 is open") {
		t.Errorf("its page says %s", text)
	}
	audit := outer(w.page("/audit"))
	if !strings.Contains(audit, `href="/waivers/`+one.ID+`"`) {
		t.Errorf("the trail does not lead there: %s", audit)
	}
}

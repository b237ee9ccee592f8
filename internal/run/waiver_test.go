package run_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// forbidden plans the directory in the pull at the head, with the digest, and
// has the policies find these.
func (w *world) forbidden(number int, head, dir, digest string, findings ...policy.Finding) run.Run {
	w.t.Helper()
	c := w.open(number, head).Change
	r := w.wanted(c, planner.Project{Name: dir, Dir: dir, Workspace: "default"})[0]
	w.tx(func(tx *db.Tx) (err error) {
		if r, err = w.store.Begin(w.t.Context(), tx, r, "node"); err != nil {
			return err
		}
		r.PlanDigest, r.Summary, r.Report = digest, tfplan.Summary{Create: 1}, judged(nil, findings...).Report
		return w.store.Finish(w.t.Context(), tx, r, run.Planned)
	})
	return w.reread(r)
}

func (w *world) waive(word run.Word) int {
	w.t.Helper()
	n := 0
	w.tx(func(tx *db.Tx) (err error) {
		n, err = w.store.Waive(w.t.Context(), tx, word)
		return err
	})
	return n
}

func (w *world) swept() []run.Waiver {
	w.t.Helper()
	var news []run.Waiver
	w.tx(func(tx *db.Tx) (err error) {
		news, _, err = w.store.SweptWaivers(w.t.Context(), tx, 100)
		return err
	})
	return news
}

// events returns the details of the trail's events of that action.
func (w *world) events(action string) []map[string]any {
	w.t.Helper()
	all, err := w.trail.List(w.t.Context(), "", 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []map[string]any
	for _, e := range all {
		if e.Action == action {
			detail := map[string]any{"actor": e.Actor.String()}
			if err := json.Unmarshal(e.Detail, &detail); err != nil {
				w.t.Fatal(err)
			}
			out = append(out, detail)
		}
	}
	return out
}

// A word that lasts opens later pulls until its time is over, and is told of
// once a day in its last week.
func TestLastingWaiver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		open, other := finding("open", policy.Mandatory, ""), finding("other", policy.Mandatory, "")
		first := w.forbidden(1, "a", "net", "d1", open)
		if !first.Forbidden() {
			t.Fatal("nobody has accepted it")
		}
		month := w.now.Add(30 * 24 * time.Hour)
		word := run.Word{Plan: first, Findings: []policy.Finding{open}, Expires: month, Reason: "until the VPN is there", Actor: grace}
		if n := w.waive(word); n != 1 {
			t.Fatalf("%d findings accepted", n)
		}
		if n := w.waive(word); n != 0 {
			t.Errorf("said twice, it counts %d times more", n)
		}
		word.Expires = month.Add(-time.Hour)
		if n := w.waive(word); n != 0 {
			t.Error("a shorter word takes the longer one's place")
		}
		later := w.forbidden(2, "b", "net", "d2", open)
		both := w.forbidden(3, "c", "net", "d3", open, other)
		elsewhere := w.forbidden(4, "d", "app", "d1", open)
		if later.Forbidden() || !both.Forbidden() || !elsewhere.Forbidden() || both.Standing().Accepted() != 1 {
			t.Errorf("later %v, with another finding %v, elsewhere %v", later.Forbidden(), both.Forbidden(), elsewhere.Forbidden())
		}
		if s := later.Standing(); !s.Until().Equal(month) || s.Findings[0].By[0].Reason != "until the VPN is there" || s.Findings[0].By[0].Actor != grace {
			t.Errorf("%+v", s)
		}
		changes, err := w.store.JudgedChanges(t.Context(), d, first.Key())
		if err != nil || !slices.Equal(slices.Sorted(slices.Values(changes)), slices.Sorted(slices.Values([]string{first.Change, later.Change, both.Change}))) {
			t.Errorf("changes that depend on it: %v, %v", changes, err)
		}
		if news := w.swept(); len(news) != 0 {
			t.Errorf("news a month before: %v", news)
		}

		longer := month.Add(24 * time.Hour)
		word.Expires = longer
		if n := w.waive(word); n != 1 {
			t.Error("a longer word does not count")
		}
		w.now = month.Add(time.Minute)
		if got := w.reread(later); got.Forbidden() || len(got.Waivers) != 1 {
			t.Errorf("the longer word is not there alone: %+v", got.Waivers)
		}
		if news := w.swept(); len(news) != 1 || news[0].Ended != "" {
			t.Errorf("news a day before: %+v", news)
		}
		if news := w.swept(); len(news) != 0 {
			t.Errorf("warned twice a day: %+v", news)
		}
		w.now = longer
		if got := w.reread(later); !got.Forbidden() || len(got.Standing().Findings[0].Lapsed) != 1 {
			t.Errorf("it stands after its end: %+v", got.Standing())
		}
		if n := len(w.events("policy.expire")); n != 0 {
			t.Fatalf("%d events before the sweep", n)
		}
		if news := w.swept(); len(news) != 1 || news[0].Ended != run.Expired {
			t.Errorf("news of the end: %+v", news)
		}
		if news := w.swept(); len(news) != 0 {
			t.Errorf("told twice: %+v", news)
		}
		events := w.events("policy.expire")
		if len(events) != 1 || events[0]["given_by"] != "grace" || events[0]["actor"] != "schedule policy waivers" {
			t.Errorf("events %v", events)
		}
		if got := w.reread(later); !got.Forbidden() || len(got.Standing().Findings[0].Lapsed) != 1 {
			t.Errorf("what it was is forgotten with the sweep: %+v", got.Standing())
		}
		if events := w.events("policy.waive"); len(events) != 2 || events[0]["reason"] != "until the VPN is there" || events[0]["until"] != longer.UTC().Format(time.RFC3339) {
			t.Errorf("events %v", events)
		}
		if n := w.waive(run.Word{Plan: w.reread(later), Findings: []policy.Finding{open}, Expires: w.now.Add(time.Hour), Reason: "again", Actor: grace}); n != 1 || w.reread(later).Forbidden() {
			t.Error("it can't be accepted anew")
		}
		if err := w.trail.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// What was taken back counts for nothing at once, and is told of once where
// whoever took it back could not.
func TestRevokedWaiver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		open, wide := finding("open", policy.Mandatory, ""), finding("wide", policy.Mandatory, "db")
		plan := w.forbidden(1, "a", "net", "d1", open, wide)
		w.waive(run.Word{Plan: plan, Findings: []policy.Finding{open, wide}, Actor: grace})
		if plan = w.reread(plan); plan.Forbidden() {
			t.Fatal("both are accepted")
		}
		standing, err := w.store.Waivers(t.Context(), d, run.WaiverFilter{Keys: []run.Key{plan.Key()}, Standing: true})
		if err != nil || len(standing) != 2 {
			t.Fatalf("%v, %v", standing, err)
		}
		revoke := func(untold bool, words ...run.Waiver) (ended []run.Waiver) {
			t.Helper()
			w.tx(func(tx *db.Tx) (err error) {
				ended, err = w.store.Revoke(t.Context(), tx, words, alan, "too wide", untold)
				return err
			})
			return ended
		}
		if ended := revoke(true, standing...); len(ended) != 2 {
			t.Errorf("ended %v", ended)
		}
		if ended := revoke(false, standing...); len(ended) != 0 {
			t.Errorf("ended again: %v", ended)
		}
		if got := w.reread(plan); !got.Forbidden() || len(got.Standing().Findings[0].Lapsed) != 0 {
			t.Errorf("%+v", got.Standing())
		}
		if events := w.events("policy.revoke"); len(events) != 1 || events[0]["reason"] != "too wide" || events[0]["given_by"] != "grace" || len(events[0]["findings"].([]any)) != 2 {
			t.Errorf("events %v", events)
		}
		if news := w.swept(); len(news) != 2 {
			t.Errorf("news %v", news)
		}
		if news := w.swept(); len(news) != 0 {
			t.Errorf("told twice: %v", news)
		}
		got, err := w.store.Waiver(t.Context(), d, standing[0].ID)
		if err != nil || got.Ended != run.Revoked || got.EndedBy != alan || !got.EndedAt.Equal(w.now) {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := w.store.Waiver(t.Context(), d, "none"); !errs.Is(err, errs.NotFound) {
			t.Error(err)
		}
		if left, err := w.store.Waivers(t.Context(), d, run.WaiverFilter{Standing: true}); err != nil || len(left) != 0 {
			t.Errorf("standing %v, %v", left, err)
		}
		if all, err := w.store.Waivers(t.Context(), d, run.WaiverFilter{Client: w.repo.ClientID, Repo: w.repo.ID}); err != nil || len(all) != 2 {
			t.Errorf("all %v, %v", all, err)
		}
	})
}

func TestWaiversAreListed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		open, wide := finding("open", policy.Mandatory, ""), finding("wide", policy.Mandatory, "")
		plan := w.forbidden(1, "a", "net", "d1", open, wide)
		w.waive(run.Word{Plan: plan, Findings: []policy.Finding{open}, Expires: w.now.Add(time.Hour), Reason: "x", Actor: grace})
		w.waive(run.Word{Plan: plan, Findings: []policy.Finding{wide}, Expires: w.now.Add(48 * time.Hour), Reason: "x", Actor: grace})
		w.waive(run.Word{Plan: plan, All: true, Actor: alan})
		rules := func(f run.WaiverFilter) string {
			t.Helper()
			all, err := w.store.Waivers(t.Context(), d, f)
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, x := range all {
				out = append(out, x.Rule+"/"+x.Actor.Name)
			}
			return strings.Join(out, " ")
		}
		all, err := w.store.Waivers(t.Context(), d, run.WaiverFilter{Limit: 1})
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		for _, tt := range []struct {
			filter run.WaiverFilter
			want   string
		}{
			{run.WaiverFilter{}, "/alan wide/grace open/grace"},
			{run.WaiverFilter{Older: all[0].ID}, "wide/grace open/grace"},
			{run.WaiverFilter{Standing: true}, "/alan wide/grace open/grace"},
			{run.WaiverFilter{Before: w.now.Add(2 * time.Hour)}, "open/grace"},
			{run.WaiverFilter{Repo: 99}, ""},
			{run.WaiverFilter{Client: "other"}, ""},
		} {
			if got := rules(tt.filter); got != tt.want {
				t.Errorf("%+v: %q, want %q", tt.filter, got, tt.want)
			}
		}
		w.now = w.now.Add(time.Hour)
		p := w.pull(1, "a")
		p.Open = false
		w.tx(func(tx *db.Tx) error { return w.store.SavePull(t.Context(), tx, p) })
		if got := rules(run.WaiverFilter{Standing: true}); got != "wide/grace" { // one expired, one is for a plan of a closed pull
			t.Errorf("standing: %q", got)
		}
	})
}

// What nobody can say, the store does not take, whoever let it through.
func TestThreat_WordsThatNobodyCanSay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		open, hard := finding("open", policy.Mandatory, ""), finding("hard", policy.Hard, "")
		plan := w.forbidden(1, "a", "net", "d1", open, hard)
		nameless := open
		nameless.Fingerprint = ""
		soon := w.now.Add(time.Hour)
		for name, word := range map[string]run.Word{
			"the author":                      {Plan: plan, Findings: []policy.Finding{open}, Actor: ada},
			"a hard finding":                  {Plan: plan, Findings: []policy.Finding{open, hard}, Actor: grace},
			"a hard finding for a while":      {Plan: plan, Findings: []policy.Finding{hard}, Expires: soon, Reason: "x", Actor: grace},
			"everything for a while":          {Plan: plan, All: true, Expires: soon, Reason: "x", Actor: grace},
			"without a reason":                {Plan: plan, Findings: []policy.Finding{open}, Expires: soon, Reason: " ", Actor: grace},
			"over already":                    {Plan: plan, Findings: []policy.Finding{open}, Expires: w.now, Reason: "x", Actor: grace},
			"a finding that nobody can know":  {Plan: plan, Findings: []policy.Finding{nameless}, Actor: grace},
			"a plan without a digest":         {Plan: change2(plan, func(r *run.Run) { r.PlanDigest = "" }), All: true, Actor: grace},
			"the author under another's name": {Plan: change2(plan, func(r *run.Run) { r.AuthorID = 2 }), All: true, Actor: grace},
		} {
			err := d.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := w.store.Waive(t.Context(), tx, word)
				return err
			})
			if err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
		if all, err := w.store.Waivers(t.Context(), d, run.WaiverFilter{}); err != nil || len(all) != 0 {
			t.Errorf("%v, %v", all, err)
		}
	})
}

// Another client's repository is another, even with the same directories, and
// nobody's word counts in it.
func TestThreat_WaiverOfAnotherClient(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		open := finding("open", policy.Mandatory, "")
		mine := w.forbidden(1, "a", "net", "d1", open)
		acme := w.repo
		w.tx(func(tx *db.Tx) error {
			store := clients.NewStore(d)
			c, err := store.Ensure(t.Context(), tx, clients.Installation{ID: 42, Account: "globex"})
			if err != nil {
				return err
			}
			w.repo, err = store.EnsureRepo(t.Context(), tx, c, clients.Repo{ID: 8, Owner: "globex", Name: "infra", DefaultBranch: "main", CloneURL: "https://example.com/globex/infra.git"})
			return err
		})
		other := w.forbidden(1, "a", "net", "d1", open)
		if acme.ClientID == other.Client {
			t.Fatal("they are one client")
		}
		w.waive(run.Word{Plan: mine, Findings: []policy.Finding{open}, Actor: grace})
		w.waive(run.Word{Plan: mine, Findings: []policy.Finding{open}, Expires: w.now.Add(time.Hour), Reason: "x", Actor: grace})
		w.waive(run.Word{Plan: mine, All: true, Actor: grace})
		if w.reread(mine).Forbidden() || !w.reread(other).Forbidden() {
			t.Errorf("mine %v, the other client's %v", w.reread(mine).Forbidden(), w.reread(other).Forbidden())
		}
		// A repository that went from one client to another takes nothing along.
		if _, err := d.ExecContext(t.Context(), `UPDATE runs SET client_id=$1 WHERE id=$2`, other.Client, mine.ID); err != nil {
			t.Fatal(err)
		}
		if !w.reread(mine).Forbidden() {
			t.Error("the former client's word opens the new one's plan")
		}
	})
}

// Runs that were read together get each their own words, and those whose pull
// nobody knows none.
func TestAddWaivers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		open := finding("open", policy.Mandatory, "")
		var runs []*run.Run
		for i := range 60 { // more directories than a query names
			r := w.forbidden(1, "a", "dir"+string(rune('A'+i)), "d", open)
			if i%2 == 0 {
				w.waive(run.Word{Plan: r, Findings: []policy.Finding{open}, Actor: grace})
			}
			r.Waivers = nil
			runs = append(runs, &r)
		}
		stray := *runs[0]
		stray.Pull = 99
		runs = append(runs, &stray)
		if err := w.store.AddWaivers(t.Context(), d, runs); err != nil {
			t.Fatal(err)
		}
		for i, r := range runs {
			if got, want := r.Forbidden(), i%2 != 0 || i == 60; got != want {
				t.Errorf("run %d: forbidden %v", i, got)
			}
		}
		if runs[0].Author != "ada" || !runs[0].Read.Equal(w.now) || stray.Author != "" {
			t.Errorf("%q read at %s", runs[0].Author, runs[0].Read)
		}
	})
}

// A finding whose message was edited is another one: what was accepted of the
// first says nothing of it.
func TestThreat_AnotherMessageNeedsAnotherWord(t *testing.T) {
	engine, err := policy.New(policy.Options{Packs: []policy.Pack{{Name: "own", FS: fstest.MapFS{"p.rego": {Data: []byte(`package main

deny contains {"msg": sprintf("port %d is open", [rc.change.after.port]), "address": rc.address} if some rc in input.resource_changes
`)}}}}})
	if err != nil {
		t.Fatal(err)
	}
	found := func(port string) policy.Finding {
		t.Helper()
		plan, err := tfplan.ParsePlan(strings.NewReader(`{"format_version":"1.2","resource_changes":[{"address":"x.a","mode":"managed","type":"x","name":"a","change":{"actions":["create"],"before":null,"after":{"port":` + port + `},"after_unknown":{}}}]}`))
		if err != nil {
			t.Fatal(err)
		}
		report, err := engine.Judge(t.Context(), policy.Input{Plan: plan, Project: policy.Project{Name: "net", Dir: "net", Workspace: "default"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range report.Findings {
			if f.Rule == "main.deny" {
				return f
			}
		}
		t.Fatalf("nothing found: %+v", report)
		return policy.Finding{}
	}
	ssh, rdp := found("22"), found("3389")
	for _, tt := range []struct {
		now  policy.Finding
		want bool
	}{{ssh, false}, {found("22"), false}, {rdp, true}} {
		r := judged(nil, tt.now)
		w := lasting(grace, "open", time.Hour)
		w.Fingerprint = ssh.Fingerprint
		r.Waivers = []run.Waiver{w}
		if r.Forbidden() != tt.want {
			t.Errorf("%s: forbidden %v", tt.now.Message, r.Forbidden())
		}
	}
}

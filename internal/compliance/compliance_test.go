package compliance_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/compliance"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

var (
	known = []policy.Framework{
		{ID: "cis", Title: "The benchmark", Controls: []policy.Control{{ID: "1.2", Title: "One"}, {ID: "1.10", Title: "Two"}, {ID: "2.1", Title: "Three"}}},
		{ID: "soc2", Title: "The criteria", Controls: []policy.Control{{ID: "CC6.1", Title: "Access"}}},
	}
	rules = []policy.Rule{
		{ID: "b.open", Title: "Open", Level: policy.Mandatory, Severity: policy.High, Controls: map[string][]string{"cis": {"1.10", "1.2"}, "soc2": {"CC6.1"}}},
		{ID: "a.logs", Title: "Logs", Level: policy.Off, Severity: policy.Low, Controls: map[string][]string{"cis": {"2.1"}, "own": {"X-1"}}},
		{ID: "main.deny", Pack: "own", Title: "Own", Level: policy.Advisory, Severity: policy.Low, Controls: map[string][]string{"cis": {"1.2"}}},
		{ID: "c.none", Title: "None", Level: policy.Advisory},
	}
)

// flat is a statement in lines.
func flat(s compliance.Statement) (out []string) {
	for _, f := range s.Frameworks {
		out = append(out, fmt.Sprintf("%s %q %d/%d", f.ID, f.Title, f.Covered, f.Known))
		for _, c := range f.Controls {
			line := fmt.Sprintf("%s %q", c.ID, c.Title)
			for _, r := range c.Rules {
				line += fmt.Sprintf(" %s/%s=%s", r.Pack, r.ID, r.Level)
				if r.Evidence != nil {
					line += fmt.Sprintf("%+v", *r.Evidence)
				}
			}
			out = append(out, line)
		}
	}
	return out
}

func TestStatement(t *testing.T) {
	for _, c := range []struct {
		name string
		o    compliance.Options
		want []string
	}{
		{"all", compliance.Options{}, []string{
			`cis "The benchmark" 2/3`, `1.2 "One" /b.open=mandatory own/main.deny=advisory`, `1.10 "Two" /b.open=mandatory`, `2.1 "Three" /a.logs=off`,
			`own "own" 0/0`, `X-1 "" /a.logs=off`,
			`soc2 "The criteria" 1/1`, `CC6.1 "Access" /b.open=mandatory`,
		}},
		{"one", compliance.Options{Framework: "soc2"}, []string{`soc2 "The criteria" 1/1`, `CC6.1 "Access" /b.open=mandatory`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := compliance.New(rules, known, c.o, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, flat(s)); diff != "" {
				t.Errorf("statement (-want +got):\n%s", diff)
			}
		})
	}
	gaps, err := compliance.New(rules[1:2], known, compliance.Options{Framework: "cis", Gaps: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`cis "The benchmark" 0/3`, `1.2 "One"`, `1.10 "Two"`, `2.1 "Three" /a.logs=off`}, flat(gaps)); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	if _, err := compliance.New(rules, known, compliance.Options{Framework: "pci"}, nil); !errs.Is(err, errs.NotFound) {
		t.Errorf("an unknown framework: %v", err)
	}
}

// TestBundledRulesGiveEvidence: each of our frameworks is spoken of.
func TestBundledRulesGiveEvidence(t *testing.T) {
	e, err := policy.New(policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	frameworks, err := policy.Frameworks()
	if err != nil {
		t.Fatal(err)
	}
	s, err := compliance.New(e.Rules(), frameworks, compliance.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Frameworks) != len(frameworks) {
		t.Errorf("%d frameworks are spoken of, and %d known", len(s.Frameworks), len(frameworks))
	}
	for _, f := range s.Frameworks {
		if f.Covered == 0 || f.Known == 0 {
			t.Errorf("%s: %d of %d controls", f.ID, f.Covered, f.Known)
		}
	}
}

// TestCount counts what a server has on record, on both databases.
func TestCount(t *testing.T) { dbtest.Each(t, count) }

func count(t *testing.T, d *db.DB) {
	ctx := context.Background()
	now := time.UnixMilli(1_800_000_000_000)
	start := now
	store := clients.NewStore(d)
	runs := run.NewStore(d, access.NewTrail(d), func() time.Time { return now })
	ada, bob := access.Actor{Kind: "user", Name: "ada", ID: 1}, access.Actor{Kind: "user", Name: "bob", ID: 2}
	tx := func(do func(tx *db.Tx) error) {
		t.Helper()
		if err := d.Tx(ctx, do); err != nil {
			t.Fatal(err)
		}
	}
	var repo clients.Repo
	tx(func(tx *db.Tx) error {
		c, err := store.Ensure(ctx, tx, clients.Installation{ID: 41, Account: "acme"})
		if err != nil {
			return err
		}
		repo, err = store.EnsureRepo(ctx, tx, c, clients.Repo{ID: 7, Owner: "acme", Name: "infra", DefaultBranch: "main", CloneURL: "https://example.com/acme/infra.git"})
		return err
	})
	open := policy.Finding{Rule: "b.open", Title: "Open", Severity: policy.High, Level: policy.Mandatory, Address: "a.b", Message: "Open.", Fingerprint: "f1"}
	other := open
	other.Fingerprint = "f2"
	logs := policy.Finding{Rule: "main.deny", Pack: "own", Level: policy.Advisory, Message: "x", Fingerprint: "f3"}
	scanned := policy.Finding{Rule: "b.open", Source: "trivy", Level: policy.Mandatory, Message: "x", Fingerprint: "f4"}
	var last run.Run
	for i, report := range []policy.Report{
		{Verdict: policy.Fail, Policies: "old", Rules: 2, Mandatory: 1, Findings: []policy.Finding{open}},
		{Verdict: policy.Fail, Policies: "new", Rules: 3, Mandatory: 3, Omitted: 4, Findings: []policy.Finding{open, other, logs, scanned}},
		{Verdict: policy.Pass, Policies: "new", Rules: 3, Findings: []policy.Finding{}},
		{Verdict: policy.Error, Policies: "new", Rules: 3, Findings: []policy.Finding{}, Problems: []policy.Problem{{Message: "no"}}},
	} {
		now = start.Add(time.Duration(i) * time.Hour)
		last = planned(t, d, runs, repo, i+1, report, bob)
		if i == 1 {
			tx(func(tx *db.Tx) error {
				_, err := runs.Waive(ctx, tx, run.Word{Plan: last, Findings: []policy.Finding{open}, Actor: ada, Reason: "agreed", Expires: now.Add(24 * time.Hour)})
				return err
			})
			tx(func(tx *db.Tx) error {
				_, err := runs.Waive(ctx, tx, run.Word{Plan: last, Findings: nil, All: true, Actor: ada})
				return err
			})
		}
	}
	tally, err := compliance.Count(ctx, d, runs, compliance.Asked{Since: start.Add(-time.Hour), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	s, err := compliance.New(rules, known, compliance.Options{Framework: "cis"}, tally)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		`cis "The benchmark" 2/3`,
		`1.2 "One" /b.open=mandatory{Found:2 Forbidden:2 Findings:2 Accepted:1} own/main.deny=advisory{Found:1 Forbidden:0 Findings:1 Accepted:0}`,
		`1.10 "Two" /b.open=mandatory{Found:2 Forbidden:2 Findings:2 Accepted:1}`,
		`2.1 "Three" /a.logs=off{Found:0 Forbidden:0 Findings:0 Accepted:0}`,
	}, flat(s)); diff != "" {
		t.Errorf("statement (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&compliance.Record{
		Since: start.Add(-time.Hour).UTC(), Until: now.UTC(), Plans: 4, Failed: 1, Whole: 1, Unlisted: 4,
		Versions: []compliance.Version{
			{Policies: "old", Rules: 2, Plans: 1, First: start.UTC(), Last: start.UTC()},
			{Policies: "new", Rules: 3, Plans: 3, First: start.Add(time.Hour).UTC(), Last: start.Add(3 * time.Hour).UTC()},
		},
	}, s.Record); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	later, err := compliance.Count(ctx, d, runs, compliance.Asked{Repo: repo.ID, Since: start.Add(2*time.Hour + time.Minute), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if s, err = compliance.New(rules, known, compliance.Options{Framework: "cis"}, later); err != nil || s.Record.Plans != 1 || s.Record.Whole != 0 {
		t.Errorf("of the last hour: %+v, %v", s.Record, err)
	}
	strangers, err := compliance.Count(ctx, d, runs, compliance.Asked{Client: "another", Since: start.Add(-time.Hour), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if s, err = compliance.New(rules, known, compliance.Options{}, strangers); err != nil || s.Record.Plans != 0 || s.Record.Whole != 0 {
		t.Errorf("another client's record: %+v, %v", s.Record, err)
	}
}

// planned records a plan of a pull of its own with the report.
func planned(t *testing.T, d *db.DB, runs *run.Store, repo clients.Repo, number int, report policy.Report, author access.Actor) run.Run {
	t.Helper()
	ctx := context.Background()
	head := fmt.Sprintf("head-%d", number)
	pull := run.Pull{Repo: repo.ID, Number: number, Client: repo.ClientID, HeadSHA: head, HeadRepo: repo.ID, HeadRef: "f", BaseSHA: "b", BaseRef: "main", Open: true, Author: author.Name, Title: "Change it"}
	var r run.Run
	err := d.Tx(ctx, func(tx *db.Tx) error {
		if err := runs.SavePull(ctx, tx, pull); err != nil {
			return err
		}
		opened, err := runs.OpenChange(ctx, tx, pull, author)
		if err != nil {
			return err
		}
		added, _, err := runs.AddPlans(ctx, tx, opened.Change, []run.Wanted{{Project: planner.Project{Name: "net", Dir: "net", Workspace: "default"}, Commit: head}}, "", author)
		if err != nil {
			return err
		}
		if r, err = runs.Begin(ctx, tx, added[0], "node"); err != nil {
			return err
		}
		r.PlanDigest, r.Report = fmt.Sprintf("digest-%d", number), &report
		return runs.Finish(ctx, tx, r, run.Planned)
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

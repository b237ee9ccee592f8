package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/config/configtest"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/prices"
)

func TestDiagnoseRefreshes(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		all  []prices.Refresh
		want Health
		in   string
	}{
		{"none yet", nil, OK, "none was read yet"},
		{"all well", []prices.Refresh{{List: "azure", Tried: now, Done: now}}, OK, "1 are read every 24h"},
		{"one fails", []prices.Refresh{{List: "azure", Tried: now, Done: now}, {List: "aws", Tried: now, Failures: 2, Error: "No answer."}}, Warn, "aws: No answer."},
		{"no server runs", []prices.Refresh{{List: "azure", Tried: now.Add(-72 * time.Hour), Done: now.Add(-72 * time.Hour)}}, Warn, "1 of 1 were not read"},
	} {
		if d := diagnoseRefreshes(c.all, 24*time.Hour, now); d.Health != c.want || !strings.Contains(d.Detail, c.in) {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
}

func TestDiagnoseRates(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	rate := func(day string) prices.Rate { return prices.Rate{Day: day} }
	for _, c := range []struct {
		all  []prices.Currency
		want Health
		in   string
	}{
		{nil, OK, "in dollars"},
		{[]prices.Currency{{Name: "EUR", Rate: rate("2026-11-01"), Known: true}}, OK, "EUR of 2026-11-01"},
		{[]prices.Currency{{Name: "EUR", Rate: rate("2026-06-01"), Known: true}}, Warn, "older than 90 days: EUR of 2026-06-01"},
		{[]prices.Currency{{Name: "EUR", Rate: rate("2026-11-01"), Known: true}, {Name: "JPY", Clients: []string{"acme", "bolt"}}}, Warn, "no rate of JPY of acme, bolt"},
	} {
		if d := diagnoseRates(c.all, now); d.Health != c.want || !strings.Contains(d.Detail, c.in) {
			t.Errorf("%+v, want %q", d, c.in)
		}
	}
}

// TestBudgetsAreLookedAt: doctor tells of a budget that can't mean what it says,
// once there is something that it could look at.
func TestBudgetsAreLookedAt(t *testing.T) {
	dir, file := configtest.Good(t, "budget \"acme\" {\n  amount = 100\n  client = \"acme\"\n  projects = [\"nte\"]\n}\n")
	c := New(config.Read(file, nil, config.NeedAll), nil)
	look := func(want Health, in string) {
		t.Helper()
		if d := Examine(t.Context(), c, []string{"budgets"})[0]; d.Health != want || !strings.Contains(d.Detail, in) {
			t.Errorf("%+v, want %s: %s", d, want, in)
		}
	}
	look(OK, "1, and nothing was planned yet")
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(t.Context(), c.config.Database.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	look(Skip, "version")
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	look(OK, "nothing was planned yet")
	for _, q := range []string{
		`INSERT INTO clients (id, slug, name, status, created_ms) VALUES ('c', 'acme', 'Acme', 'active', 0)`,
		`INSERT INTO repos (id, client_id, owner, name, default_branch, created_ms) VALUES (7, 'c', 'acme', 'infra', 'main', 0)`,
		`INSERT INTO cost_projects (client_id, repo_id, dir, workspace) VALUES ('c', 7, 'net', 'default')`,
		`INSERT INTO cost_rates (repo_id, dir, workspace, run_id, client_id, change_id, project, at_ms, basis, currency, rate, at_least) VALUES (7, 'net', 'default', '', 'c', 'x', 'net', 1, 'seen', 'USD', '5', 0)`,
	} {
		if _, err := d.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	look(Warn, `the budget "acme" looks at no project of those that were planned here (1)`)
}

// TestCostEngineIsLookedAt: a server whose engine is Infracost is told what
// that lacks when its configuration is read, and by doctor; it starts all the
// same.
func TestCostEngineIsLookedAt(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "infracost")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho Infracost v0.10.42\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte("ico-0123456789\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := fmt.Sprintf("secret \"infracost-key\" {\n  file  = %q\n  repos = [\"acme/none\"]\n}\n", key)
	for name, tc := range map[string]struct {
		cost    string
		warning string // "" for none
		problem string // the same
		health  Health
		detail  string
	}{
		"Tidelock's own":     {``, "", "", OK, "own catalogue"},
		"all that it needs":  {fmt.Sprintf("engine = \"infracost\"\ninfracost_path = %q\ninfracost_secret = \"infracost-key\"", program), "", "", OK, "Infracost 0.10.42"},
		"no program":         {fmt.Sprintf("engine = \"infracost\"\ninfracost_path = %q\ninfracost_secret = \"infracost-key\"", program+"2"), "is not there: no change will have an estimate", "", Fail, "is not there"},
		"no key":             {fmt.Sprintf("engine = \"infracost\"\ninfracost_path = %q", program), "needs an API key", "", Fail, "has no API key"},
		"a secret of nobody": {fmt.Sprintf("engine = \"infracost\"\ninfracost_path = %q\ninfracost_secret = \"other\"", program), "", "there is no such secret block", Skip, ""},
		"another engine":     {`engine = "guess"`, "", `must be "tidelock" or "infracost"`, "", ""},
		"no address":         {`infracost_endpoint = "prices"`, "", "must be an address", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "tidelock-server.hcl")
			if err := os.WriteFile(file, []byte(secret+"cost {\n"+tc.cost+"\n}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			l := config.Read(file, nil, config.NeedNothing)
			told := func(warnings bool) string {
				var out []string
				for _, p := range l.Problems {
					if p.Warning == warnings && (strings.HasPrefix(p.Setting, "cost.") || strings.Contains(p.Message, "cost.")) {
						out = append(out, p.String())
					}
				}
				return strings.Join(out, "\n")
			}
			for what, pair := range map[string][2]string{"warning": {told(true), tc.warning}, "problem": {told(false), tc.problem}} {
				if !strings.Contains(pair[0], pair[1]) || pair[1] == "" && pair[0] != "" {
					t.Errorf("the %s is %q, want %q", what, pair[0], pair[1])
				}
			}
			if tc.health == "" {
				return
			}
			if d := checkCostEngine(t.Context(), New(l, nil)); d.Health != tc.health || !strings.Contains(d.Detail, tc.detail) {
				t.Errorf("doctor says %s: %s", d.Health, d.Detail)
			}
		})
	}
}

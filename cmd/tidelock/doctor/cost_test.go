package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
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

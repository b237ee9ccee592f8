package comment

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/drift"
	"github.com/tidelock/tidelock/internal/markdown/markdowntest"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

func looked(name string, status drift.Status, diff string) DriftProject {
	at := time.Date(2026, 3, 2, 6, 4, 0, 0, time.UTC)
	p := DriftProject{Project: drift.Project{Repo: 7, Name: name, Dir: name, Workspace: "default", Status: status, Since: at, Checked: at.Add(24 * time.Hour), Digest: "d1"}}
	switch status {
	case drift.Drifted:
		p.Last = run.Run{Status: run.Planned, Summary: tfplan.Summary{Update: 1}, Diff: diff}
	case drift.Failed:
		p.Last = run.Run{Status: run.Failed, Error: diff}
	}
	return p
}

const moved = "  # aws_db_instance.main has changed\n!   resource \"aws_db_instance\" \"main\" {\n!       port = 5432 -> 5433\n    }"

func TestDriftIssueSaysWhatIsSo(t *testing.T) {
	busy := looked("live/db", drift.Drifted, moved)
	busy.Pull, busy.Remedy = 12, 31
	for _, c := range []struct {
		name  string
		all   []DriftProject
		title string
		has   []string
		lacks []string
	}{
		{"drift", []DriftProject{looked("live/app", drift.Clean, ""), busy}, "Drift in 1 of 2 projects",
			[]string{"<!-- tidelock-drift:7 -->", "| `live/db` | 🌊 ~1; #12 is changing it; #31 takes it back | 2026-03-02 06:04 UTC | 2026-03-03 06:04 UTC |", "| `live/app` | nothing changed |", "port = 5432 -> 5433", "#### Next"}, nil},
		{"none any more", []DriftProject{looked("live/app", drift.Clean, "")}, "Drift: none any more", []string{"No drift any more", "is closed"}, []string{"#### Next"}},
		{"nobody knows", []DriftProject{looked("live/app", drift.Failed, "Error: no credentials")}, "Drift: 1 of 1 project could not be compared",
			[]string{"Nobody knows", "❌ not compared", "no credentials"}, []string{"#### Next"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			title, body := DriftIssue(DriftView{Repo: clients.Repo{ID: 7}, Projects: c.all, URL: "https://tidelock.example.com/drift"})
			if title != c.title || !strings.Contains(body, "https://tidelock.example.com/drift") {
				t.Errorf("title %q, body:\n%s", title, body)
			}
			for _, want := range c.has {
				if !strings.Contains(body, want) {
					t.Errorf("it lacks %q:\n%s", want, body)
				}
			}
			for _, not := range c.lacks {
				if strings.Contains(body, not) {
					t.Errorf("it says %q:\n%s", not, body)
				}
			}
			if i, j := strings.Index(body, "live/db"), strings.Index(body, "live/app"); i >= 0 && j >= 0 && i > j {
				t.Error("what has drifted does not stand first")
			}
			if again, same := DriftIssue(DriftView{Repo: clients.Repo{ID: 7}, Projects: c.all, URL: "https://tidelock.example.com/drift"}); again != title || same != body {
				t.Error("the same is said in other words")
			}
		})
	}
}

// However much has drifted, the issue is one that GitHub takes.
func TestDriftIssueFits(t *testing.T) {
	for _, n := range []int{1, 40, 2000} {
		var all []DriftProject
		for i := range n {
			all = append(all, looked(fmt.Sprintf("live/%0100d", i), drift.Drifted, strings.Repeat(moved+"\n", 90)), looked(fmt.Sprintf("live/f%d", i), drift.Failed, strings.Repeat("Error: no.\n", 2000)))
		}
		title, body := DriftIssue(DriftView{Repo: clients.Repo{ID: 7}, Projects: all})
		if len(body) > maxComment || len(title) > 200 || !strings.Contains(body, "live/0") {
			t.Errorf("%d projects: title of %d, body of %d bytes", 2*n, len(title), len(body))
		}
	}
}

// What strangers chose is text in the issue, the report and the pull request.
func TestThreat_DriftTextsAreInert(t *testing.T) {
	for _, evil := range markdowntest.Hostile {
		p := looked(evil, drift.Drifted, "# "+evil+"\n"+evil+"\n```\n"+evil)
		f := looked(evil, drift.Failed, evil+"\n```\n"+evil)
		_, issue := DriftIssue(DriftView{Repo: clients.Repo{ID: 7}, Projects: []DriftProject{p, f}})
		title, body := DriftOffer(p, 3)
		for name, text := range map[string]string{"issue": issue, "pull request": body, "report": DriftReport(p)} {
			page := markdowntest.Page(t, strings.TrimPrefix(text, DriftMark(7)))
			if bad := markdowntest.Strangers(page, "h1 h3 h4 p table thead tbody tr th td code pre details summary strong sub"); len(bad) > 0 {
				t.Errorf("%q makes %v of the %s:\n%s", evil, bad, name, text)
			}
			if name == "issue" && len(markdowntest.All(page, "sub")) != 1 {
				t.Errorf("%q swallows the end of the issue:\n%s", evil, text)
			}
		}
		if strings.ContainsAny(title, "\n\r\x1b") || len(title) > 256 {
			t.Errorf("title %q", title)
		}
	}
}

// The report names what has drifted, and none of its values.
func TestDriftReportHoldsNoValues(t *testing.T) {
	p := looked("live/db", drift.Drifted, moved)
	report := DriftReport(p)
	if !strings.Contains(report, "aws_db_instance.main has changed") || strings.Contains(report, "5433") || !strings.Contains(report, "d1") {
		t.Errorf("the report:\n%s", report)
	}
	p.Digest = "d2"
	if DriftReport(p) == report {
		t.Error("another drift has the same report, so that nothing would be planned again")
	}
}

package planner

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
)

func TestDriftBlocks(t *testing.T) {
	cfg, err := ParseConfig([]byte(`
drift {
  schedule  = "0 6 * * 1-5"
  timezone  = "Europe/Vienna"
}
project "shop" {
  dir        = "live/shop"
  workspaces = ["eu", "us"]
  drift {
    schedule  = "off"
    remediate = "pull"
  }
}
project "net" {
  dir = "live/net"
}
`), ConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	if d := cfg.Drift; *d.Schedule != "0 6 * * 1-5" || *d.Timezone != "Europe/Vienna" || d.Remediate != nil {
		t.Errorf("the repository's: %+v", d)
	}
	if len(cfg.Projects) != 3 || !cfg.Projects[2].Drift.Empty() {
		t.Fatalf("projects %+v", cfg.Projects)
	}
	for _, p := range cfg.Projects[:2] {
		own := p.Drift.Over(cfg.Drift)
		if *own.Schedule != ScheduleOff || *own.Timezone != "Europe/Vienna" || *own.Remediate != RemediatePull {
			t.Errorf("%s: %+v", p.Name, own)
		}
	}
}

func TestWhatIsWrongInDriftBlocks(t *testing.T) {
	for _, c := range []struct{ body, says string }{
		{`schedule = "6 o'clock"`, `tidelock.hcl:1: The schedule "6 o'clock" can't be read. It has five fields`},
		{`schedule = "0 0 31 2 *"`, "never comes due"},
		{`timezone = "Europe/Wien"`, `There is no time zone "Europe/Wien".`},
		{`remediate = "pul"`, `remediate is "pul"; it can be "issue", "pull" or "off". Did you mean "pull"?`},
		{`every = "day"`, "every"},
	} {
		_, err := ParseConfig([]byte("drift {\n  "+c.body+"\n}\n"), ConfigFile)
		if !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), c.says) {
			t.Errorf("%s: %v", c.body, err)
		}
	}
}

// A drift report is one project's and can be a path, whatever the project is
// called.
func TestDriftReports(t *testing.T) {
	seen := map[string]string{}
	for _, p := range []Project{
		{Dir: "."}, {Dir: "root"}, {Dir: "live"}, {Dir: "live/shop"}, {Dir: "live-shop"}, {Dir: "live", Workspace: "shop"}, {Dir: "live.shop"}, {Dir: ".live"},
		{Dir: "live/shop", Workspace: "default", Name: "other"}, // the same as live/shop
		{Dir: "Ä/ö"}, {Dir: "-x"}, {Dir: "a b"}, {Dir: strings.Repeat("x", 90)}, {Dir: strings.Repeat("x", 91)},
	} {
		file := DriftReport(p)
		key := p.Dir + ":" + strings.Replace(p.Workspace, DefaultWorkspace, "", 1)
		if other, ok := seen[file]; ok && other != key {
			t.Errorf("%s and %s share %s", key, other, file)
		}
		seen[file] = key
		rest := strings.TrimSuffix(strings.TrimPrefix(file, ".tidelock/drift/"), ".md")
		if rest == "" || len(rest) > 100 || strings.Trim(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" || rest[0] == '-' {
			t.Errorf("%q has the report %q", p.Dir, file)
		}
		if DriftBranch(p) != "tidelock/drift-"+rest {
			t.Errorf("%q has the branch %q", p.Dir, DriftBranch(p))
		}
	}
	if DriftReport(Project{Dir: "shop"}) != ".tidelock/drift/shop.md" {
		t.Error("a plain name does not stay plain")
	}
}

func TestADriftReportConcernsItsProjectAlone(t *testing.T) {
	all := []Project{{Name: "root", Dir: ".", Workspace: "default"}, {Name: "db", Dir: "live/db", Workspace: "default", Watch: []string{"**"}},
		{Name: "web", Dir: "live/web", Workspace: "default", WhenModified: []string{"live/web/**"}}}
	for i, p := range all {
		got := Affected(all, []string{DriftReport(p)})
		if len(got) != 1 || got[0].Project.Name != p.Name || got[0].Reason != fmt.Sprintf("%s asks for its drift to be taken back", DriftReport(all[i])) {
			t.Errorf("%s: %+v", p.Name, got)
		}
	}
}

// Another drift asks for another plan, although the code is the same.
func TestDriftReportIsPartOfTheInputs(t *testing.T) {
	p := Project{Dir: "app", Workspace: "default"}
	seen := map[string]bool{}
	for _, report := range []string{"", "one", "two"} {
		files := map[string]string{"app/main.tf": resource, ".tidelock/drift/other.md": report}
		if report != "" {
			files[DriftReport(p)] = report
		}
		d, err := InputsDigest(tree(files), p)
		if err != nil {
			t.Fatal(err)
		}
		seen[d] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d digests of 3 reports", len(seen))
	}
}

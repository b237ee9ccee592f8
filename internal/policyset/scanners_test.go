package policyset

import (
	"testing"

	"github.com/tidelock/tidelock/internal/policy"
)

func TestLevelsOfScanners(t *testing.T) {
	s := newSets(t, Options{
		Overrides: policy.Overrides{Levels: map[string]policy.Level{"scanners": policy.Advisory, "scanners.checkov": policy.Mandatory, "tagging": policy.Off}},
		Config: parse(t, `policy_scope "live" {
  dirs   = ["live/**"]
  levels = { "scanners.trivy" = "mandatory", "scanners.trivy.AVD-1" = "hard", "scanners.checkov.CKV_1" = "off" }
}
`),
	})
	for _, c := range []struct {
		dir, rule string
		want      policy.Level
	}{
		{"live/a", "trivy.AVD-1", policy.Hard}, {"live/a", "trivy.AVD-1.case", policy.Hard}, {"live/a", "trivy.AVD-12", policy.Mandatory}, {"live/a", "trivy", policy.Mandatory},
		{"live/a", "checkov.CKV_1", policy.Off}, {"live/a", "checkov.CKV_2", policy.Mandatory}, {"live/a", "tflint.x", policy.Advisory},
		{"test", "trivy.AVD-1", policy.Advisory}, {"test", "checkov.CKV_1", policy.Mandatory}, {"test", "tagging", policy.Advisory},
	} {
		j := judgingOf(t, s, Target{Dir: c.dir, Workspace: "default"}, RepoPolicy{})
		if got := j.ScanLevel(c.rule); got != c.want {
			t.Errorf("%s in %s is at least %s, want %s", c.rule, c.dir, got, c.want)
		}
	}
	if got := (Judging{}).ScanLevel("trivy.x"); got != policy.Off {
		t.Errorf("where nobody says anything it is %s", got)
	}
}

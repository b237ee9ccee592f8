package planner

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tidelock/tidelock/internal/errs"
)

func TestUsageFiles(t *testing.T) {
	tree := fstest.MapFS{
		"infracost-usage.yml": {}, "app/infracost-usage.yml": {}, "app/other.yml": {}, "net/main.tf": {}, "folder/infracost-usage.yml/x": {},
	}
	for _, c := range []struct {
		p    Project
		want []string
	}{
		{Project{Dir: "app"}, []string{"app/infracost-usage.yml", "infracost-usage.yml"}},
		{Project{Dir: "app", UsageFile: "app/other.yml"}, []string{"app/other.yml", "infracost-usage.yml"}},
		{Project{Dir: "app", UsageFile: "app/gone.yml"}, []string{"infracost-usage.yml"}},
		{Project{Dir: "net"}, []string{"infracost-usage.yml"}},
		{Project{Dir: "folder"}, []string{"infracost-usage.yml"}}, // a folder is no file
		{Project{Dir: "."}, []string{"infracost-usage.yml"}},      // once
	} {
		if got := UsageFiles(tree, c.p); !slices.Equal(got, c.want) {
			t.Errorf("%s %s: %q, want %q", c.p.Dir, c.p.UsageFile, got, c.want)
		}
	}
}

func TestUsageFileOption(t *testing.T) {
	cfg, err := ParseConfig([]byte("project \"a\" {\n  dir        = \"a\"\n  workspaces = [\"x\", \"y\"]\n  usage_file = \"./${workspace}.yml\"\n}\n"), ConfigFile)
	if err != nil || cfg.Projects[1].UsageFile != "y.yml" {
		t.Errorf("%+v, %v", cfg.Projects, err)
	}
	_, err = ParseConfig([]byte("project \"a\" {\n  dir        = \"a\"\n  usage_file = \"../../etc/passwd\"\n}\n"), ConfigFile)
	if !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), "tidelock.hcl:3: The usage file") {
		t.Errorf("%v", err)
	}
}

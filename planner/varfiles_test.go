package planner

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestMissingVarFilesAreNamed(t *testing.T) {
	tree := fstest.MapFS{"live/main.tf": {Data: []byte("variable \"a\" {}\n")}, "live/there.tfvars": {}}
	cfg := RepoConfig{Projects: []ProjectConfig{{Name: "live", Dir: "live", Workspace: DefaultWorkspace, Line: 7}}}
	got := MissingVarFiles(tree, cfg, []Project{{Name: "live", Dir: "live", Workspace: DefaultWorkspace, VarFiles: []string{"live/there.tfvars", "live/gone.tfvars"}}})
	want := []Problem{{Path: ConfigFile, Line: 7, Message: "The project live is given the variable file live/gone.tfvars, which is not there."}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

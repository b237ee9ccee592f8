package tfrun

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDeskMayHandOverTokens(t *testing.T) {
	server, desk := Spec{Home: "/run/home"}, Spec{Home: "/run/home", Desk: &Desk{Home: "/home/ada"}}
	for name, want := range map[string][2]bool{ // on a server, at a desk
		"AWS_PROFILE": {true, true}, "TF_VAR_size": {true, true},
		"TF_TOKEN_app_terraform_io": {false, true}, "TF_PLUGIN_CACHE_DIR": {false, true},
		"TF_CLI_ARGS": {false, false}, "TF_CLI_ARGS_plan": {false, false}, "TF_WORKSPACE": {false, false}, "TF_DATA_DIR": {false, false}, "TF_REATTACH_PROVIDERS": {false, false},
	} {
		if got := [2]bool{server.takes(name), desk.takes(name)}; got != want {
			t.Errorf("%s is taken %v, not %v", name, got, want)
		}
	}
	if server.userHome() != "/run/home" || desk.userHome() != "/home/ada" {
		t.Errorf("homes %s and %s", server.userHome(), desk.userHome())
	}
}

func TestDeskEnv(t *testing.T) {
	env, left := DeskEnv([]string{"AWS_PROFILE=dev", "TF_CLI_ARGS_plan=-destroy", "TF_WORKSPACE=prod", "HOME=/home/ada", "PWD=/x", "TF_VAR_a=b=c", "TIDELOCK_DATA_DIR=/d", "GIT_DIR=.git", "odd"})
	if diff := cmp.Diff(map[string]string{"AWS_PROFILE": "dev", "TF_VAR_a": "b=c"}, env); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"TF_CLI_ARGS_plan", "TF_WORKSPACE"}, left); diff != "" {
		t.Errorf("left (-want +got)\n%s", diff)
	}
}

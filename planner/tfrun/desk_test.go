package tfrun

import "testing"

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

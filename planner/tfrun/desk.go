package tfrun

import (
	"strings"

	"github.com/tidelock/tidelock/planner"
)

// Desk is what a run takes from the person at whose desk it runs. On a server
// nobody's is to be taken: there a run gets what its client is given, and has a
// home of its own.
type Desk struct {
	// Home is HOME of what runs, with the credentials and the configurations
	// of clouds, git and ssh that stand in it.
	Home string `json:"home"`
}

// takes reports whether a variable of the spec's may reach what runs. Of
// Terraform's own, a person's environment may hand over tokens of registries and
// where providers are cached: the others would change what is run, which the
// spec alone says.
func (s Spec) takes(name string) bool {
	switch {
	case !strings.HasPrefix(name, "TF_"), planner.GivenEnvProblem(name, "") == "":
		return true
	case s.Desk == nil:
		return false
	}
	return strings.HasPrefix(name, "TF_TOKEN_") || name == "TF_PLUGIN_CACHE_DIR" || name == "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"
}

// userHome is HOME of what runs.
func (s Spec) userHome() string {
	if s.Desk != nil && s.Desk.Home != "" {
		return s.Desk.Home
	}
	return s.Home
}

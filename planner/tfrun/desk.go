package tfrun

import (
	"slices"
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
	// NoLock plans without the state's lock: for whoever may read a state and
	// not lock it.
	NoLock bool `json:"no_lock,omitempty"`
}

// DeskEnv returns what of a person's environment, in the form of os.Environ,
// reaches a run at their desk, and the names of Terraform's own variables that
// do not: the spec alone says what those say.
func DeskEnv(environ []string) (env map[string]string, left []string) {
	env = map[string]string{}
	for _, v := range environ {
		name, value, ok := strings.Cut(v, "=")
		switch {
		case !ok || name == "":
		case slices.Contains(notHandedOn, name), strings.HasPrefix(name, "TIDELOCK_"):
		case (Spec{Desk: &Desk{}}).takes(name):
			env[name] = value
		default:
			left = append(left, name)
		}
	}
	slices.Sort(left)
	return env, left
}

// notHandedOn are variables that say where this process is, and those of
// Terraform's that the spec sets by itself.
var notHandedOn = []string{
	"HOME", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_", "CHECKPOINT_DISABLE", "TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG", "TF_DATA_DIR", "TF_IN_AUTOMATION", "TF_INPUT",
	"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_PREFIX",
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

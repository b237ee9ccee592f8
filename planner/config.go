package planner

// ConfigFile is the repository's configuration file, read at the pull
// request's base commit, so that a pull request can't weaken its own rules.
const ConfigFile = "tidelock.hcl"

// RepoConfig is what a repository says about itself in ConfigFile. The zero
// value is not the default; see DefaultRepoConfig. A pointer that is nil
// leaves the choice to the server's settings.
type RepoConfig struct {
	Projects         []ProjectConfig
	Autodiscover     bool     // find projects that are not listed; true by default
	Ignore           []string // doublestar patterns of directories that are never projects
	ApplyBeforeMerge *bool    // `apply` is taken on an open pull request
	AutoMerge        *bool    // merge when everything is applied; implies apply before merge
	Lock             *string  // when the lock is taken: "plan" or "apply"
}

// ProjectConfig is one project block.
type ProjectConfig struct {
	Name      string
	Dir       string   // relative to the repository's root, clean
	Workspace string   // "default" where none is given
	VarFiles  []string // relative to Dir, clean, inside the repository
	Watch     []string // doublestar patterns relative to the repository's root
	Line      int      // of the block, for problems that are found later
}

// DefaultRepoConfig is the configuration of a repository that has no file.
func DefaultRepoConfig() RepoConfig { return RepoConfig{Autodiscover: true} }

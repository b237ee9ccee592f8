package planner

import (
	"strconv"
	"strings"
)

// DefaultWorkspace is the workspace of a project that names none.
const DefaultWorkspace = "default"

// MaxWeight is the most that a project may weigh.
const MaxWeight = 64

// Project is one root module with one state. All paths are relative to the
// repository's root, with slashes, clean, "." for the root itself, and were
// checked to stay inside it.
type Project struct {
	Name      string   `json:"name"` // for people; from the configuration, or Dir with the workspace
	Dir       string   `json:"dir"`
	Workspace string   `json:"workspace"`
	Modules   []string `json:"modules,omitempty"`   // local modules it calls at any depth, sorted
	VarFiles  []string `json:"var_files,omitempty"` // from the configuration, in the order they are given to Terraform
	Watch     []string `json:"watch,omitempty"`     // further patterns whose change touches the project
	Backend   string   `json:"backend,omitempty"`   // "s3", "cloud", …; "" where the code declares none and the state is Tidelock's to keep
	// StatePlace is where Backend says that the state is, of those that may name
	// Tidelock itself; nil of any other.
	StatePlace *StatePlace `json:"state_place,omitempty"`
	Missing    bool        `json:"missing,omitempty"` // listed in the configuration, but its directory holds no code
	// Files are doublestar patterns of further files that the code reads,
	// as far as the code tells; WholeTree is set where it does not tell.
	Files     []string `json:"files,omitempty"`
	WholeTree bool     `json:"whole_tree,omitempty"`
	// CommittedState is set where terraform.tfstate is in the repository
	// and no backend is declared: Tidelock must not start a second state.
	CommittedState bool `json:"committed_state,omitempty"`
	// DependsOn names projects that must be applied before this one is
	// planned; Order is the group in which it is applied: lower ones first,
	// those of one group at the same time.
	DependsOn []string `json:"depends_on,omitempty"`
	Order     int      `json:"order,omitempty"`
	// ReadsState are the keys of the repository's projects whose outputs this
	// one may read, as the base branch says.
	ReadsState []string `json:"reads_state,omitempty"`
	// Weight is how many ordinary runs one of its runs is worth on the machine
	// that runs it; 0 for 1.
	Weight int `json:"weight,omitempty"`
	// ByHand is set where only the command `plan` plans it, never a push.
	ByHand bool `json:"by_hand,omitempty"`
	// WhenModified are patterns, relative to the repository's root, that
	// replace what would otherwise tell whether a change touches the project.
	WhenModified []string          `json:"when_modified,omitempty"`
	Env          map[string]string `json:"env,omitempty"`   // for its runs; only names that the server allows reach them
	Hooks        []Hook            `json:"hooks,omitempty"` // run only where the server allows it
	// Kind is KindTerragrunt for a Terragrunt unit, "" for Terraform's own
	// code. SourceDir is where hooks run that make the code in Dir, which then
	// need not be in the repository; "" where nothing makes it.
	Kind      string  `json:"kind,omitempty"`
	SourceDir string  `json:"source_dir,omitempty"`
	Secrets   Secrets `json:"secrets,omitzero"` // by name; what they are only the server knows
	// Options are flags that the configuration gives to each of its plans;
	// see Options.With for those of a command over them.
	Options Options `json:"options,omitzero"`
	// UsageFile is where the configuration says that its usage file is, "" for
	// nowhere; Usage are the usage files that its estimate is made with, its own
	// before the repository's: see UsageFiles.
	UsageFile string   `json:"usage_file,omitempty"`
	Usage     []string `json:"usage,omitempty"`
	// Tool is which Terraform or OpenTofu it asks for.
	Tool Tool `json:"tool,omitzero"`
}

// KindTerragrunt is the kind of a project that Terragrunt runs.
const KindTerragrunt = "terragrunt"

// Key returns what locks and states are keyed by: the directory and the
// workspace, which a rename in the configuration does not change. A workspace
// never contains a colon, so two projects never share a key.
func (p Project) Key() string { return p.Dir + ":" + p.Workspace }

// Touched is a project that a change concerns, and why.
type Touched struct {
	Project Project
	Reason  string // a clause for people: "live/main.tf changed", "its module modules/vpc changed"
}

// Problem is something in the repository that is wrong, with the place. A
// problem in one directory does not keep the others from being planned.
type Problem struct {
	Path    string `json:"path"`           // of the file or directory, relative to the repository's root
	Line    int    `json:"line,omitempty"` // 0 where there is none
	Message string `json:"message"`        // a whole sentence
}

// String returns "path:line: message".
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Path)
	if p.Line > 0 {
		b.WriteString(":" + strconv.Itoa(p.Line))
	}
	b.WriteString(": " + p.Message)
	return b.String()
}

// ValidWorkspace reports whether name can be a workspace's. It is narrower
// than what Terraform takes: no name can be read as a flag, a path or a part
// of a key.
func ValidWorkspace(name string) bool { return plainName(name, 90, "._-") }

// plainName reports whether s has up to most letters, digits and the given
// other characters, and begins with a letter, a digit or an underscore. These
// checks are no regular expressions because the runner would compile them at
// every start.
func plainName(s string, most int, others string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
		case i > 0 && strings.IndexByte(others, c) >= 0:
		default:
			return false
		}
	}
	return s != "" && len(s) <= most
}

// BackendOverride is the file that gives a project without a backend one, while
// a run goes on. No repository may have one.
const BackendOverride = "tidelock_backend_override.tf"

// ReadsOverride is the file that has a project's code read copies of states of
// other projects, while a run goes on. No repository may have one.
const ReadsOverride = "tidelock_reads_override.tf"

// backendTofu and readsTofu are what OpenTofu reads in their place.
const (
	backendTofu = "tidelock_backend_override.tofu"
	readsTofu   = "tidelock_reads_override.tofu"
)

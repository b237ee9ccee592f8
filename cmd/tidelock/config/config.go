package config

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/budget"
	gates "github.com/tidelock/tidelock/internal/gate" // gate is a name in the tests
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/prices"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/secrets"
	"github.com/tidelock/tidelock/planner"
)

// Config is the server's configuration, complete and checked: every path is
// absolute, every secret has been read, every default is filled in. It is read
// once, by Load, and handed on in pieces; nothing else in the program reads the
// environment. What each field means, its default and its environment variable
// stand in the table of settings (settings.go), from which
// docs/configuration.md is made.
type Config struct {
	Listen    string // host:port
	PublicURL string // no slash at the end; "" where comments carry no links
	DataDir   string

	// Database is a DSN as internal/db reads it. It is a secret because a
	// PostgreSQL one may hold a password; DatabaseShown is for people.
	Database     redact.Secret
	DatabaseFile string

	// EncryptionKey is what TIDELOCK_ENCRYPTION_KEY held. Where it is empty
	// the key stands in EncryptionKeyFile, or will once the server has
	// started: take it from LoadEncryptionKey.
	EncryptionKey     redact.Secret
	EncryptionKeyFile string

	GitHub    GitHub
	Terraform Terraform
	Checkout  Checkout
	Mirrors   Mirrors
	Defaults  Defaults
	Drift     Drift
	Policy    Policy
	Cost      Cost
	State     State
	Blobs     Blobs
	Replica   Replica
	Log       Log
	Web       Web
	Metrics   Metrics

	// Gates stand before plans, applies and destroys, as the file has them:
	// Set.WithFloor adds Defaults.RequiredApprovals and the policies.
	Gates gates.Set

	// WrappingKeys wrap the data keys of states, beside the encryption key.
	WrappingKeys []WrappingKey

	// Secrets are what repositories may ask for by name; see secrets.New.
	Secrets []secrets.Source

	// Policies say what judges which project, beside the block policy.
	Policies policyset.Config

	// Budgets say what projects may cost.
	Budgets []budget.Budget

	// Billing says whose charges are whose in billing exports.
	Billing actuals.Rules

	// environ is what the secrets' values are read from: a function, since whoever
	// prints a Config must print none of it.
	environ func() []string
}

// GitHub says which GitHub App this is and how hard it may write.
type GitHub struct {
	AppID             int64
	PrivateKey        redact.Secret // PEM
	PrivateKeyFile    string
	WebhookSecret     redact.Secret
	WebhookSecretFile string
	APIURL            string // "" is github.com, else GitHub Enterprise Server's API
	WriteBurst        int
	WriteInterval     time.Duration // 0 leaves writes unlimited
	SweepInterval     time.Duration
	ReconcileInterval time.Duration
}

// Terraform says how plans and applies are run.
type Terraform struct {
	Binary         string // "" finds terraform, else tofu, on PATH
	Terragrunt     string // "" finds terragrunt on PATH, where it is there
	Tools          Tools
	ProviderMirror string // folder of unpacked providers; "" is none
	ProviderDirect bool   // whether providers may be fetched from their registries
	Parallel       int    // runs at once; 0 is one for each core
	Memory         int    // MB that runs may need together; 0 is what is free
	RunMemory      int    // MB that a run is taken to need whose project was never run before
	Env            []string
	PlanTimeout    time.Duration
	ApplyTimeout   time.Duration
	KeepTrees      time.Duration // of open pull requests, since their last use
	ReusePlans     time.Duration // for how long a plan stands for later commits
	Grace          time.Duration // between SIGINT and SIGKILL
	AllowHooks     bool          // run the programs that repositories' configurations name
	ProjectEnv     []string      // names of variables that repositories' configurations may set

	Sandbox        string        // auto | strict | off
	SandboxRead    []string      // absolute paths that every run may read
	SandboxWrite   []string      // and write
	SandboxNetwork string        // of plans: allow | deny
	MemoryLimit    int           // MB of each process; 0 for none
	MaxProcesses   int           // of a run at once; 0 for none
	DiskLimit      int           // MB that a run may write; 0 for none
	CPULimit       time.Duration // of each process of a plan; 0 for none

	Providers Providers // beside ProviderMirror and ProviderDirect
}

// Defaults is what a repository gets that says nothing else.
type Defaults struct {
	Lock              string // plan | apply | off
	ApplyBeforeMerge  bool
	ApplyOnMerge      bool
	AutoMerge         bool
	MergeMethod       string // merge | squash | rebase
	RequiredApprovals int
	DeleteBranch      bool
	AutoPlan          bool
	PlanDrafts        bool
	Commands          []string // nil for all
	ProjectChecks     bool
	QuietUnchanged    bool
	CommentPerCommit  bool
	SplitComments     bool
}

// Policy tunes the bundled policies.
type Policy struct {
	Disabled     bool
	RequiredTags []string
	Levels       map[string]string // rule ID → advisory | mandatory | off
	Owners       []string          // who may accept findings: logins or organization/team
	// AdminRepo is the repository "owner/name" in which policies are kept, ""
	// for none, and AdminRef its branch, tag or commit, "" for the default
	// branch. It goes below the server's own settings only where it may loosen.
	AdminRepo      string
	AdminRef       string
	AdminMayLoosen bool
	WaiverMax      time.Duration // how long one may be accepted for beyond its plan; 0: not at all
}

// Cost tunes the estimates.
type Cost struct {
	Engine            string // tidelock or infracost
	InfracostPath     string // "" looks on PATH
	InfracostSecret   string // name of the secret block with its API key
	InfracostEndpoint string // "" is Infracost's own
	Currency          string // ISO 4217
	HoursPerMonth     int
	SustainedUse      bool
	UsageFile         string // "" for none
	Discounts         prices.Discounts
	Rates             prices.Rates
	Clients           map[string]CostClient // by slug
	Refresh           prices.RefreshSettings
	blocks            []costBlock
}

// Log says how the server logs.
type Log struct {
	Level  string // debug | info | warn | error
	Format string // text | json
}

// Web says who may see the pages.
type Web struct {
	Enabled      bool
	Password     redact.Secret
	PasswordFile string
}

// Default returns what an empty configuration means. Defaults that hang
// on data_dir (database, encryption_key_file) are filled in by Read.
func Default() Config {
	return Config{
		Listen: "127.0.0.1:8080",
		GitHub: GitHub{WriteBurst: 20, WriteInterval: time.Second, SweepInterval: 2 * time.Minute, ReconcileInterval: 4 * time.Minute},
		Terraform: Terraform{Tools: Tools{Download: true}, ProviderDirect: true, PlanTimeout: time.Hour, ApplyTimeout: 4 * time.Hour, KeepTrees: 24 * time.Hour, ReusePlans: time.Hour, RunMemory: 512, Grace: 30 * time.Second,
			Sandbox: "auto", SandboxNetwork: "allow", MemoryLimit: 8 << 10, MaxProcesses: 1000, DiskLimit: 10 << 10, Providers: defaultProviders},
		Mirrors:  Mirrors{MaxAge: 60 * 24 * time.Hour, MaxSize: 50 << 10},
		Defaults: Defaults{Lock: "plan", ApplyOnMerge: true, MergeMethod: "merge", AutoPlan: true},
		Drift:    Drift{Remediate: planner.RemediateIssue, Keep: 90 * 24 * time.Hour},
		Policy:   Policy{RequiredTags: []string{"owner", "environment"}, WaiverMax: 90 * 24 * time.Hour},
		Cost:     Cost{Engine: EngineBuiltin, Currency: "USD", HoursPerMonth: 730},
		State:    defaultState,
		Log:      Log{Level: "info", Format: "text"},
		Web:      Web{Enabled: true},
	}
}

// Environ is the environment that the configuration was read from, as
// os.Environ has it: secrets stand in it. One that was not read has none.
func (c Config) Environ() []string {
	if c.environ == nil {
		return nil
	}
	return c.environ()
}

// DatabaseShown returns the database's DSN without its password.
func (c Config) DatabaseShown() string { return maskDSN(c.Database.Reveal()) }

// DatabaseExists reports whether there is something to look at. Only a
// SQLite file can be told to be missing without asking a server.
func (c Config) DatabaseExists() bool {
	file, ok := strings.CutPrefix(c.Database.Reveal(), "sqlite:")
	if !ok {
		return true
	}
	_, err := os.Stat(file)
	return !errors.Is(err, fs.ErrNotExist)
}

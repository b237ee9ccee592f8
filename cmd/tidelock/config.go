package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/budget"
	gates "github.com/tidelock/tidelock/internal/gate" // gate is a name in the tests
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/prices"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/secrets"
	"github.com/tidelock/tidelock/planner"
)

// Config is the server's configuration, complete and checked: every path is
// absolute, every secret has been read, every default is filled in. It is read
// once, by LoadConfig, and handed on in pieces; nothing else in the program
// reads the environment. What each field means, its default and its
// environment variable stand in the table of settings (config_settings.go),
// from which docs/configuration.md is made.
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

	GitHub    GitHubConfig
	Terraform TerraformConfig
	Checkout  CheckoutConfig
	Mirrors   MirrorsConfig
	Defaults  DefaultsConfig
	Drift     DriftConfig
	Policy    PolicyConfig
	Cost      CostConfig
	State     StateConfig
	Blobs     BlobsConfig
	Replica   ReplicaConfig
	Log       LogConfig
	Web       WebConfig

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

// GitHubConfig says which GitHub App this is and how hard it may write.
type GitHubConfig struct {
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

// TerraformConfig says how plans and applies are run.
type TerraformConfig struct {
	Binary         string // "" finds terraform, else tofu, on PATH
	Terragrunt     string // "" finds terragrunt on PATH, where it is there
	Tools          ToolsConfig
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

	Providers ProvidersConfig // beside ProviderMirror and ProviderDirect
}

// DefaultsConfig is what a repository gets that says nothing else.
type DefaultsConfig struct {
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

// PolicyConfig tunes the bundled policies.
type PolicyConfig struct {
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

// CostConfig tunes the estimates.
type CostConfig struct {
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
	Clients           map[string]costClient // by slug
	Refresh           prices.RefreshSettings
	blocks            []costBlock
}

// LogConfig says how the server logs.
type LogConfig struct {
	Level  string // debug | info | warn | error
	Format string // text | json
}

// WebConfig says who may see the pages.
type WebConfig struct {
	Enabled      bool
	Password     redact.Secret
	PasswordFile string
}

// defaultConfig returns what an empty configuration means. Defaults that hang
// on data_dir (database, encryption_key_file) are filled in by finish.
func defaultConfig() Config {
	return Config{
		Listen: "127.0.0.1:8080",
		GitHub: GitHubConfig{WriteBurst: 20, WriteInterval: time.Second, SweepInterval: 2 * time.Minute, ReconcileInterval: 4 * time.Minute},
		Terraform: TerraformConfig{Tools: ToolsConfig{Download: true}, ProviderDirect: true, PlanTimeout: time.Hour, ApplyTimeout: 4 * time.Hour, KeepTrees: 24 * time.Hour, ReusePlans: time.Hour, RunMemory: 512, Grace: 30 * time.Second,
			Sandbox: "auto", SandboxNetwork: "allow", MemoryLimit: 8 << 10, MaxProcesses: 1000, DiskLimit: 10 << 10, Providers: defaultProviders},
		Mirrors:  MirrorsConfig{MaxAge: 60 * 24 * time.Hour, MaxSize: 50 << 10},
		Defaults: DefaultsConfig{Lock: "plan", ApplyOnMerge: true, MergeMethod: "merge", AutoPlan: true},
		Drift:    DriftConfig{Remediate: planner.RemediateIssue, Keep: 90 * 24 * time.Hour},
		Policy:   PolicyConfig{RequiredTags: []string{"owner", "environment"}, WaiverMax: 90 * 24 * time.Hour},
		Cost:     CostConfig{Engine: engineBuiltin, Currency: "USD", HoursPerMonth: 730},
		State:    defaultState,
		Log:      LogConfig{Level: "info", Format: "text"},
		Web:      WebConfig{Enabled: true},
	}
}

// configNeeds says which settings a command can't do without, so that
// `tidelock migrate` runs in a container that holds no GitHub key.
type configNeeds int

const (
	needAll      configNeeds = iota // serve, doctor, config
	needDatabase                    // migrate: where the data is, and nothing of GitHub
	needNothing                     // healthcheck: whatever is there
)

// LoadConfig reads the configuration: the file at path, or where path is ""
// the first of $TIDELOCK_CONFIG, ./tidelock-server.hcl and
// /etc/tidelock/tidelock-server.hcl that exists, or none; over it the
// TIDELOCK_… variables of environ (in the form of os.Environ); and the files
// that hold secrets.
//
// It goes on after a problem, so that all are reported at once. The Config is
// fit for use only when Problems.Err is nil; warnings are to be logged.
func LoadConfig(path string, environ []string) (Config, Problems) {
	l := loadConfig(path, environ, needAll)
	return l.config, l.problems
}

// loader is one reading of the configuration: what was found, where each
// value came from, and what is wrong.
type loader struct {
	config   Config
	file     string            // the file that was read, "" where there was none
	env      map[string]string // TIDELOCK_… variables that are not empty
	origins  map[string]origin // by path of the setting; absent is the default
	broken   map[string]bool   // settings whose value could not be read: not checked further
	partial  bool              // the file did not parse: what it lacks is unknown
	problems Problems
}

// origin is where a value came from.
type origin struct {
	rank  int    // environment over file over default
	where string // "tidelock-server.hcl:3:5" or "TIDELOCK_LISTEN"
	dir   string // what a relative path is relative to
}

const (
	rankDefault = iota
	rankFile
	rankEnv
)

func loadConfig(path string, environ []string, needs configNeeds) *loader {
	l := &loader{config: defaultConfig(), env: tidelockEnv(environ), origins: map[string]origin{}, broken: map[string]bool{}}
	l.config.environ = func() []string { return environ }
	l.readFile(path)
	l.readEnv()
	l.finish()
	l.check(needs)
	l.checkBudgets()
	l.lookAtInfracost()
	l.problems.sort()
	return l
}

// configPlaces are searched in order for a configuration that nobody named.
var configPlaces = []string{"tidelock-server.hcl", "/etc/tidelock/tidelock-server.hcl"}

// findConfig returns the configuration file to read and whether somebody
// named it, in which case it must exist.
func (l *loader) findConfig(flag string) (path string, named bool) {
	if flag != "" {
		return flag, true
	}
	if p := l.env["TIDELOCK_CONFIG"]; p != "" {
		return p, true
	}
	for _, p := range configPlaces {
		if _, err := os.Stat(p); err == nil {
			return p, false
		}
	}
	return "", false
}

// finish turns what was read into what is used: absolute paths, defaults that
// hang on other settings, and secrets out of their files.
func (l *loader) finish() {
	for _, s := range settings {
		if p, ok := s.bind(&l.config).(*string); ok && s.isPath && *p != "" {
			*p = l.resolve(s, *p)
		}
	}
	c := &l.config
	for _, s := range settings {
		if s.from != "" {
			l.readSecret(s)
		}
	}
	if c.Database.Empty() && c.DataDir != "" && !l.broken["database"] {
		c.Database = redact.NewSecret("sqlite:" + filepath.Join(c.DataDir, "tidelock.db"))
	} else if file, ok := strings.CutPrefix(c.Database.Reveal(), "sqlite:"); ok && file != "" {
		o := l.originOf("database")
		if l.origins["database"].rank < l.origins["database_file"].rank {
			o = l.origins["database_file"]
		}
		c.Database = redact.NewSecret("sqlite:" + absolute(o.dir, file))
	}
	if c.EncryptionKeyFile == "" && c.EncryptionKey.Empty() && c.DataDir != "" {
		c.EncryptionKeyFile = filepath.Join(c.DataDir, "encryption.key")
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	c.GitHub.APIURL = strings.TrimRight(c.GitHub.APIURL, "/")
	if host, err := github.ParseHost(c.GitHub.APIURL); err == nil && host.Enterprise && l.origins["github.write_interval"].rank == rankDefault {
		c.GitHub.WriteInterval = 0 // its limits are off, unless its owner has them on
	}
	c.Cost.Currency = strings.ToUpper(c.Cost.Currency)
}

// resolve makes the path absolute: one from the file is relative to the
// file's folder, one from the environment to the working directory. A bare
// program name is left to be found on PATH.
func (l *loader) resolve(s setting, path string) string {
	if (s.path == "terraform.binary" || s.path == "terraform.terragrunt" || s.path == "cost.infracost_path") && !strings.ContainsRune(path, filepath.Separator) {
		return path
	}
	return absolute(l.originOf(s.path).dir, path)
}

func absolute(dir, path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return path // the working directory is gone; whoever opens it says so
	}
	return abs
}

func (l *loader) originOf(path string) origin { return l.origins[path] }

// readSecret fills the secret s out of the file that its partner setting
// names, where the file was named nearer to the user than a value was.
func (l *loader) readSecret(s setting) {
	value, file := l.origins[s.path], l.origins[s.from]
	if value.rank != rankDefault && value.rank == file.rank {
		l.problem(s.path, value.where, "%s and %s are both set; keep one of them.", l.nameOf(s.path, value), l.nameOf(s.from, file))
		l.broken[s.path] = true
		return
	}
	path := *l.partner(s)
	if value.rank > file.rank || path == "" || s.path == "encryption_key" {
		return // the encryption key's file is made by the server: see LoadEncryptionKey
	}
	text, problem, warning := readSecretFile(path)
	if problem != "" {
		l.problem(s.path, file.where, "%s: %s", s.from, problem)
		l.broken[s.path] = true
		return
	}
	if warning != "" {
		l.warn(s.path, file.where, "%s: %s", s.from, warning)
	}
	*s.bind(&l.config).(*redact.Secret) = redact.NewSecret(text)
}

// partner returns the field that names the file of the secret s.
func (l *loader) partner(s setting) *string {
	other, _ := settingAt(s.from)
	return other.bind(&l.config).(*string)
}

// nameOf is what the user called the setting where he set it.
func (l *loader) nameOf(path string, o origin) string {
	if o.rank == rankEnv {
		return envName(path)
	}
	return path
}

// DatabaseShown returns the database's DSN without its password.
func (c Config) DatabaseShown() string { return maskDSN(c.Database.Reveal()) }

// tidelockEnv picks the TIDELOCK_ variables out of environ. An empty one
// counts as not set: that is what compose files and unit files make of a
// variable that they merely pass on.
func tidelockEnv(environ []string) map[string]string {
	env := map[string]string{}
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok && value != "" && strings.HasPrefix(name, "TIDELOCK_") {
			env[name] = value
		}
	}
	return env
}

// settingAt returns the setting with the path.
func settingAt(path string) (setting, bool) {
	i := slices.IndexFunc(settings, func(s setting) bool { return s.path == path })
	if i < 0 {
		return setting{}, false
	}
	return settings[i], true
}

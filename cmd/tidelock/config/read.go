package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/redact"
	// gate is a name in the tests
)

// Needs says which settings a command can't do without, so that
// `tidelock migrate` runs in a container that holds no GitHub key.
type Needs int

// What a command may need.
const (
	NeedAll      Needs = iota // serve, doctor, config
	NeedDatabase              // migrate: where the data is, and nothing of GitHub
	NeedNothing               // healthcheck: whatever is there
)

// Load reads the configuration of a server: the file at path, or where path is ""
// the first of $TIDELOCK_CONFIG, ./tidelock-server.hcl and
// /etc/tidelock/tidelock-server.hcl that exists, or none; over it the
// TIDELOCK_… variables of environ (in the form of os.Environ); and the files
// that hold secrets.
//
// It goes on after a problem, so that all are reported at once. The Config is
// fit for use only when Problems.Err is nil; warnings are to be logged.
func Load(path string, environ []string) (Config, Problems) {
	l := Read(path, environ, NeedAll)
	return l.Config, l.Problems
}

// Reading is one reading of the configuration: what was found, where each
// value came from, and what is wrong.
type Reading struct {
	Config   Config
	File     string // the file that was read, "" where there was none
	Problems Problems

	env     map[string]string // TIDELOCK_… variables that are not empty
	origins map[string]origin // by path of the setting; absent is the default
	broken  map[string]bool   // settings whose value could not be read: not checked further
	partial bool              // the file did not parse: what it lacks is unknown
}

// Broken reports whether the setting's value could not be read or is wrong, or
// may be missing because the file could not be read.
func (l *Reading) Broken(path string) bool { return l.partial || l.broken[path] }

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

// Read is Load for commands that need less than a server, or want to know where
// each value came from.
func Read(path string, environ []string, needs Needs) *Reading {
	l := &Reading{Config: Default(), env: tidelockEnv(environ), origins: map[string]origin{}, broken: map[string]bool{}}
	l.Config.environ = func() []string { return environ }
	l.readFile(path)
	l.readEnv()
	l.finish()
	l.check(needs)
	l.checkBudgets()
	l.lookAtInfracost()
	l.Problems.sort()
	return l
}

// configPlaces are searched in order for a configuration that nobody named.
var configPlaces = []string{"tidelock-server.hcl", "/etc/tidelock/tidelock-server.hcl"}

// findConfig returns the configuration file to read and whether somebody
// named it, in which case it must exist.
func (l *Reading) findConfig(flag string) (path string, named bool) {
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
func (l *Reading) finish() {
	for _, s := range settings {
		if p, ok := s.bind(&l.Config).(*string); ok && s.isPath && *p != "" {
			*p = l.resolve(s, *p)
		}
	}
	c := &l.Config
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
func (l *Reading) resolve(s setting, path string) string {
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

func (l *Reading) originOf(path string) origin { return l.origins[path] }

// readSecret fills the secret s out of the file that its partner setting
// names, where the file was named nearer to the user than a value was.
func (l *Reading) readSecret(s setting) {
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
	text, problem, warning := ReadSecretFile(path)
	if problem != "" {
		l.problem(s.path, file.where, "%s: %s", s.from, problem)
		l.broken[s.path] = true
		return
	}
	if warning != "" {
		l.warn(s.path, file.where, "%s: %s", s.from, warning)
	}
	*s.bind(&l.Config).(*redact.Secret) = redact.NewSecret(text)
}

// partner returns the field that names the file of the secret s.
func (l *Reading) partner(s setting) *string {
	other, _ := settingAt(s.from)
	return other.bind(&l.Config).(*string)
}

// nameOf is what the user called the setting where he set it.
func (l *Reading) nameOf(path string, o origin) string {
	if o.rank == rankEnv {
		return EnvName(path)
	}
	return path
}

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

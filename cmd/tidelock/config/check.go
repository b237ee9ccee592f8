package config

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/internal/redact"
)

// check finds values out of range, settings that contradict each other, and
// what is missing. A setting whose value could not even be read is left out:
// one problem is told once.
func (l *Reading) check(needs Needs) {
	c := &l.Config
	for _, s := range settings {
		if l.broken[s.path] {
			continue
		}
		if !l.isSet(s) {
			if s.neededFor(needs) && !l.partial {
				l.problem(s.path, "", "%s", missing(s))
			}
			continue
		}
		if s.check == nil {
			continue
		}
		if wrong := s.check(c); wrong != "" {
			o := l.source(s)
			l.problem(s.path, o.where, "%s %s", l.nameOf(s.path, o), wrong)
			l.broken[s.path] = true
		}
	}
	l.contradictions()
}

// source is where the value of s came from: for a secret that was read out of
// a file, where that file was named.
func (l *Reading) source(s setting) origin {
	o := l.originOf(s.path)
	if s.from != "" && l.originOf(s.from).rank > o.rank {
		return l.originOf(s.from)
	}
	return o
}

// isSet reports whether somebody set s to anything but "".
func (l *Reading) isSet(s setting) bool {
	switch v := s.bind(&l.Config).(type) {
	case *string:
		return *v != ""
	case *redact.Secret:
		return !v.Empty()
	}
	return l.source(s).rank != rankDefault
}

// missing says that s is needed, and every way to give it.
func missing(s setting) string {
	block, attr := s.split()
	in := ""
	if block != "" {
		in = " in the block " + block
	}
	if s.from == "" {
		return fmt.Sprintf("%s is missing: %s. Set %s%s of the configuration file, or %s.", s.path, s.required, attr, in, EnvName(s.path))
	}
	return fmt.Sprintf("%s is missing: %s. Name the file that holds it with %s_file%s or with %s, or set %s.",
		s.path, s.required, attr, in, EnvName(s.from), EnvName(s.path))
}

// contradictions are settings that are each right and wrong together.
func (l *Reading) contradictions() {
	c := &l.Config
	clash := func(path, format string, args ...any) {
		if !l.broken[path] {
			l.problem(path, l.originOf(path).where, format, args...)
		}
	}
	d := c.Defaults
	if d.AutoMerge && !d.ApplyBeforeMerge {
		clash("defaults.auto_merge", "defaults.auto_merge merges what was applied before, so it needs defaults.apply_before_merge = true.")
	}
	if !d.ApplyBeforeMerge && !d.ApplyOnMerge && !l.broken["defaults.apply_on_merge"] && !l.broken["defaults.apply_before_merge"] {
		clash("defaults.apply_on_merge", "defaults.apply_on_merge and defaults.apply_before_merge are both false, so nothing could ever be applied; set one of them to true.")
	}
	if !c.Terraform.ProviderDirect && c.Terraform.ProviderMirror == "" && c.Terraform.Providers.NetworkMirror == "" &&
		!l.broken["terraform.provider_mirror"] && !l.broken["terraform.provider_network_mirror"] {
		clash("terraform.provider_direct", "terraform.provider_direct is false, and neither terraform.provider_mirror nor terraform.provider_network_mirror is set, so no provider could be installed; set one of them.")
	}
	if c.Policy.Disabled && len(c.Policy.Levels) > 0 {
		clash("policy.disabled", "policy.disabled turns every rule off, but policy.levels sets levels; keep one of them.")
	}
}

func checkCommands(c *Config) string {
	for _, name := range c.Defaults.Commands {
		if all := command.Names(); !slices.Contains(all, name) {
			return fmt.Sprintf("names %q, which is no command; there are %s.", name, strings.Join(all, ", "))
		}
	}
	return ""
}

func checkListen(c *Config) string { return checkAddress(c.Listen, "127.0.0.1:8080") }

// checkAddress says what keeps text from being an address to listen on; example
// is one.
func checkAddress(text, example string) string {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		_, n, _ := net.SplitHostPort(example)
		return fmt.Sprintf(`must be an address and a port, such as %q or %q, but is %q.`, example, ":"+n, text)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Sprintf("must end with a port between 0 and 65535, but the port is %q.", port)
	}
	if strings.ContainsAny(host, "/ ") {
		return fmt.Sprintf("must be an address and a port, without a scheme or a path, but is %q.", text)
	}
	return ""
}

// checkURL says what keeps text from being the URL of a server.
func checkURL(text, example string) string {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return fmt.Sprintf("must be a whole URL such as %q.", example)
	}
	if u.User != nil {
		return "must not hold a user name or a password."
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return "must be a plain URL, without ? or #."
	}
	return ""
}

func checkPublicURL(c *Config) string { return checkURL(c.PublicURL, "https://tidelock.example.com") }

func checkAPIURL(c *Config) string {
	return checkURL(c.GitHub.APIURL, "https://github.example.com/api/v3")
}

func checkDatabase(c *Config) string {
	dsn := c.Database.Reveal()
	if file, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		if file == "" || strings.ContainsAny(file, "?#") {
			return `must name a file, such as "sqlite:/var/lib/tidelock/tidelock.db", without options behind it.`
		}
		return ""
	}
	u, err := url.Parse(dsn)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return `must begin with "sqlite:" or "postgres://".` // the value is not shown: it may hold a password
	}
	if u.Host == "" && !u.Query().Has("host") {
		return `names no host; a PostgreSQL database is written "postgres://user@host:5432/name".`
	}
	return ""
}

// maskDSN returns the DSN with the password taken out.
func maskDSN(dsn string) string {
	if strings.HasPrefix(dsn, "sqlite:") || dsn == "" {
		return dsn
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return redact.Mask
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), "xxx")
	}
	if q := u.Query(); q.Has("password") || q.Has("sslpassword") {
		for _, name := range []string{"password", "sslpassword"} {
			if q.Has(name) {
				q.Set(name, "xxx")
			}
		}
		u.RawQuery = q.Encode()
	}
	return u.String()
}

// dsnHasPassword reports whether the DSN is a secret. One that can't be read
// counts as one.
func dsnHasPassword(dsn string) bool {
	if strings.HasPrefix(dsn, "sqlite:") {
		return false
	}
	return maskDSN(dsn) != dsn && strings.Contains(dsn, "://")
}

func checkAppID(c *Config) string {
	if c.GitHub.AppID <= 0 {
		return fmt.Sprintf("must be a number above 0, but is %d.", c.GitHub.AppID)
	}
	return ""
}

func checkPrivateKey(c *Config) string {
	block, _ := pem.Decode([]byte(c.GitHub.PrivateKey.Reveal()))
	if block == nil {
		return "is not a private key in PEM: it must begin with -----BEGIN RSA PRIVATE KEY-----. Make one on the GitHub App's settings page, under Private keys."
	}
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return ""
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if _, ok := key.(*rsa.PrivateKey); ok {
			return ""
		}
		return "is not an RSA key. GitHub Apps sign with RSA: make a key on the App's settings page, under Private keys."
	}
	return fmt.Sprintf("holds a PEM block of type %q that is not an RSA private key. Make one on the GitHub App's settings page, under Private keys.", block.Type)
}

// minWebhookSecret is the length below which a webhook secret can be guessed
// by whoever sees a single signed delivery.
const minWebhookSecret = 16

func checkWebhookSecret(c *Config) string {
	if n := len(c.GitHub.WebhookSecret.Reveal()); n < minWebhookSecret {
		return fmt.Sprintf("has %d characters, but must have %d or more. Make one with: openssl rand -hex 32", n, minWebhookSecret)
	}
	return ""
}

// minWebPassword is the least length of the pages' password in characters.
const minWebPassword = 12

func checkWebPassword(c *Config) string {
	if n := len([]rune(c.Web.Password.Reveal())); n < minWebPassword {
		return fmt.Sprintf("has %d characters, but must have %d or more.", n, minWebPassword)
	}
	return ""
}

func checkEncryptionKey(c *Config) string {
	if key, err := base64.StdEncoding.DecodeString(c.EncryptionKey.Reveal()); err != nil || len(key) != 32 {
		return "must be 32 bytes in base64. Make one with: openssl rand -base64 32"
	}
	return ""
}

// isEnvName reports whether name is one that a shell could set.
func isEnvName(name string) bool {
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// checkTerraformEnv refuses names that would undo the run's clean environment
// or hand it the bot's own secrets.
func checkTerraformEnv(c *Config) string { return checkEnvNames(c.Terraform.Env) }

func checkProjectEnv(c *Config) string { return checkEnvNames(c.Terraform.ProjectEnv) }

func checkPolicyOwners(c *Config) string {
	for _, o := range c.Policy.Owners {
		org, team, ok := strings.Cut(o, "/")
		if org == "" || strings.HasPrefix(o, "@") || strings.ContainsAny(o, " \t") || ok && (team == "" || strings.Contains(team, "/")) {
			return fmt.Sprintf("holds %q, which is neither a login such as `alice` nor a team such as `acme/platform`.", o)
		}
	}
	return ""
}

func checkAdminRepo(c *Config) string {
	owner, name, ok := strings.Cut(c.Policy.AdminRepo, "/")
	if !ok || owner == "" || name == "" || strings.ContainsAny(c.Policy.AdminRepo, " \t:@") || strings.Contains(name, "/") {
		return fmt.Sprintf("must be a repository such as `acme/policies`, but is %q.", c.Policy.AdminRepo)
	}
	return ""
}

func checkEnvNames(names []string) string {
	for _, name := range names {
		switch {
		case !isEnvName(name):
			return fmt.Sprintf("holds %q, which is not the name of an environment variable.", name)
		case strings.HasPrefix(name, "TIDELOCK_"):
			return fmt.Sprintf("holds %s: the bot's own settings are never handed to a run.", name)
		case strings.HasPrefix(name, "TF_"):
			return fmt.Sprintf("holds %s: variables that steer Terraform itself are set by Tidelock alone. Set values in the project's code or its .tfvars files.", name)
		case name == "HOME" || name == "PATH" || strings.HasPrefix(name, "LD_") || strings.HasPrefix(name, "DYLD_"):
			return fmt.Sprintf("holds %s: every run gets its own.", name)
		}
	}
	return ""
}

func checkRequiredTags(c *Config) string {
	if slices.ContainsFunc(c.Policy.RequiredTags, func(tag string) bool { return strings.TrimSpace(tag) == "" }) {
		return "holds an empty name."
	}
	return ""
}

func checkLevels(c *Config) string {
	levels := []string{"advisory", "mandatory", "hard", "off"}
	for _, rule := range slices.Sorted(maps.Keys(c.Policy.Levels)) {
		if level := c.Policy.Levels[rule]; !slices.Contains(levels, level) {
			return fmt.Sprintf("sets the rule %q to %q, but a level is %s.", rule, level, orList(levels))
		}
	}
	return ""
}

func durationRange(low, high time.Duration, get func(c *Config) time.Duration) func(c *Config) string {
	return func(c *Config) string {
		if d := get(c); d < low || d > high {
			return fmt.Sprintf("must be between %s and %s, but is %s.", ShowDuration(low), ShowDuration(high), ShowDuration(d))
		}
		return ""
	}
}

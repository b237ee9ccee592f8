package config

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/cmd/tidelock/config/configtest"
	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/errs"
	gates "github.com/tidelock/tidelock/internal/gate" // gate is a name in the tests
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/prices"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/secrets"
)

func TestLoadConfigFillsInDefaults(t *testing.T) {
	dir, file := configtest.Good(t, "")
	c, problems := Load(file, nil)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	want := Default()
	want.DataDir = filepath.Join(dir, "data") // relative to the file, not to the working directory
	want.Database = redact.NewSecret("sqlite:" + filepath.Join(dir, "data", "tidelock.db"))
	want.EncryptionKeyFile = filepath.Join(dir, "data", "encryption.key")
	want.GitHub.AppID = 12345
	want.GitHub.PrivateKeyFile = filepath.Join(dir, "app.pem")
	want.GitHub.PrivateKey = redact.NewSecret(strings.TrimSpace(configtest.Key()))
	want.GitHub.WebhookSecretFile = filepath.Join(dir, "webhook.secret")
	want.GitHub.WebhookSecret = redact.NewSecret(configtest.WebhookSecret)
	c.environ = nil // a function is equal to none
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(redact.Secret{}, Config{}, Cost{}, costBlock{})); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

// TestSettingsCoverConfig holds the table of settings against the struct: each
// field of Config has one row, and each row its own field and variable.
func TestSettingsCoverConfig(t *testing.T) {
	var c Config
	rows, names := map[any]string{}, map[string]string{}
	for _, s := range settings {
		p := s.bind(&c)
		if other, twice := rows[p]; twice {
			t.Errorf("%s and %s set the same field", s.path, other)
		}
		rows[p] = s.path
		if other, twice := names[EnvName(s.path)]; twice {
			t.Errorf("%s and %s have the same variable", s.path, other)
		}
		names[EnvName(s.path)] = s.path
		if s.doc == "" {
			t.Errorf("%s is not described", s.path)
		}
		if block, _ := s.split(); len(inSection(block)) == 0 {
			t.Errorf("%s stands in no section", s.path)
		}
		if s.from != "" {
			if _, found := settingAt(s.from); !found {
				t.Errorf("%s: no setting %s", s.path, s.from)
			}
		}
	}
	// Blocks, not settings: gates.go, secrets.go and so on.
	blocks := []reflect.Type{
		reflect.TypeFor[gates.Set](), reflect.TypeFor[[]secrets.Source](), reflect.TypeFor[[]WrappingKey](), reflect.TypeFor[policyset.Config](),
		reflect.TypeFor[actuals.Rules](), reflect.TypeFor[[]budget.Budget](),
		reflect.TypeFor[prices.Discounts](), reflect.TypeFor[prices.Rates](), reflect.TypeFor[map[string]CostClient](), reflect.TypeFor[prices.RefreshSettings](),
	}
	var fields func(v reflect.Value, name string)
	fields = func(v reflect.Value, name string) {
		if _, leaf := rows[v.Addr().Interface()]; leaf {
			return
		}
		if slices.Contains(blocks, v.Type()) {
			return
		}
		if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[redact.Secret]() {
			t.Errorf("Config%s has no setting", name)
			return
		}
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				continue
			}
			fields(v.Field(i), name+"."+v.Type().Field(i).Name)
		}
	}
	fields(reflect.ValueOf(&c).Elem(), "")
}

// TestEverySettingByFileAndByEnvironment sets each setting both ways and finds
// the value in its field.
func TestEverySettingByFileAndByEnvironment(t *testing.T) {
	for _, s := range settings {
		t.Run(s.path, func(t *testing.T) {
			inFile, inEnv, want := sample(t, s)
			block, attr := s.split()
			body := attr + " = " + inFile + "\n"
			if block != "" {
				body = block + " {\n" + body + "}\n"
			}
			file := filepath.Join(t.TempDir(), "x.hcl")
			write(t, file, body)
			fromEnv := Read("", []string{EnvName(s.path) + "=" + inEnv, "TIDELOCK_CONFIG=" + configtest.Empty(t)}, NeedNothing)
			if got := reflect.ValueOf(s.bind(&fromEnv.Config)).Elem().Interface(); !reflect.DeepEqual(got, want) {
				t.Errorf("%s=%s gives %v, want %v; problems %v", EnvName(s.path), inEnv, got, want, fromEnv.Problems)
			}
			if got := fromEnv.originOf(s.path).where; got != EnvName(s.path) {
				t.Errorf("origin = %q", got)
			}
			fromFile := Read(file, nil, NeedNothing)
			if _, secret := want.(redact.Secret); secret && !s.inline {
				if len(fromFile.Problems) != 1 || !strings.Contains(fromFile.Problems[0].Message, "must not stand in the configuration file") {
					t.Errorf("an inline secret gives %v", fromFile.Problems)
				}
				return
			}
			if got := reflect.ValueOf(s.bind(&fromFile.Config)).Elem().Interface(); !reflect.DeepEqual(got, want) {
				t.Errorf("the file gives %v, want %v; problems %v", got, want, fromFile.Problems)
			}
		})
	}
}

// sample returns a value of the setting that differs from its default, as it
// is written in the file and in the environment.
func sample(t *testing.T, s setting) (inFile, inEnv string, want any) {
	var c = Default()
	text := "/some/where/else"
	switch s.path {
	case "defaults.lock":
		text = "apply"
	case "defaults.merge_method":
		text = "squash"
	case "cost.currency":
		text = "USD"
	case "log.level":
		text = "warn"
	case "log.format":
		text = "json"
	case "terraform.sandbox":
		text = "strict"
	case "terraform.sandbox_network":
		text = "deny"
	case "terraform.sandbox_read", "terraform.sandbox_write":
		return `["/one", "/two"]`, "/one, /two", []string{"/one", "/two"}
	case "listen":
		text = "127.0.0.1:9090"
	case "public_url", "github.api_url":
		text = "https://host.example.com/path"
	case "database":
		text = "sqlite:/some/where/else.db"
	case "github.private_key":
		text = configtest.Key()
	}
	switch v := s.bind(&c).(type) {
	case *string:
		return fmt.Sprintf("%q", text), text, text
	case *redact.Secret:
		return fmt.Sprintf("%q", text), text, redact.NewSecret(text)
	case *bool:
		return fmt.Sprint(!*v), fmt.Sprint(!*v), !*v
	case *int:
		return fmt.Sprint(*v + 1), fmt.Sprint(*v + 1), *v + 1
	case *int64:
		return "77", "77", int64(77)
	case *time.Duration:
		return `"59s"`, "59s", 59 * time.Second
	case *[]string:
		return `["ONE", "TWO"]`, "ONE, TWO", []string{"ONE", "TWO"}
	case *map[string]string:
		return `{ "a-rule" = "off" }`, "a-rule=off", map[string]string{"a-rule": "off"}
	}
	t.Fatalf("no sample for %T", s.bind(&c))
	return
}

func TestAllProblemsAtOnceWithTheirPlaces(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "bad.hcl")
	write(t, file, `listen    = "nowhere"
datadir   = "/var/lib/tidelock"
public_url = 5
github {
  app_id         = "twelve"
  private_key    = "-----BEGIN RSA PRIVATE KEY-----"
  write_burst    = 9999
  write_interval = "soon"
  webhook_secret_file = "missing.secret"
}
terraform {
  parallel = -1
  env      = ["AWS_REGION", "TF_LOG"]
  grace    = var.grace
}
defaults {
  auto_merge = true
  lock = "always"
}
defaults {}
policy { levels = { "a" = "fatal" } }
web { enabled = "perhaps" }
`)
	_, problems := Load(file, []string{"TIDELOCK_COST_HOURS_PER_MONTH=many", "TIDELOCK_LOG_LEVLE=info", "TIDELOCK_SERVICE_HOST=10.0.0.1", "HOME=/root"})
	var got []string
	for _, p := range problems {
		line := strings.ReplaceAll(p.String(), dir+"/", "")
		if p.Warning {
			line = "warning: " + line
		}
		got = append(got, line)
	}
	golden(t, filepath.Join("testdata", "config-problems.txt"), strings.Join(got, "\n")+"\n")
	if err := problems.Err(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d problems", len(got)-1)) {
		t.Errorf("Err = %v", err)
	}
}

func TestSyntaxErrorIsNotFollowedByWhatItHides(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bad.hcl")
	write(t, file, "listen = \"127.0.0.1:1\"\ngithub {\n  app_id = \n")
	_, problems := Load(file, nil)
	for _, p := range problems {
		if strings.Contains(p.Message, "missing:") {
			t.Errorf("told beside a syntax error: %s", p)
		}
	}
	if len(problems) == 0 || problems[0].order != 3 {
		t.Errorf("problems = %v, want one on line 3", problems)
	}
}

func TestThreat_SecretInTheConfigurationFileIsRefusedAndNotShown(t *testing.T) {
	const canary = "canary-5f3e9a"
	for name, body := range map[string]string{
		"database password":  `database = "postgres://tidelock:` + canary + `@db/tidelock"`,
		"database parameter": `database = "postgres://tidelock@db/tidelock?password=` + canary + `"`,
		"wrong database":     `database = "mysql://tidelock:` + canary + `@db/tidelock"`,
		"webhook secret":     "github {\n  webhook_secret = \"" + canary + "\"\n}",
		"private key":        "github {\n  private_key = \"" + canary + "\"\n}",
		"web password":       "web {\n  password = \"" + canary + "\"\n}",
		"metrics token":      "metrics {\n  token = \"" + canary + "\"\n}",
		"encryption key":     `encryption_key = "` + canary + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "x.hcl")
			write(t, file, body+"\n")
			c, problems := Load(file, nil)
			err := problems.Err()
			if err == nil || !strings.Contains(err.Error(), "x.hcl:") {
				t.Fatalf("not refused at its place: %v", err)
			}
			if text := fmt.Sprintf("%v %+v %s", err, problems, c.DatabaseShown()); strings.Contains(text, canary) {
				t.Errorf("the secret is shown: %s", text)
			}
		})
	}
}

func TestSecretFromTheEnvironmentIsNeverShown(t *testing.T) {
	const canary = "canary-5f3e9a"
	dir := t.TempDir()
	l := Read(configtest.Empty(t), []string{
		"TIDELOCK_DATA_DIR=" + dir, "TIDELOCK_DATABASE=postgres://tidelock:" + canary + "@db/tidelock?sslpassword=" + canary,
		"TIDELOCK_GITHUB_APP_ID=1", "TIDELOCK_GITHUB_PRIVATE_KEY=" + configtest.Key(), "TIDELOCK_GITHUB_WEBHOOK_SECRET=" + canary + canary,
		"TIDELOCK_WEB_PASSWORD=" + canary,
	}, NeedAll)
	if err := l.Problems.Err(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := l.Write(&out); err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(&out).Encode(l.JSON()); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%+v %v", l.Config, l.Config)
	if strings.Contains(out.String(), canary) || strings.Contains(out.String(), "BEGIN RSA") {
		t.Errorf("a secret is shown:\n%s", out.String())
	}
	if !strings.Contains(out.String(), "postgres://tidelock:xxx@db/tidelock") {
		t.Errorf("the database is not shown:\n%s", out.String())
	}
}

func TestEnvironmentGoesBeforeFile(t *testing.T) {
	dir, file := configtest.Good(t, "listen = \"127.0.0.1:1\"\n")
	other := filepath.Join(dir, "other.secret")
	write(t, other, "another-secret-than-that")
	c, problems := Load(file, []string{
		"TIDELOCK_LISTEN=127.0.0.1:2", "TIDELOCK_PUBLIC_URL=", "TIDELOCK_GITHUB_WEBHOOK_SECRET=from-the-environment",
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if c.Listen != "127.0.0.1:2" || c.GitHub.WebhookSecret.Reveal() != "from-the-environment" {
		t.Errorf("listen %q, secret %q", c.Listen, c.GitHub.WebhookSecret.Reveal())
	}
	c, _ = Load(file, []string{"TIDELOCK_GITHUB_WEBHOOK_SECRET_FILE=" + other})
	if c.GitHub.WebhookSecret.Reveal() != "another-secret-than-that" {
		t.Errorf("secret %q", c.GitHub.WebhookSecret.Reveal())
	}
	_, problems = Load(file, []string{"TIDELOCK_GITHUB_WEBHOOK_SECRET=a-value-of-its-own", "TIDELOCK_GITHUB_WEBHOOK_SECRET_FILE=" + other})
	if err := problems.Err(); err == nil || !strings.Contains(err.Error(), "both set") {
		t.Errorf("a value and a file at once: %v", err)
	}
}

func TestConfigChecks(t *testing.T) {
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(edKey)
	if err != nil {
		t.Fatal(err)
	}
	edPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	for _, tc := range []struct{ name, env, want string }{
		{"listen on all", "TIDELOCK_LISTEN=:8080", ""},
		{"listen on IPv6", "TIDELOCK_LISTEN=[::1]:8080", ""},
		{"port too high", "TIDELOCK_LISTEN=127.0.0.1:70000", "between 0 and 65535"},
		{"listen is a URL", "TIDELOCK_LISTEN=http://127.0.0.1:80", "address and a port"},
		{"public URL without scheme", "TIDELOCK_PUBLIC_URL=tidelock.example.com", "whole URL"},
		{"public URL with password", "TIDELOCK_PUBLIC_URL=https://a:b@c", "user name"},
		{"public URL with query", "TIDELOCK_PUBLIC_URL=https://c/?x=1", "plain URL"},
		{"Enterprise Server", "TIDELOCK_GITHUB_API_URL=https://github.example.com/api/v3/", ""},
		{"PostgreSQL", "TIDELOCK_DATABASE=postgres://tidelock:secret@db:5432/tidelock", ""},
		{"PostgreSQL by socket", "TIDELOCK_DATABASE=postgres:///tidelock?host=/run/postgresql", ""},
		{"PostgreSQL without host", "TIDELOCK_DATABASE=postgres:///tidelock", "names no host"},
		{"another database", "TIDELOCK_DATABASE=mysql://x", `"sqlite:" or "postgres://"`},
		{"sqlite with options", "TIDELOCK_DATABASE=sqlite:/x.db?mode=ro", "without options"},
		{"app ID of zero", "TIDELOCK_GITHUB_APP_ID=0", "above 0"},
		{"key that is none", "TIDELOCK_GITHUB_PRIVATE_KEY=hello", "not a private key in PEM"},
		{"key of another kind", "TIDELOCK_GITHUB_PRIVATE_KEY=" + edPEM, "not an RSA key"},
		{"short secret", "TIDELOCK_GITHUB_WEBHOOK_SECRET=abc", "16 or more"},
		{"short password", "TIDELOCK_WEB_PASSWORD=abc", "12 or more"},
		{"short encryption key", "TIDELOCK_ENCRYPTION_KEY=aGVsbG8=", "32 bytes"},
		{"timeout too short", "TIDELOCK_TERRAFORM_PLAN_TIMEOUT=1s", "between 10s and 24h"},
		{"no writes' limit", "TIDELOCK_GITHUB_WRITE_INTERVAL=0s", ""},
		{"bot's own variable", "TIDELOCK_TERRAFORM_ENV=TIDELOCK_WEB_PASSWORD", "never handed to a run"},
		{"library path", "TIDELOCK_TERRAFORM_ENV=LD_PRELOAD", "gets its own"},
		{"no variable's name", "TIDELOCK_TERRAFORM_ENV=A B", "not the name"},
		{"levels without value", "TIDELOCK_POLICY_LEVELS=rule", "pairs such as"},
		{"nothing ever applies", "TIDELOCK_DEFAULTS_APPLY_ON_MERGE=false", "nothing could ever be applied"},
		{"auto-merge alone", "TIDELOCK_DEFAULTS_AUTO_MERGE=true", "needs defaults.apply_before_merge"},
		{"no providers", "TIDELOCK_TERRAFORM_PROVIDER_DIRECT=false", "no provider could be installed"},
		{"currency", "TIDELOCK_COST_CURRENCY=euros", "must be three capital letters"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, file := configtest.Good(t, "")
			_, problems := Load(file, []string{tc.env})
			err := problems.Err()
			if tc.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if len(problems) != 1 {
				t.Errorf("%d problems for one fault: %v", len(problems), problems)
			}
		})
	}
}

func TestConfigWarnings(t *testing.T) {
	dir, file := configtest.Good(t, "")
	if err := os.Chmod(filepath.Join(dir, "app.pem"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, problems := Load(file, []string{"TIDELOCK_LISTN=x", "TIDELOCK_CACHE=/tmp", "TIDELOCK_PORT_80_TCP=tcp://10.0.0.1:80"})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(problems.Warnings())
	if len(problems) != 2 || !strings.Contains(text, "Did you mean TIDELOCK_LISTEN?") || !strings.Contains(text, "chmod o=") {
		t.Errorf("warnings = %v", problems)
	}
}

func TestConfigIsFoundInOrder(t *testing.T) {
	dir, named := configtest.Good(t, "listen = \"127.0.0.1:1\"\n")
	t.Chdir(t.TempDir())
	if _, problems := Load(filepath.Join(dir, "none.hcl"), nil); problems.Err() == nil || len(problems) != 1 {
		t.Errorf("a named file that is missing: %v", problems)
	}
	if l := Read("", []string{"TIDELOCK_CONFIG=" + named}, NeedAll); l.File != named {
		t.Errorf("$TIDELOCK_CONFIG: read %q", l.File)
	}
	write(t, "tidelock-server.hcl", "listen = \"127.0.0.1:2\"\n")
	if l := Read("", nil, NeedNothing); l.File != "tidelock-server.hcl" || l.Config.Listen != "127.0.0.1:2" {
		t.Errorf("working directory: read %q, listen %s", l.File, l.Config.Listen)
	}
	if l := Read(named, []string{"TIDELOCK_CONFIG=/none"}, NeedAll); l.File != named {
		t.Errorf("--config: read %q", l.File)
	}
}

func TestEncryptionKeyIsMadeOnce(t *testing.T) {
	c := Config{DataDir: t.TempDir()}
	c.EncryptionKeyFile = filepath.Join(c.DataDir, "deep", "encryption.key")
	keys := make([]string, 8)
	var group sync.WaitGroup
	for i := range keys {
		group.Go(func() {
			key, err := LoadEncryptionKey(c)
			if err != nil {
				t.Error(err)
			}
			keys[i] = key.Reveal()
		})
	}
	group.Wait()
	for _, key := range keys {
		if key == "" || key != keys[0] {
			t.Fatalf("servers that start at once got %d different keys", len(keys))
		}
	}
	info, err := os.Stat(c.EncryptionKeyFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(c.DataDir, "deep", ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestEncryptionKeyIsNotReplacedOverData(t *testing.T) {
	c := Config{DataDir: t.TempDir()}
	c.EncryptionKeyFile = filepath.Join(c.DataDir, "encryption.key")
	if err := os.MkdirAll(filepath.Join(c.BlobDir(), "client"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadEncryptionKey(c); !errs.Is(err, errs.Conflict) {
		t.Errorf("err = %v, want a conflict", err)
	}
	write(t, c.EncryptionKeyFile, "not a key")
	if _, err := LoadEncryptionKey(c); !errs.Is(err, errs.Invalid) {
		t.Errorf("err = %v, want invalid", err)
	}
}

func TestGitHub29_EnterpriseServersWritesAreNotSpaced(t *testing.T) {
	for _, tc := range []struct {
		api, interval string
		want          time.Duration
	}{
		{"", "", time.Second},
		{"https://api.github.com", "", time.Second},
		{"https://ghe.example.com/api/v3", "", 0},
		{"https://ghe.example.com/api/v3", "2s", 2 * time.Second},
		{"", "0s", 0},
	} {
		_, file := configtest.Good(t, "")
		c, problems := Load(file, []string{"TIDELOCK_GITHUB_API_URL=" + tc.api, "TIDELOCK_GITHUB_WRITE_INTERVAL=" + tc.interval})
		if len(problems) > 0 || c.GitHub.WriteInterval != tc.want {
			t.Errorf("%q with %q: every %s, want %s; %v", tc.api, tc.interval, c.GitHub.WriteInterval, tc.want, problems)
		}
	}
}

package doctor

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/config/configtest"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/runner"
)

// wellClinic is a clinic in which every check is ok; a test breaks one thing.
func wellClinic(t *testing.T) *Clinic {
	dir, file := configtest.Good(t, "")
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	l := config.Read(file, nil, config.NeedAll)
	if len(l.Problems) > 0 {
		t.Fatal(l.Problems)
	}
	c := New(l, nil)
	permissions, events := map[string]string{}, []string{}
	for _, n := range github.Permissions(false) {
		permissions[n.Name] = n.Level
	}
	for _, n := range github.Events() {
		events = append(events, n.Name)
	}
	c.app = func(context.Context) (github.AppInfo, error) {
		return github.AppInfo{
			Slug: "tidelock-test", Name: "Tidelock Test", HTMLURL: "https://github.com/apps/tidelock-test",
			Permissions: permissions, Events: events,
		}, nil
	}
	c.deliveries = func(context.Context, time.Duration) ([]github.Delivery, error) {
		return []github.Delivery{{GUID: "a", StatusCode: 202}}, nil
	}
	c.database = func(context.Context, string, bool) (databaseFacts, error) {
		return databaseFacts{have: 3, want: 3}, nil
	}
	c.freeSpace = func(string) (uint64, error) { return 100 << 30, nil }
	c.terraform = func(context.Context, string) (string, string, error) {
		return "/usr/bin/terraform", "Terraform 1.11.4", nil
	}
	c.reach = func(context.Context, string) (time.Duration, error) { return 20 * time.Millisecond, nil }
	c.host = func() runner.Host { return runner.Host{Landlock: 7, Shell: true} }
	return c
}

func TestDoctorFindsNothingOnAWellServer(t *testing.T) {
	found := Examine(t.Context(), wellClinic(t), nil)
	for _, d := range found {
		if d.Health != OK || d.Detail == "" {
			t.Errorf("%s: %s: %s", d.Check, d.Health, d.Detail)
		}
	}
	if len(found) != len(checks) || Verdict(found) != nil {
		t.Errorf("%d checks, verdict %v", len(found), Verdict(found))
	}
}

func TestDoctorChecks(t *testing.T) {
	app := func(change func(*github.AppInfo)) func(*Clinic) {
		return func(c *Clinic) {
			info, _ := c.app(context.Background())
			change(&info)
			c.app = func(context.Context) (github.AppInfo, error) { return info, nil }
		}
	}
	broken := errors.New("it broke")
	for _, tc := range []struct {
		name, check string
		spoil       func(c *Clinic)
		health      Health
		says        string // in the detail
		mend        string // in the advice
	}{
		{"a problem", "configuration", func(c *Clinic) { c.problems = config.Problems{{Message: "listen is wrong."}} }, Fail, "listen is wrong.", "docs/configuration.md"},
		{"a warning", "configuration", func(c *Clinic) { c.problems = config.Problems{{Message: "odd.", Warning: true}} }, Warn, "odd.", ""},
		{"no data folder", "data-dir", func(c *Clinic) { c.config.DataDir = filepath.Join(c.config.DataDir, "a", "b") }, OK, "the server makes it", ""},
		{"open data folder", "data-dir", func(c *Clinic) { must(os.Chmod(c.config.DataDir, 0o755)) }, Warn, "mode 0755", "chmod 700"},
		{"a file for a folder", "data-dir", func(c *Clinic) { c.config.DataDir = c.config.GitHub.PrivateKeyFile }, Fail, "is not a folder", "data_dir"},
		{"folder below a file", "data-dir", func(c *Clinic) { c.config.DataDir = c.config.GitHub.PrivateKeyFile + "/data" }, Fail, "can't be", "install -d"},
		{"full disk", "disk", func(c *Clinic) { c.freeSpace = func(string) (uint64, error) { return 100 << 20, nil } }, Fail, "only 100 MiB are free", "larger disk"},
		{"nearly full disk", "disk", func(c *Clinic) { c.freeSpace = func(string) (uint64, error) { return 2 << 30, nil } }, Warn, "2.0 GiB are free", ""},
		{"full disk of the database", "disk", func(c *Clinic) {
			c.config.Database = redact.NewSecret("sqlite:/elsewhere/tidelock.db")
			c.freeSpace = func(dir string) (uint64, error) {
				if dir == "/" {
					return 1 << 20, nil
				}
				return 100 << 30, nil
			}
		}, Fail, "only 1.0 MiB are free in /;", "larger disk"},
		{"unknown disk", "disk", func(c *Clinic) { c.freeSpace = func(string) (uint64, error) { return 0, broken } }, Fail, "it broke", ""},
		{"key lost", "encryption-key", func(c *Clinic) { must(os.MkdirAll(filepath.Join(c.config.BlobDir(), "x"), 0o700)) }, Fail, "is gone", "backup"},
		{"key garbled", "encryption-key", func(c *Clinic) { must(os.WriteFile(c.config.EncryptionKeyFile, []byte("x"), 0o600)) }, Fail, "32 bytes", ""},
		{"key open to all", "encryption-key", func(c *Clinic) {
			must(os.WriteFile(c.config.EncryptionKeyFile, []byte(base64.StdEncoding.EncodeToString(make([]byte, 32))), 0o644))
		}, Warn, "mode 0644", "chmod 600"},
		{"newer database", "database", withDatabase(7, 3, nil), Fail, "version 7, and this Tidelock knows versions up to 3", "start the newer"},
		{"older database", "database", withDatabase(2, 3, nil), Warn, "will be brought to 3", "tidelock migrate"},
		{"database away", "database", withDatabase(0, 0, errs.New(errs.Unavailable, "no answer")), Fail, "no answer", "running"},
		{"database damaged", "database", func(c *Clinic) { withKnown(c, db.Wholeness{Checked: time.Now(), Damage: "page 9 is never used"}) }, Fail, "page 9 is never used", "tidelock restore"},
		{"database damaged, and walked again", "database", func(c *Clinic) {
			withKnown(c, db.Wholeness{Damage: "page 9 is never used"})
			c.Whole()
		}, Warn, "is whole, but the server found it damaged: page 9", "start the server again"},
		{"figures refused", "metrics", func(c *Clinic) { metricsAt(t, c, http.StatusUnauthorized, "") }, Fail, "refuses metrics.token", "start the server again"},
		{"figures of somebody else", "metrics", func(c *Clinic) { metricsAt(t, c, http.StatusOK, "node_load1 3") }, Fail, "no Tidelock", "another address"},
		{"figures", "metrics", func(c *Clinic) { metricsAt(t, c, http.StatusOK, "tidelock_build_info{} 1") }, OK, "tells them", ""},
		{"an address of another machine", "metrics", func(c *Clinic) { c.config.Metrics.Listen = "192.0.2.1:9464" }, Fail, "can't listen at 192.0.2.1:9464", "another address"},
		{"figures before the server", "metrics", func(c *Clinic) { c.config.Metrics.Listen, c.config.Listen = gone(t), gone(t) }, OK, "is free", ""},
		{"a server without its figures", "metrics", func(c *Clinic) {
			c.config.Metrics.Listen, c.config.Listen = gone(t), answering(t, http.StatusOK, "ok")
		}, Fail, "the server is running", "start the server again"},
		{"database broken", "database", withDatabase(0, 0, broken), Fail, "it broke", ""},
		{"no terraform", "terraform", func(c *Clinic) {
			c.terraform = func(context.Context, string) (string, string, error) { return "", "", broken }
		}, Fail, "it broke", "terraform.binary"},
		{"room for fewer runs than cores", "capacity", func(c *Clinic) { c.config.Terraform.Parallel, c.config.Terraform.Memory = 4, 1100 }, Warn, "room for 2 of those", "terraform.run_memory"},
		{"room for no run", "capacity", func(c *Clinic) { c.config.Terraform.Memory = 100 }, Warn, "each runs alone", "terraform.run_memory"},
		{"no terraform, and others to be had", "terraform", func(c *Clinic) {
			c.terraform = func(context.Context, string) (string, string, error) {
				return "", "", errs.New(errs.NotFound, "There is none.")
			}
		}, OK, "each project gets one that is installed or downloaded", ""},
		{"no terraform, and no others", "terraform", func(c *Clinic) {
			c.config.Terraform.Tools.Download = false
			c.terraform = func(context.Context, string) (string, string, error) {
				return "", "", errs.New(errs.NotFound, "There is none.")
			}
		}, Fail, "There is none.", "terraform.binary"},
		{"folder of tools that is not there", "tools", func(c *Clinic) { c.config.Terraform.Tools.Dirs = []string{"/nowhere/at/all"} }, Fail, "can't be read", "terraform.tools_dirs"},
		{"variable not set", "terraform", func(c *Clinic) { c.config.Terraform.Env = []string{"AWS_REGION"} }, Warn, "AWS_REGION", ""},
		{"mirror missing", "providers", func(c *Clinic) { c.config.Terraform.ProviderMirror = "/no/where" }, Fail, "/no/where", "providers mirror"},
		{"mirror empty", "providers", func(c *Clinic) { c.config.Terraform.ProviderMirror = c.config.DataDir }, Warn, "holds no provider", ""},
		{"mirror empty and alone", "providers", func(c *Clinic) {
			c.config.Terraform.ProviderMirror, c.config.Terraform.ProviderDirect = c.config.DataDir, false
		}, Fail, "holds no provider", ""},
		{"mirror full", "providers", func(c *Clinic) {
			c.config.Terraform.ProviderMirror = filepath.Join(c.config.DataDir, "mir[ror")
			must(os.MkdirAll(filepath.Join(c.config.Terraform.ProviderMirror, "registry.terraform.io/hashicorp/aws/6.0.0/linux_amd64"), 0o700))
		}, OK, "1 packages", ""},
		{"empty store", "provider-store", func(*Clinic) {}, OK, "empty", ""},
		{"touched store", "provider-store", func(c *Clinic) {
			meta := filepath.Join(c.config.DataDir, "providers/meta/registry.terraform.io/hashicorp/aws/6.0.0/linux_amd64.json")
			must(os.MkdirAll(filepath.Dir(meta), 0o700))
			must(os.WriteFile(meta, []byte(`{"provider":"registry.terraform.io/hashicorp/aws","version":"6.0.0","platform":"linux_amd64","stamp":"another"}`), 0o600))
		}, Warn, "registry.terraform.io/hashicorp/aws 6.0.0", "tidelock providers verify"},
		{"sandbox off", "sandbox", func(c *Clinic) { c.config.Terraform.Sandbox = "off" }, Warn, "can read what the server can", "terraform.sandbox"},
		{"no Landlock", "sandbox", func(c *Clinic) { c.host = func() runner.Host { return runner.Host{Shell: true} } }, Warn, "no Landlock", "trust"},
		{"no Landlock, strict", "sandbox", func(c *Clinic) {
			c.config.Terraform.Sandbox, c.host = "strict", func() runner.Host { return runner.Host{Shell: true} }
		}, Fail, "the server does not start", "auto"},
		{"no way to deny the network", "sandbox", func(c *Clinic) {
			c.config.Terraform.SandboxNetwork = "deny"
			c.host = func() runner.Host { return runner.Host{Landlock: 7, Shell: true} }
		}, Warn, "can't be kept from the network", ""},
		{"the data lies open", "sandbox", func(c *Clinic) { c.config.Terraform.SandboxRead = []string{filepath.Dir(c.config.DataDir)} }, Warn, "Runs can read", ""},
		{"turned off", "policies", func(c *Clinic) { c.config.Policy.Disabled = true }, Warn, "policy.disabled", ""},
		{"a rule that is none", "policies", func(c *Clinic) { c.config.Policy.Levels = map[string]string{"no.such.rule": "off"} }, Fail, "no.such.rule", "block policy"},
		{"one rule off", "policies", func(c *Clinic) { c.config.Policy.Levels = map[string]string{"tagging.required": "off"} }, OK, "turns off", ""},
		{"a pack", "policies", func(c *Clinic) { c.config.Policies = packIn(t, "package house\n\ndeny contains \"no\" if false\n") }, OK, "signature none demanded: 1 rule", ""},
		{"a pack that does not compile", "policies", func(c *Clinic) { c.config.Policies = packIn(t, "package house\n\ndeny contains") }, Fail, "house/a.rego:3", "mend the source"},
		{"a scope that names no rule", "policies", func(c *Clinic) {
			c.config.Policies.Scopes = []policyset.Scope{{Name: "s", Levels: map[string]policy.Level{"tagging.none": policy.Hard}}}
		}, Fail, `no rule "tagging.none"`, "block policy"},
		{"an admin repository without an App", "policies", func(c *Clinic) {
			c.config.Policy.AdminRepo, c.problems = "acme/policies", config.Problems{{Setting: "github.app_id", Message: "is missing"}}
		}, Fail, "admin repository from acme/policies", "mend the source"},
		{"public without password", "web", func(c *Clinic) { c.config.PublicURL = "https://t.example.com" }, Warn, "only this machine", "web.password_file"},
		{"with password", "web", func(c *Clinic) { c.config.Web.Password = redact.NewSecret("long enough it is") }, OK, "ask for a password", ""},
		{"host away", "git-host", func(c *Clinic) {
			c.reach = func(context.Context, string) (time.Duration, error) { return 0, broken }
		}, Fail, "https://github.com can't be reached", "firewall"},
		{"Enterprise Server", "git-host", func(c *Clinic) {
			c.config.GitHub.APIURL = "https://ghe.example.com/api/v3"
			c.reach = func(_ context.Context, host string) (time.Duration, error) { return 0, errors.New("asked " + host) }
		}, Fail, "asked https://ghe.example.com", ""},
		{"key refused", "github-app", func(c *Clinic) {
			c.app = func(context.Context) (github.AppInfo, error) { return github.AppInfo{}, broken }
		}, Fail, "does not accept App 12345", "Private keys"},
		{"GitHub away", "github-app", func(c *Clinic) {
			c.app = func(context.Context) (github.AppInfo, error) {
				return github.AppInfo{}, errs.New(errs.Unavailable, "502")
			}
		}, Fail, "could not be asked", "githubstatus"},
		{"no key at all", "github-app", func(c *Clinic) { c.problems = config.Problems{{Setting: "github.private_key", Message: "m"}} }, Fail, "see configuration", "settings page"},
		{"no key, no answer", "permissions", func(c *Clinic) { c.problems = config.Problems{{Setting: "github.private_key", Message: "m"}} }, Skip, "see github-app", ""},
		{"may not write", "permissions", app(func(i *github.AppInfo) { i.Permissions["checks"] = "read" }), Fail, "checks: has read, needs write", "https://github.com/settings/apps/tidelock-test/permissions"},
		{"may not read", "permissions", app(func(i *github.AppInfo) { delete(i.Permissions, "contents") }), Fail, "contents: has none, needs read", "accept the change"},
		{"may not see teams", "permissions", app(func(i *github.AppInfo) { delete(i.Permissions, "members") }), Warn, "members: has none, needs read to know who is in the teams", "accept the change"},
		{"hears of no queues", "events", app(func(i *github.AppInfo) {
			i.Events = slices.DeleteFunc(i.Events, func(e string) bool { return e == "merge_group" })
		}), Warn, "merge_group to plan what a merge queue", "Subscribe to events"},
		{"may not merge", "permissions", func(c *Clinic) { c.config.Defaults.AutoMerge = true }, Fail, "contents: has read, needs write to merge", ""},
		{"Enterprise Server's address", "permissions", app(func(i *github.AppInfo) {
			i.HTMLURL, i.Permissions = "https://ghe.example.com/github-apps/tidelock-test", map[string]string{}
		}), Fail, "metadata: has none", "https://ghe.example.com/settings/apps/tidelock-test/permissions"},
		{"is not told", "events", app(func(i *github.AppInfo) { i.Events = []string{"push"} }), Fail, "issue_comment, pull_request", "Subscribe to events"},
		{"no secret", "webhook-secret", func(c *Clinic) {
			c.problems = config.Problems{{Setting: "github.webhook_secret", Message: "it is missing."}}
		}, Fail, "see configuration", "openssl rand"},
		{"secrets differ", "deliveries", withDeliveries(github.Delivery{GUID: "a", StatusCode: 401}), Fail, "refused for their signature", "same on both sides"},
		{"not reached", "deliveries", withDeliveries(github.Delivery{GUID: "a", Status: "failed to connect"}), Warn, "failed to connect", "Webhook URL"},
		{"server ill", "deliveries", withDeliveries(github.Delivery{GUID: "a", StatusCode: 502, Status: "Bad Gateway"}), Warn, "502", ""},
		{"none sent", "deliveries", withDeliveries(), OK, "none", ""},
		{"lost and brought again", "deliveries", withDeliveries(github.Delivery{GUID: "a", StatusCode: 202}, github.Delivery{GUID: "a", StatusCode: 502}), OK, "arrived", ""},
	} {
		t.Run(tc.check+"/"+tc.name, func(t *testing.T) {
			c := wellClinic(t)
			if tc.check == "database" {
				write(t, strings.TrimPrefix(c.config.Database.Reveal(), "sqlite:"), "")
			}
			tc.spoil(c)
			found := Examine(t.Context(), c, []string{tc.check})
			if len(found) != 1 {
				t.Fatalf("made %d checks", len(found))
			}
			d := found[0]
			if d.Health != tc.health || !strings.Contains(d.Detail, tc.says) || !strings.Contains(d.Mend, tc.mend) {
				t.Errorf("got %s: %s → %s\nwant %s: …%s… → …%s…", d.Health, d.Detail, d.Mend, tc.health, tc.says, tc.mend)
			}
			if failed := Verdict(found) != nil; failed != (tc.health == Fail || tc.health == Skip) {
				t.Errorf("verdict %v", Verdict(found))
			}
		})
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func withDatabase(have, want int64, err error) func(*Clinic) {
	return func(c *Clinic) {
		c.database = func(context.Context, string, bool) (databaseFacts, error) {
			return databaseFacts{have: have, want: want, dialect: db.SQLite}, err
		}
	}
}

func withKnown(c *Clinic, known db.Wholeness) {
	c.database = func(context.Context, string, bool) (databaseFacts, error) {
		return databaseFacts{have: 3, want: 3, dialect: db.SQLite, known: known}, nil
	}
}

// answering is the address of something that answers everything so.
func answering(t *testing.T, status int, text string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func metricsAt(t *testing.T, c *Clinic, status int, text string) {
	c.config.Metrics.Listen = answering(t, status, text)
}

// gone is an address at which nothing answers.
func gone(t *testing.T) string {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	return server.Listener.Addr().String()
}

func withDeliveries(list ...github.Delivery) func(*Clinic) {
	return func(c *Clinic) {
		c.deliveries = func(context.Context, time.Duration) ([]github.Delivery, error) { return list, nil }
	}
}

// TestDoctorOnAnEmptyConfiguration checks that no check stumbles over what the
// first one has reported, and that nothing is made on the way.
func TestDoctorOnAnEmptyConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	l := config.Read("", nil, config.NeedAll)
	c := New(l, nil)
	c.reach = func(context.Context, string) (time.Duration, error) { return 0, errors.New("no network here") }
	c.terraform = func(context.Context, string) (string, string, error) { return "", "", errors.New("none") }
	got := map[string]Health{}
	for _, d := range Examine(t.Context(), c, nil) {
		got[d.Check] = d.Health
	}
	for _, name := range []string{"configuration", "data-dir", "webhook-secret", "github-app"} {
		if got[name] != Fail {
			t.Errorf("%s: %s", name, got[name])
		}
	}
	for _, name := range []string{"disk", "encryption-key", "database", "permissions", "events", "deliveries"} {
		if got[name] != Skip {
			t.Errorf("%s: %s, want skip", name, got[name])
		}
	}
	if entries, _ := os.ReadDir("."); len(entries) > 0 {
		t.Errorf("doctor made %v", entries)
	}
}

func TestDoctorReadsARealDatabase(t *testing.T) {
	c := wellClinic(t)
	c.database = askDatabase
	ask := func() Diagnosis { return Examine(t.Context(), c, []string{"database"})[0] }
	if d := ask(); d.Health != OK || !strings.Contains(d.Detail, "does not exist yet") {
		t.Errorf("no database: %+v", d)
	}
	d, err := db.Open(t.Context(), c.config.Database.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if d := ask(); d.Health != Warn {
		t.Errorf("empty database: %+v", d)
	}
	if err := errors.Join(d.Migrate(t.Context()), d.Close()); err != nil {
		t.Fatal(err)
	}
	if d := ask(); d.Health != OK || !strings.Contains(d.Detail, "is not known, tidelock doctor --whole does it") {
		t.Errorf("good database that no server had: %+v", d)
	}
	served, err := db.Open(t.Context(), c.config.Database.Reveal(), db.Served(func(string) {}))
	if err != nil {
		t.Fatal(err)
	}
	if d := ask(); d.Health != OK || !strings.Contains(d.Detail, "the server found all of it whole ") {
		t.Errorf("beside a server: %+v", d)
	}
	if err := served.Close(); err != nil {
		t.Fatal(err)
	}
	c.Whole()
	if d := ask(); d.Health != OK || !strings.Contains(d.Detail, "answers, is whole and has version") {
		t.Errorf("walked: %+v", d)
	}
	c.whole = false
	c.config.Database = redact.NewSecret("sqlite:" + c.config.GitHub.PrivateKeyFile)
	if d := ask(); d.Health != Fail {
		t.Errorf("a file that is no database: %+v", d)
	}
}

func TestFreeSpaceAndReachOfThisMachine(t *testing.T) {
	if free, err := parts.FreeSpace(t.TempDir()); err != nil || free == 0 {
		t.Errorf("free space %d, %v", free, err)
	}
	if _, err := parts.FreeSpace("/no/such/folder"); err == nil {
		t.Error("free space of nowhere")
	}
	server := httptest.NewServer(http.NotFoundHandler())
	if _, err := reach(t.Context(), server.URL); err != nil {
		t.Errorf("any answer will do, but: %v", err)
	}
	server.Close()
	if _, err := reach(t.Context(), server.URL); err == nil {
		t.Error("reached a server that is gone")
	}
}

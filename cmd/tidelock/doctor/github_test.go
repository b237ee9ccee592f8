package doctor

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/config/configtest"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/redact"
)

var githubChecks = []string{"git-host", "github-app", "permissions", "events", "webhook-secret", "deliveries"}

// askStandIn runs the checks that concern GitHub against the stand-in.
func askStandIn(t *testing.T, hub *githubtest.Server, more ...string) map[string]Diagnosis {
	t.Helper()
	env := append([]string{
		"TIDELOCK_DATA_DIR=" + t.TempDir(), "TIDELOCK_GITHUB_APP_ID=7001", "TIDELOCK_GITHUB_PRIVATE_KEY=" + hub.AppKey(),
		"TIDELOCK_GITHUB_WEBHOOK_SECRET=" + configtest.WebhookSecret, "TIDELOCK_GITHUB_API_URL=" + hub.APIURL(), "TIDELOCK_CONFIG=" + configtest.Empty(t),
	}, more...)
	l := config.Read("", env, config.NeedAll)
	if err := l.Problems.Err(); err != nil {
		t.Fatal(err)
	}
	found := map[string]Diagnosis{}
	for _, d := range Examine(t.Context(), New(l, env), githubChecks) {
		found[d.Check] = d
	}
	return found
}

func TestDoctorIsContentWithAnAppAsItShouldBe(t *testing.T) {
	hub := githubtest.New(t, githubtest.Options{})
	for name, d := range askStandIn(t, hub) {
		if d.Health != OK {
			t.Errorf("%s: %s: %s", name, d.Health, d.Detail)
		}
	}
	asked := 0
	for _, call := range hub.Calls() {
		if strings.HasSuffix(call.Path, "/app") {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("GitHub was asked %d times about the App", asked)
	}
}

func TestDoctorSeesWhatTheAppLacks(t *testing.T) {
	hub := githubtest.New(t, githubtest.Options{
		Permissions: map[string]string{"metadata": "read", "contents": "read", "pull_requests": "write", "checks": "read"},
		Events:      []string{"pull_request"},
	})
	found := askStandIn(t, hub, "TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true", "TIDELOCK_DEFAULTS_AUTO_MERGE=true")
	for check, says := range map[string][]string{
		"permissions": {"contents: has read, needs write", "issues: has none", "checks: has read"},
		"events":      {"issue_comment, push"},
	} {
		d := found[check]
		for _, s := range says {
			if d.Health != Fail || !strings.Contains(d.Detail, s) {
				t.Errorf("%s does not tell %q: %s: %s", check, s, d.Health, d.Detail)
			}
		}
		if !strings.Contains(d.Mend, "/settings/apps/tidelock/permissions") {
			t.Errorf("%s: no link to mend it: %s", check, d.Mend)
		}
	}
}

func TestDoctorSeesAnotherAppsKey(t *testing.T) {
	hub := githubtest.New(t, githubtest.Options{})
	found := askStandIn(t, hub, "TIDELOCK_GITHUB_PRIVATE_KEY="+configtest.Key())
	if d := found["github-app"]; d.Health != Fail || !strings.Contains(d.Detail, "does not accept App 7001 with this key") {
		t.Errorf("github-app: %+v", d)
	}
	for _, check := range []string{"permissions", "events", "deliveries"} {
		if found[check].Health != Skip {
			t.Errorf("%s: %+v", check, found[check])
		}
	}
}

// TestDoctorSeesThatSecretsDiffer has the stand-in sign with another secret
// than the server's, which therefore refuses the webhook.
func TestDoctorSeesThatSecretsDiffer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		must(err)
		if github.Verify(redact.NewSecret(configtest.WebhookSecret), r.Header.Get("X-Hub-Signature-256"), body) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	for secret, want := range map[string]Health{"another secret than that": Fail, configtest.WebhookSecret: OK} {
		hub := githubtest.New(t, githubtest.Options{WebhookURL: server.URL, WebhookSecret: secret})
		hub.CreateRepo("acme", "infra", githubtest.RepoOptions{})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if err := hub.Quiet(ctx); err != nil || len(hub.Deliveries()) == 0 {
			t.Fatalf("%d webhooks were sent: %v", len(hub.Deliveries()), err)
		}
		cancel()
		if d := askStandIn(t, hub)["deliveries"]; d.Health != want {
			t.Errorf("secret %q: %+v", secret, d)
		}
	}
}

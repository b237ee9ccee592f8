package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/planner"
)

func checkGitHost(ctx context.Context, c *Clinic) Diagnosis {
	if c.problems.Of("github.api_url") != nil {
		return skip("github.api_url is not right, see configuration")
	}
	host := gitHost(c.config.GitHub.APIURL)
	took, err := c.reach(ctx, host)
	if err != nil {
		return fail("the server must reach it on this port: look at the firewall, DNS and HTTPS_PROXY", "%s can't be reached: %v", host, err)
	}
	return ok("%s answered after %s", host, took.Round(time.Millisecond))
}

// appPaths are the settings without which GitHub can't be asked.
var appPaths = []string{"github.app_id", "github.private_key", "github.private_key_file", "github.api_url"}

func checkApp(ctx context.Context, c *Clinic) Diagnosis {
	if c.problems.Of(appPaths...) != nil {
		return fail("both come from the App's settings page: the App ID, and under Private keys the key", "the App's ID or key is missing or wrong, see configuration")
	}
	info, err := c.app(ctx)
	switch {
	case errs.Is(err, errs.Unavailable):
		return fail("look at the check git-host, and at https://www.githubstatus.com", "GitHub could not be asked. %s", errs.Explain(err))
	case err != nil:
		return fail("compare github.app_id with the App's settings page; if the key was deleted there, make a new one under Private keys. A clock that is off by more than a minute is refused too.",
			"GitHub does not accept App %d with this key. %s", c.config.GitHub.AppID, errs.Explain(err))
	}
	return ok("%s (App %d) is signed in; it writes as %s[bot]", info.Name, c.config.GitHub.AppID, info.Slug)
}

// levels orders GitHub's access levels.
var levels = map[string]int{"": 0, "none": 0, "read": 1, "write": 2, "admin": 3}

func checkPermissions(ctx context.Context, c *Clinic) Diagnosis {
	info, err := c.askApp(ctx)
	if err != nil {
		return skip("GitHub did not tell, see github-app")
	}
	needs := github.Permissions(c.config.Defaults.AutoMerge || c.config.Drift.Remediate == planner.RemediatePull)
	var lacking, missed []string
	for _, n := range needs {
		have := info.Permissions[n.Name]
		if levels[have] >= levels[n.Level] {
			continue
		}
		if have == "" {
			have = "none"
		}
		line := fmt.Sprintf("%s: has %s, needs %s %s", n.Name, have, n.Level, n.Why)
		if n.Optional {
			missed = append(missed, line)
		} else {
			lacking = append(lacking, line)
		}
	}
	mend := "change them at " + appSettings(info, "permissions") + "\nand then accept the change in every organisation that has installed the App"
	switch {
	case len(lacking) > 0:
		return fail(mend, "the App lacks permissions:\n%s", strings.Join(append(lacking, missed...), "\n"))
	case len(missed) > 0:
		return warn(mend, "the App works, but not as well as it could:\n%s", strings.Join(missed, "\n"))
	}
	return ok("the App has all %d that it needs", len(needs))
}

func checkEvents(ctx context.Context, c *Clinic) Diagnosis {
	info, err := c.askApp(ctx)
	if err != nil {
		return skip("GitHub did not tell, see github-app")
	}
	needs := github.Events()
	var lacking, missed []string
	for _, n := range needs {
		switch {
		case slices.Contains(info.Events, n.Name):
		case n.Optional:
			missed = append(missed, n.Name+" "+n.Why)
		default:
			lacking = append(lacking, n.Name)
		}
	}
	mend := "tick them under “Subscribe to events” at " + appSettings(info, "permissions")
	switch {
	case len(lacking) > 0:
		return fail(mend, "the App is not subscribed to %s", strings.Join(lacking, ", "))
	case len(missed) > 0:
		return warn(mend, "the App works, but it is not subscribed to:\n%s", strings.Join(missed, "\n"))
	}
	return ok("the App is subscribed to all %d events that it needs", len(needs))
}

// appSettings returns where the App's owner changes it. GitHub has two forms
// of the address, and its API does not tell a plain user's App from another.
func appSettings(info github.AppInfo, page string) string {
	host := "https://github.com"
	if u, err := url.Parse(info.HTMLURL); err == nil && u.Host != "" {
		host = u.Scheme + "://" + u.Host
	}
	return fmt.Sprintf("%s/settings/apps/%s/%s (of an organisation: %s/organizations/NAME/settings/apps/%s/%s)",
		host, info.Slug, page, host, info.Slug, page)
}

func checkSecret(_ context.Context, c *Clinic) Diagnosis {
	if c.problems.Of("github.webhook_secret", "github.webhook_secret_file") != nil {
		return fail("make one with openssl rand -hex 32; give it to the server and to the App's settings page", "the webhook secret is missing or wrong, see configuration")
	}
	return ok("set; the check deliveries shows whether GitHub has the same")
}

// deliverySpan is how far back doctor looks at GitHub's deliveries.
const deliverySpan = time.Hour

func checkDeliveries(ctx context.Context, c *Clinic) Diagnosis {
	if _, err := c.askApp(ctx); err != nil {
		return skip("GitHub did not tell, see github-app")
	}
	all, err := c.deliveries(ctx, deliverySpan)
	if err != nil {
		return warn("", "GitHub did not list its deliveries. %s", errs.Explain(err))
	}
	lost := github.Lost(all)
	if len(all) == 0 {
		return ok("GitHub sent none within the last hour")
	}
	if len(lost) == 0 {
		return ok("all of the last hour's arrived")
	}
	const mend = "compare the Webhook URL on the App's settings page with where this server is reached. What was lost is fetched again once the server runs."
	newest := lost[0]
	switch newest.StatusCode {
	case 401, 403:
		return fail("the secret here and the one on the App's settings page differ: set the same on both sides", "webhooks are refused for their signature (status %d)", newest.StatusCode)
	case 0:
		return warn(mend, "%d of the last hour's webhooks did not reach the server: %s", len(lost), newest.Status)
	}
	return warn(mend, "%d of the last hour's webhooks were not accepted: %s (status %d)", len(lost), newest.Status, newest.StatusCode)
}

// gitHost returns the address of the web server that the API belongs to,
// which is also where git fetches from.
func gitHost(apiURL string) string {
	u, err := url.Parse(apiURL)
	if apiURL == "" || err != nil || u.Host == "api.github.com" {
		return "https://github.com"
	}
	return u.Scheme + "://" + u.Host
}

// reach sends one request to the host; any answer will do.
func reach(ctx context.Context, host string) (time.Duration, error) {
	start := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, host, nil)
	if err != nil {
		return 0, err
	}
	client := &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	return time.Since(start), resp.Body.Close()
}

// newApp is the App of a configuration, for a few questions.
func newApp(c config.Config) (*github.App, error) {
	return github.NewApp(github.Options{ID: c.GitHub.AppID, Key: c.GitHub.PrivateKey, BaseURL: c.GitHub.APIURL, WebhookSecret: c.GitHub.WebhookSecret})
}

// adminRepository says where policy.admin_repo comes from, as GitHub has it.
func (c *Clinic) adminRepository(ctx context.Context) (checkout.Source, string, error) {
	if c.problems.Of(appPaths...) != nil {
		return checkout.Source{}, "", errNoApp
	}
	app, err := newApp(c.config)
	if err != nil {
		return checkout.Source{}, "", err
	}
	return parts.Repository(ctx, app, c.config.Policy.AdminRepo)
}

// errNoApp says that the configuration does not let GitHub be asked.
var errNoApp = errors.New("the App is not configured")

// askApp is app for the checks that build on it.
func (c *Clinic) askApp(ctx context.Context) (github.AppInfo, error) {
	if c.problems.Of(appPaths...) != nil {
		return github.AppInfo{}, errNoApp
	}
	return c.app(ctx)
}

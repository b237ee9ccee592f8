package github_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// press posts a manifest as a browser does, presses the button, and returns
// where GitHub sends the browser.
func press(t *testing.T, page string, manifest []byte) *url.URL {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	post := func(form url.Values) *http.Response {
		resp, err := client.PostForm(page, form)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	first := post(url.Values{"manifest": {string(manifest)}})
	body, _ := io.ReadAll(first.Body)
	if first.StatusCode != http.StatusOK || !strings.Contains(string(body), "Create GitHub App for") {
		t.Fatalf("the page: %s\n%s", first.Status, body)
	}
	then := post(url.Values{"manifest": {string(manifest)}, "create": {"1"}})
	to, err := then.Location()
	if err != nil {
		t.Fatalf("the button led nowhere: %s, %v", then.Status, err)
	}
	return to
}

func TestManifestMakesAnAppThatHasAllItNeeds(t *testing.T) {
	in := newInbox(t)
	w := newWorld(t)
	ctx := within(t)
	const back = "http://127.0.0.1:1/callback"
	manifest, err := github.Manifest(github.ManifestOptions{Name: "Tidelock Acme", PublicURL: in.url + "/", Redirect: back, Merging: true})
	if err != nil {
		t.Fatal(err)
	}
	host, err := github.ParseHost(w.gh.URL)
	if err != nil {
		t.Fatal(err)
	}
	to := press(t, host.NewAppURL("acme", "a state & more"), manifest)
	code := to.Query().Get("code")
	if !strings.HasPrefix(to.String(), back+"?") || code == "" || to.Query().Get("state") != "a state & more" {
		t.Fatalf("GitHub sent the browser to %s", to)
	}
	oldKey, oldID := w.gh.AppKey(), w.gh.AppID()
	got, err := github.Convert(ctx, w.gh.URL, code, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Slug != "tidelock-acme" || got.ID == oldID || got.Owner != "acme" || got.ClientID == "" || got.ClientSecret.Empty() ||
		got.InstallURL != w.gh.URL+"/apps/tidelock-acme/installations/new" || got.SettingURL != w.gh.URL+"/organizations/acme/settings/apps/tidelock-acme" {
		t.Errorf("got %+v", got)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v", got, got), fmt.Sprintf("%#v", got)} {
		if strings.Contains(text, "PRIVATE KEY") || strings.Contains(text, got.WebhookSecret.Reveal()) {
			t.Error("printing it shows its secrets")
		}
	}
	// It is an App: it signs in, is installed, and hears what happens.
	app, err := github.NewApp(github.Options{ID: got.ID, Key: got.PEM, BaseURL: w.gh.URL, WebhookSecret: got.WebhookSecret})
	if err != nil {
		t.Fatal(err)
	}
	self, err := app.Self(ctx)
	if err != nil || self.Slug != "tidelock-acme" {
		t.Fatalf("signing in: %+v, %v", self, err)
	}
	for _, n := range github.Permissions(true) {
		if self.Permissions[n.Name] != n.Level {
			t.Errorf("%s is %q, want %q", n.Name, self.Permissions[n.Name], n.Level)
		}
	}
	for _, n := range github.Events() {
		if !slices.Contains(self.Events, n.Name) {
			t.Errorf("not subscribed to %s", n.Name)
		}
	}
	repo := w.gh.CreateRepo("globex", "infra", githubtest.RepoOptions{})
	if _, err := app.Installation(repo.Installation()).Repo(ctx, repo.ID()); err != nil {
		t.Errorf("where it is installed: %v", err)
	}
	err = w.gh.Wait(ctx, func() bool { return len(in.hooks()) > 0 })
	if err != nil {
		t.Fatal("no webhook came")
	}
	if h := in.hooks()[0]; app.Verify(h.signature, h.body) != nil {
		t.Error("the webhook is not signed with the secret that was told")
	}
	// The App before it is no more.
	if oldKey == w.gh.AppKey() {
		t.Error("the key is the old one")
	}
	if _, err := w.app.Self(ctx); !errs.Is(err, errs.Forbidden) {
		t.Errorf("the former App: %v", err)
	}
	// The code worked once.
	if _, err := github.Convert(ctx, w.gh.URL, code, nil); !errs.Is(err, errs.NotFound) {
		t.Errorf("the code a second time: %v", err)
	}
}

func TestConvertRefusesWhatIsNoCode(t *testing.T) {
	w := newWorld(t)
	ctx := within(t)
	for _, code := range []string{"", "../../app", "a/b", "a?b", "code=1", strings.Repeat("a", 300)} {
		if _, err := github.Convert(ctx, w.gh.URL, code, nil); !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: %v", code, err)
		}
	}
	if n := len(w.gh.Calls()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	manifest, err := github.Manifest(github.ManifestOptions{Name: "T", PublicURL: "https://t.example.com", Redirect: "http://127.0.0.1:1/"})
	if err != nil {
		t.Fatal(err)
	}
	host, _ := github.ParseHost(w.gh.URL)
	code := press(t, host.NewAppURL("", "s"), manifest).Query().Get("code")
	w.clock.advance(61 * time.Minute)
	if _, err := github.Convert(ctx, w.gh.URL, code, nil); !errs.Is(err, errs.NotFound) || !strings.Contains(errs.Sentence(err), "within an hour") {
		t.Errorf("after an hour: %v", err)
	}
	_ = w.gh.Close()
	_, err = github.Convert(ctx, w.gh.URL, code, nil)
	if !errs.Is(err, errs.Unavailable) || strings.Contains(err.Error(), code) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestManifestRefusesWhatGitHubWould(t *testing.T) {
	for name, o := range map[string]github.ManifestOptions{
		"no name":     {PublicURL: "https://t.example.com"},
		"long name":   {Name: strings.Repeat("n", 35), PublicURL: "https://t.example.com"},
		"no URL":      {Name: "T"},
		"other URL":   {Name: "T", PublicURL: "t.example.com"},
		"credentials": {Name: "T", PublicURL: "https://u:p@t.example.com"},
		"query":       {Name: "T", PublicURL: "https://t.example.com/?a=b"},
	} {
		if _, err := github.Manifest(o); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	raw, err := github.Manifest(github.ManifestOptions{Name: "T", PublicURL: "https://t.example.com/base/"})
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Hook struct {
			URL    string
			Active bool
		} `json:"hook_attributes"`
		Permissions map[string]string `json:"default_permissions"`
		Public      bool
	}
	if err := json.Unmarshal(raw, &m); err != nil || m.Hook.URL != "https://t.example.com/base/webhook" || !m.Hook.Active || m.Permissions["contents"] != "read" || m.Public {
		t.Errorf("%+v, %v", m, err)
	}
}

// The stand-in's App is registered with what the manifest asks for, so that
// tests meet the rights that users give.
func TestStandInHasTheManifestsRights(t *testing.T) {
	gh := githubtest.New(t, githubtest.Options{})
	for _, n := range github.Permissions(true) {
		if gh.PermissionLevel(n.Name) != n.Level {
			t.Errorf("%s is %q, want %q", n.Name, gh.PermissionLevel(n.Name), n.Level)
		}
	}
	for _, n := range github.Events() {
		if !gh.Subscribed(n.Name) {
			t.Errorf("not subscribed to %s", n.Name)
		}
	}
}

func TestGitHub29_AddressesFollowFromOne(t *testing.T) {
	for address, want := range map[string]github.Host{
		"":                                   {Web: "https://github.com/", REST: "https://api.github.com/", GraphQL: "https://api.github.com/graphql"},
		"https://github.com":                 {Web: "https://github.com/", REST: "https://api.github.com/", GraphQL: "https://api.github.com/graphql"},
		"https://api.github.com/":            {Web: "https://github.com/", REST: "https://api.github.com/", GraphQL: "https://api.github.com/graphql"},
		"https://git.acme.test":              {Web: "https://git.acme.test/", REST: "https://git.acme.test/api/v3/", GraphQL: "https://git.acme.test/api/graphql", Enterprise: true},
		"https://git.acme.test/api/v3":       {Web: "https://git.acme.test/", REST: "https://git.acme.test/api/v3/", GraphQL: "https://git.acme.test/api/graphql", Enterprise: true},
		"https://git.acme.test:8443/api/v3/": {Web: "https://git.acme.test:8443/", REST: "https://git.acme.test:8443/api/v3/", GraphQL: "https://git.acme.test:8443/api/graphql", Enterprise: true},
		"https://acme.ghe.com":               {Web: "https://acme.ghe.com/", REST: "https://api.acme.ghe.com/", GraphQL: "https://api.acme.ghe.com/graphql"},
		"https://api.acme.ghe.com/":          {Web: "https://acme.ghe.com/", REST: "https://api.acme.ghe.com/", GraphQL: "https://api.acme.ghe.com/graphql"},
	} {
		if got, err := github.ParseHost(address); err != nil || got != want {
			t.Errorf("%q gives %+v, %v; want %+v", address, got, err, want)
		}
	}
	for _, bad := range []string{"git.acme.test", "ftp://git.acme.test", "https://", "https://user:pw@git.acme.test"} {
		if _, err := github.ParseHost(bad); !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// A GitHub Enterprise Server has no limits unless its owner switched them on:
// its answers then carry no such headers, and writes are not spaced.
func TestGitHub29_NoLimitsUnlessSwitchedOn(t *testing.T) {
	w := newWorld(t, func(o *githubtest.Options, c *github.Options) {
		c.Writes = github.Pace{}
		c.Transport = without{http.DefaultTransport, regexp.MustCompile(`(?i)^x-ratelimit-`), nil}
	})
	for i := range 60 {
		if _, err := w.c.CreateComment(within(t), w.repo.ID(), 1, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if w.clock.slept != 0 {
		t.Errorf("writes were held up for %s", w.clock.slept)
	}
}

// An older GitHub Enterprise Server leaves out what was added since. Nothing
// that the bot can't do without may be among it.
func TestGitHub29_OlderAnswersAreRead(t *testing.T) {
	newer := []string{"performed_via_github_app", "role_name", "node_id", "visibility", "user_view_type", "allow_forking", "is_template",
		"web_commit_signoff_required", "topics", "auto_merge", "draft", "rebaseable", "state_reason", "reactions", "author_association",
		"permissions", "client_id", "throttled_at", "installation_id", "repository_id", "merged_by", "updated_at"}
	w := newWorld(t, func(_ *githubtest.Options, c *github.Options) {
		c.Transport = without{http.DefaultTransport, regexp.MustCompile(`(?i)^x-ratelimit-|^etag$`), newer}
	})
	ctx := within(t)
	w.repo.Collaborator("ada", "maintain")
	w.pull.Review("bob", "APPROVED", "")
	p, err := w.c.PullMergeable(ctx, w.repo.ID(), 1)
	if err != nil || p.HeadSHA != w.pull.State().HeadSHA || p.Author != "ada" || p.HeadRepoID != w.repo.ID() || p.Draft {
		t.Errorf("pull %+v, %v", p, err)
	}
	if r, err := w.c.Repo(ctx, w.repo.ID()); err != nil || r.FullName() != "acme/infra" || r.DefaultBranch != "main" {
		t.Errorf("repository %+v, %v", r, err)
	}
	// Without role_name maintain is folded into write, which is the safe way.
	if role, err := w.c.Permission(ctx, w.repo.ID(), "ada"); err != nil || role != github.RoleWrite {
		t.Errorf("role %s, %v", role, err)
	}
	id, err := w.c.CreateComment(ctx, w.repo.ID(), 1, "ours <!-- m -->")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := w.c.FindComment(ctx, w.repo.ID(), 1, "<!-- m -->"); err != nil || got != id {
		t.Errorf("our comment: %d, %v; want %d", got, err, id)
	}
	if a, err := w.c.Approved(ctx, w.repo.ID(), 1, p.HeadSHA); err != nil || len(a.By) != 1 || len(a.Stale) != 0 {
		t.Errorf("approval %+v, %v", a, err)
	}
	if _, err := w.c.CreateCheck(ctx, w.repo.ID(), github.Check{Name: "plan", HeadSHA: p.HeadSHA, Status: "queued"}); err != nil {
		t.Error(err)
	}
	if list, err := w.app.Deliveries(ctx, time.Time{}); err != nil || len(list) == 0 || list[0].GUID == "" {
		t.Errorf("deliveries %v, %v", list, err)
	}
	if _, err := w.c.Merge(ctx, w.repo.ID(), 1, p.HeadSHA, "squash"); err != nil {
		t.Error(err)
	}
	if p, err = w.c.Pull(ctx, w.repo.ID(), 1); err != nil || !p.Merged || p.MergeSHA != w.pull.State().MergeSHA {
		t.Errorf("after the merge %+v, %v", p, err)
	}
}

// without takes headers and fields out of answers, wherever they stand.
type without struct {
	base    http.RoundTripper
	headers *regexp.Regexp
	fields  []string
}

func (o without) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := o.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	for name := range resp.Header {
		if o.headers.MatchString(name) {
			resp.Header.Del(name)
		}
	}
	raw, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	var v any
	if len(o.fields) > 0 && !strings.HasSuffix(req.URL.Path, "/access_tokens") && json.Unmarshal(raw, &v) == nil {
		o.strip(v)
		raw, _ = json.Marshal(v)
	}
	resp.Header.Del("Content-Length")
	resp.ContentLength, resp.Body = int64(len(raw)), io.NopCloser(strings.NewReader(string(raw)))
	return resp, nil
}

func (o without) strip(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			if slices.Contains(o.fields, name) {
				delete(v, name)
				continue
			}
			o.strip(child)
		}
	case []any:
		for _, child := range v {
			o.strip(child)
		}
	}
}

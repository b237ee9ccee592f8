package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/config/configtest"
	"github.com/tidelock/tidelock/cmd/tidelock/doctor"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/redact"
)

// surfer is a browser, as far as forms and redirects go.
type surfer struct {
	t *testing.T
	c *http.Client
}

func newSurfer(t *testing.T) surfer {
	return surfer{t, &http.Client{Timeout: 20 * time.Second}}
}

func (s surfer) read(resp *http.Response, err error) (string, *http.Response) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(body), resp
}

func (s surfer) get(address string) (string, *http.Response) {
	s.t.Helper()
	return s.read(s.c.Get(address))
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
	formField  = regexp.MustCompile(`name="(manifest|state)" value="([^"]*)"`)
)

// goOn presses the page's button and then GitHub's, and returns where GitHub
// leads the browser; it goes there too.
func (s surfer) goOn(page string) (string, *http.Response) {
	s.t.Helper()
	action := formAction.FindStringSubmatch(page)
	if action == nil {
		s.t.Fatalf("no form in\n%s", page)
	}
	to := html.UnescapeString(action[1])
	body, resp := s.read(s.c.PostForm(to, fieldsOf(page)))
	if resp.StatusCode != http.StatusOK || !strings.Contains(body, "Create GitHub App for") {
		s.t.Fatalf("GitHub's page: %s\n%s", resp.Status, body)
	}
	form := fieldsOf(body)
	form.Set("create", "1")
	return s.read(s.c.PostForm(to, form))
}

func fieldsOf(page string) url.Values {
	form := url.Values{}
	for _, m := range formField.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	return form
}

var startAddress = regexp.MustCompile(`http://127\.0\.0\.1:\d+/start/[0-9a-f]+`)

// creating starts `tidelock app create` as users run it and returns the address
// that it prints, and what waits for its end.
func creating(t *testing.T, args ...string) (address string, end func() (string, error)) {
	t.Helper()
	binary, err := builtBinary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary, append([]string{"app", "create"}, args...)...)
	cmd.Env = []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}
	out, stdout := &lockedBuffer{}, &bytes.Buffer{}
	cmd.Stderr, cmd.Stdout = out, io.MultiWriter(out, stdout)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for deadline := time.Now().Add(patience); address == ""; address = startAddress.FindString(out.String()) {
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v\n%s", err, out.String())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("no address in\n%s", out.String())
		}
	}
	return address, func() (string, error) {
		err := <-ended
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, out.String())
		}
		return stdout.String(), err
	}
}

// From nothing to an App that signs in, with no permission clicked by hand.
func TestAppCreateFromEndToEnd(t *testing.T) {
	gh := githubtest.New(t, githubtest.Options{})
	dir := filepath.Join(t.TempDir(), "etc")
	address, end := creating(t, "--github-url", gh.URL, "--org", "acme", "--name", "Tidelock Acme", "--public-url", "https://tidelock.example.com/",
		"--dir", dir, "--data-dir", filepath.Join(dir, "data"), "--json")
	s := newSurfer(t)
	page, resp := s.get(address)
	if !strings.Contains(page, "merge_queues") || !strings.Contains(page, "https://tidelock.example.com/webhook") || resp.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("the page does not tell what it asks for:\n%s", page)
	}
	// Before GitHub's answer nothing but an empty folder is there.
	if _, err := os.Stat(filepath.Join(dir, "tidelock-server.hcl")); err == nil {
		t.Error("a configuration without an App")
	}
	last, _ := s.goOn(page)
	if !strings.Contains(last, "Tidelock Acme is registered") || !strings.Contains(last, gh.URL+"/apps/tidelock-acme/installations/new") {
		t.Errorf("the last page:\n%s", last)
	}
	stdout, err := end()
	if err != nil {
		t.Fatal(err)
	}
	var got created
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatalf("%v in\n%s", err, stdout)
	}
	if got.ID != gh.AppID() || got.Slug != "tidelock-acme" || len(got.Next) == 0 || got.InstallURL != gh.URL+"/apps/tidelock-acme/installations/new" {
		t.Errorf("got %+v", got)
	}
	if strings.Contains(stdout, "PRIVATE KEY") || strings.Contains(stdout, gh.WebhookSecret()) {
		t.Error("the answer shows a secret")
	}
	for path, mode := range map[string]os.FileMode{got.Files["private_key"]: 0o600, got.Files["webhook_secret"]: 0o600, got.Files["config"]: 0o644} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	// What was written is a configuration without a problem, and GitHub knows the
	// App by it, with all that doctor asks for.
	l := config.Read(got.Files["config"], nil, config.NeedAll)
	if len(l.Problems) > 0 {
		t.Fatalf("problems: %v", l.Problems)
	}
	if l.Config.PublicURL != "https://tidelock.example.com" || l.Config.GitHub.WebhookSecret.Reveal() != gh.WebhookSecret() || gh.WebhookURL() != "https://tidelock.example.com/webhook" {
		t.Errorf("webhooks go to %s; the configuration is %+v", gh.WebhookURL(), l.Config)
	}
	for _, d := range doctor.Examine(t.Context(), doctor.New(l, nil), []string{"configuration", "git-host", "github-app", "permissions", "events", "webhook-secret"}) {
		if d.Health != doctor.OK {
			t.Errorf("%s: %s: %s", d.Check, d.Health, d.Detail)
		}
	}
	app, err := github.NewApp(appOptions(l.Config, nil))
	if err != nil {
		t.Fatal(err)
	}
	repo := gh.CreateRepo("acme", "infra", githubtest.RepoOptions{})
	if _, err := app.Installation(repo.Installation()).Repo(t.Context(), repo.ID()); err != nil {
		t.Errorf("the App that was made can't read: %v", err)
	}
}

// Nobody but the browser that began is believed, and the page can't be had by
// other sites.
func TestThreat_AppCreateBelievesOnlyItsOwnState(t *testing.T) {
	gh := githubtest.New(t, githubtest.Options{})
	dir := t.TempDir()
	address, end := creating(t, "--github-url", gh.URL, "--public-url", "https://tidelock.example.com", "--dir", dir)
	s := newSurfer(t)
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + at.Host
	for name, path := range map[string]string{
		"no state": "/created?code=abc", "wrong state": "/created?code=abc&state=" + strings.Repeat("0", 64),
		"no key": "/start/", "wrong key": "/start/" + strings.Repeat("0", 32), "root": "/",
	} {
		if body, resp := s.get(base + path); resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusNotFound || strings.Contains(body, "manifest") {
			t.Errorf("%s: %s\n%s", name, resp.Status, body)
		}
	}
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example.com"
	if body, resp := s.read(s.c.Do(req)); resp.StatusCode != http.StatusForbidden || strings.Contains(body, "manifest") {
		t.Errorf("by another host name: %s", resp.Status)
	}
	if n := len(gh.Calls()); n != 0 {
		t.Errorf("GitHub was asked %d times", n)
	}
	// A code that is none leaves it waiting; the true one still works.
	page, _ := s.get(address)
	state := regexp.MustCompile(`state=([0-9a-f]+)`).FindStringSubmatch(page)[1]
	if _, resp := s.get(base + "/created?state=" + state + "&code=..%2Fapp"); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a broken code: %s", resp.Status)
	}
	if last, _ := s.goOn(page); !strings.Contains(last, "is registered") {
		t.Errorf("the last page:\n%s", last)
	}
	if out, err := end(); err != nil || !strings.Contains(out, "tidelock doctor --config") {
		t.Errorf("%s, %v", out, err)
	}
}

// GitHub is away for a moment just then: the code still holds, and reloading
// the page is enough.
func TestAppCreateOutlastsGitHubsFailure(t *testing.T) {
	gh := githubtest.New(t, githubtest.Options{})
	address, end := creating(t, "--github-url", gh.URL, "--public-url", "https://tidelock.example.com", "--dir", t.TempDir())
	s := newSurfer(t)
	page, _ := s.get(address)
	gh.Faults().Refuse(githubtest.Refusal{Status: 502, Times: 1, Match: func(_, path string) bool { return strings.HasPrefix(path, "/app-manifests/") }})
	body, resp := s.goOn(page)
	if resp.StatusCode != http.StatusBadGateway || !strings.Contains(body, "Reload this page") {
		t.Fatalf("%s\n%s", resp.Status, body)
	}
	if body, _ = s.get(resp.Request.URL.String()); !strings.Contains(body, "is registered") {
		t.Errorf("reloaded:\n%s", body)
	}
	if _, err := end(); err != nil {
		t.Error(err)
	}
}

// The browser is elsewhere: the page travels as a file, the code by hand.
func TestAppCreateWithABrowserElsewhere(t *testing.T) {
	gh := githubtest.New(t, githubtest.Options{})
	dir := t.TempDir()
	file := filepath.Join(dir, "app.html")
	args := []string{"app", "create", "--github-url", gh.URL, "--public-url", "https://tidelock.example.com", "--dir", dir}
	stdout, stderr, code := call(t, nil, append(args, "--page", file)...)
	if code != exitOK || !strings.Contains(stdout, "--code CODE") {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := newSurfer(t)
	s.c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	_, resp := s.goOn(string(page))
	to, err := resp.Location()
	if err != nil || to.Query().Get("code") == "" {
		t.Fatalf("GitHub led to %v, %v", to, err)
	}
	stdout, stderr, code = call(t, nil, append(args, "--code", to.Query().Get("code"))...)
	if code != exitOK || !strings.Contains(stdout, "Registered the GitHub App Tidelock") {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	key, err := os.ReadFile(filepath.Join(dir, "secrets", "github-app.pem"))
	if err != nil || strings.TrimSpace(string(key)) != strings.TrimSpace(gh.AppKey()) {
		t.Errorf("the key is not the App's (%v)", err)
	}
	// The code is spent, and what is there is not replaced in any case.
	calls := len(gh.Calls())
	_, stderr, code = call(t, nil, append(args, "--code", to.Query().Get("code"))...)
	if code != exitFault || !strings.Contains(stderr, "is there already, and is not replaced") || len(gh.Calls()) != calls {
		t.Errorf("exit %d, %d calls more: %s", code, len(gh.Calls())-calls, stderr)
	}
	again, err := os.ReadFile(filepath.Join(dir, "secrets", "github-app.pem"))
	if err != nil || !bytes.Equal(key, again) {
		t.Errorf("the key was replaced (%v)", err)
	}
	_, stderr, code = call(t, nil, "app", "create", "--github-url", gh.URL, "--public-url", "https://tidelock.example.com", "--dir", t.TempDir(), "--code", to.Query().Get("code"))
	if code != exitFault || !strings.Contains(stderr, "works once and within an hour") {
		t.Errorf("a spent code: exit %d: %s", code, stderr)
	}
}

func TestAppCreateRefusesBadInput(t *testing.T) {
	taken := t.TempDir()
	write(t, filepath.Join(taken, "tidelock-server.hcl"), "listen = \"127.0.0.1:1\"\n")
	notAFolder := filepath.Join(taken, "tidelock-server.hcl")
	for _, tc := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"no public URL", nil, exitUsage, `"public-url" not set`},
		{"no URL", []string{"--public-url", "tidelock.example.com"}, exitFault, "not an http(s) URL"},
		{"long name", []string{"--public-url", "https://t.example.com", "--name", strings.Repeat("n", 35)}, exitFault, "between 1 and 34"},
		{"GitHub's URL", []string{"--public-url", "https://t.example.com", "--github-url", "ghe"}, exitFault, "https://HOST"},
		{"taken", []string{"--public-url", "https://t.example.com", "--dir", taken}, exitFault, "is not replaced"},
		{"no folder", []string{"--public-url", "https://t.example.com", "--dir", notAFolder}, exitFault, "can't be"},
		{"page and code", []string{"--public-url", "https://t.example.com", "--page", "x", "--code", "y"}, exitUsage, "give one of them"},
		{"code with more", []string{"--public-url", "https://t.example.com", "--dir", t.TempDir(), "--code", "abc&state=x"}, exitFault, "no code of GitHub's"},
		{"no time", []string{"--public-url", "https://t.example.com", "--dir", t.TempDir(), "--timeout", "0s"}, exitFault, "--timeout"},
		{"no time left", []string{"--public-url", "https://t.example.com", "--dir", t.TempDir(), "--timeout", "1ms"}, exitFault, "Nobody came back"},
		{"argument", []string{"--public-url", "https://t.example.com", "now"}, exitUsage, "takes no argument"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, stderr, code := call(t, nil, append([]string{"app", "create"}, tc.args...)...)
			if code != tc.code || !strings.Contains(stderr, tc.says) {
				t.Errorf("exit %d, want %d with %q:\n%s", code, tc.code, tc.says, stderr)
			}
		})
	}
}

// What people call the App and the server must not break the file.
func TestAppCreateWritesAConfigurationThatParses(t *testing.T) {
	host, err := github.ParseHost("https://ghe.example.com")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	a := &appCreate{publicURL: "https://t.example.com", dataDir: `/srv/${x} "quoted" %{y}`}
	r := github.Registration{ID: 7, Name: "Tide\n}lock", PEM: redact.NewSecret(configtest.Key()), WebhookSecret: redact.NewSecret(configtest.WebhookSecret)}
	f, err := newAppFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.write(r, a.config(r, host)); err != nil {
		t.Fatal(err)
	}
	l := config.Read(f.config, nil, config.NeedAll)
	if len(l.Problems) > 0 || l.Config.DataDir != a.dataDir || l.Config.GitHub.APIURL != "https://ghe.example.com/api/v3" || l.Config.GitHub.AppID != 7 {
		t.Errorf("%v: %+v", l.Problems, l.Config)
	}
}

package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// Need is a permission or an event that the App must have, or had better have.
type Need struct {
	Name     string // GitHub's: "contents", "merge_group"
	Level    string // of a permission: "read" or "write"
	Why      string // "to …": what it is for, and what goes wrong without it
	Optional bool   // Tidelock works without it, less well
}

// Permissions are those that Tidelock asks for, the one list for the App's
// manifest and for doctor. merging is set where it shall merge pull requests,
// revert them or delete their branches: only that writes contents.
func Permissions(merging bool) []Need {
	contents := Need{Name: "contents", Level: "read", Why: "to read the code"}
	if merging {
		contents = Need{Name: "contents", Level: "write", Why: "to merge, to revert, to delete merged branches and to offer that drift is taken back"}
	}
	return []Need{
		{Name: "metadata", Level: "read", Why: "to see repositories and who may do what"},
		contents,
		{Name: "pull_requests", Level: "write", Why: "to read pull requests and comment on them"},
		{Name: "issues", Level: "write", Why: "to hear commands in comments, to react to them, and to keep the drift issue"},
		{Name: "checks", Level: "write", Why: "to set checks"},
		{Name: "statuses", Level: "read", Why: "to see whether other systems' statuses are green", Optional: true},
		{Name: "merge_queues", Level: "read", Why: "to plan what a merge queue is about to merge", Optional: true},
		{Name: "administration", Level: "read", Why: "to read what the branch's protection asks for", Optional: true},
		{Name: "members", Level: "read", Why: "to know who is in the teams that CODEOWNERS names", Optional: true},
	}
}

// Events are the webhooks that Tidelock asks for. GitHub sends those of the
// installation itself, and of the App's own checks, without being asked.
func Events() []Need {
	return []Need{
		{Name: "issue_comment", Why: "to hear commands"},
		{Name: "pull_request", Why: "to plan"},
		{Name: "push", Why: "to see that the base branch has moved"},
		{Name: "check_run", Why: "to see other systems' checks turn green", Optional: true},
		{Name: "check_suite", Why: "to plan again when all checks are run again", Optional: true},
		{Name: "merge_group", Why: "to plan what a merge queue is about to merge", Optional: true},
		{Name: "pull_request_review", Why: "to go on as soon as a change is approved", Optional: true},
		{Name: "repository", Why: "to follow repositories that are renamed or moved", Optional: true},
		{Name: "status", Why: "to see other systems' statuses turn green", Optional: true},
	}
}

// MaxAppName is the longest name of an App that GitHub takes, in characters.
const MaxAppName = 34

// ManifestOptions are what an App is registered with. Name and PublicURL are
// required.
type ManifestOptions struct {
	Name      string // at most MaxAppName characters; nobody else's at that GitHub
	PublicURL string // where people and GitHub reach the server; webhooks go to /webhook below it
	Redirect  string // where the browser is sent with the code that Convert takes
	Merging   bool   // see Permissions
	Public    bool   // whether accounts other than the owner may install it
}

// Manifest returns the JSON from which GitHub registers an App, in the form of
// its "Registering a GitHub App from a manifest". What GitHub would refuse is
// errs.Invalid.
func Manifest(o ManifestOptions) ([]byte, error) {
	if strings.TrimSpace(o.Name) == "" || utf8.RuneCountInString(o.Name) > MaxAppName {
		return nil, errs.New(errs.Invalid, "The App's name %q must have between 1 and %d characters.", o.Name, MaxAppName)
	}
	public, err := url.Parse(strings.TrimRight(o.PublicURL, "/"))
	if err != nil || public.Host == "" || (public.Scheme != "https" && public.Scheme != "http") || public.RawQuery != "" || public.Fragment != "" || public.User != nil {
		return nil, errs.New(errs.Invalid, "The public URL %q is not an http(s) URL such as https://tidelock.example.com.", o.PublicURL)
	}
	permissions := map[string]string{}
	for _, n := range Permissions(o.Merging) {
		permissions[n.Name] = n.Level
	}
	var events []string
	for _, n := range Events() {
		events = append(events, n.Name)
	}
	return json.MarshalIndent(map[string]any{
		"name":                o.Name,
		"url":                 public.String(),
		"description":         "Plans Terraform on pull requests and applies exactly what was reviewed.",
		"hook_attributes":     map[string]any{"url": public.String() + "/webhook", "active": true},
		"redirect_url":        o.Redirect,
		"public":              o.Public,
		"default_permissions": permissions,
		"default_events":      events,
	}, "", "  ")
}

// Registration is an App that GitHub has just made. Its key and secrets are
// told this once.
type Registration struct {
	ID                     int64
	Slug, Name             string
	HTMLURL                string        // the App's page
	PEM                    redact.Secret // its private key
	WebhookSecret          redact.Secret
	ClientID               string
	ClientSecret           redact.Secret
	Permissions            map[string]string
	Events                 []string
	Owner                  string
	InstallURL, SettingURL string // where it is installed, and where its owner changes it
}

// codeForm is what a manifest's code looks like; anything else must not reach
// a URL.
var codeForm = regexp.MustCompile(`^[0-9A-Za-z_-]{1,200}$`)

// Convert turns the code that GitHub gave the browser into the App: one
// request, without credentials, since the code is the credential. It works
// once and within an hour. address is as ParseHost takes it; transport nil is
// Go's own. A code that GitHub does not know is errs.NotFound.
func Convert(ctx context.Context, address, code string, transport http.RoundTripper) (Registration, error) {
	host, err := ParseHost(address)
	if err != nil {
		return Registration{}, err
	}
	if !codeForm.MatchString(code) {
		return Registration{}, errs.New(errs.Invalid, "This is no code of GitHub's. It is what stands behind “code=” in the address that the browser was sent to, up to the next “&”.")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, host.REST+"app-manifests/"+code+"/conversions", nil)
	if err != nil {
		return Registration{}, err
	}
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("User-Agent", "tidelock")
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) { // its text shows the URL, and so the code
			err = where.Err
		}
		return Registration{}, errs.Wrap(errs.Unavailable, fmt.Errorf("github: convert manifest: %w", err), "GitHub at %s did not answer.", host.Web)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return Registration{}, errs.Wrap(errs.Unavailable, fmt.Errorf("github: convert manifest: %w", err), "GitHub's answer broke off.")
	}
	switch {
	case resp.StatusCode == http.StatusNotFound, resp.StatusCode == http.StatusUnprocessableEntity:
		return Registration{}, errs.New(errs.NotFound, "GitHub does not know this code. It works once and within an hour; begin again for another.")
	case resp.StatusCode != http.StatusCreated:
		return Registration{}, errs.Wrap(errs.Unavailable, fmt.Errorf("github: convert manifest: status %d", resp.StatusCode), "GitHub did not make the App. Try again with the same code, or begin again.")
	}
	var out struct {
		ID          int64             `json:"id"`
		Slug        string            `json:"slug"`
		Name        string            `json:"name"`
		HTMLURL     string            `json:"html_url"`
		PEM         string            `json:"pem"`
		Secret      *string           `json:"webhook_secret"`
		ClientID    string            `json:"client_id"`
		ClientKey   string            `json:"client_secret"`
		Permissions map[string]string `json:"permissions"`
		Events      []string          `json:"events"`
		Owner       *struct {
			Login string `json:"login"`
			Type  string `json:"type"`
		} `json:"owner"`
	}
	if err := json.Unmarshal(body, &out); err != nil || out.ID == 0 || out.PEM == "" || out.Secret == nil || *out.Secret == "" {
		// The cause may quote the key: it is dropped on purpose.
		return Registration{}, errs.New(errs.Unavailable, "GitHub made the App, but its answer lacks the key or the webhook secret. Look at the App's settings on GitHub; both can be made anew there.")
	}
	r := Registration{
		ID: out.ID, Slug: out.Slug, Name: out.Name, HTMLURL: out.HTMLURL, PEM: redact.NewSecret(out.PEM), WebhookSecret: redact.NewSecret(*out.Secret),
		ClientID: out.ClientID, ClientSecret: redact.NewSecret(out.ClientKey), Permissions: out.Permissions, Events: out.Events,
	}
	r.InstallURL = strings.TrimRight(out.HTMLURL, "/") + "/installations/new"
	r.SettingURL = host.Web + "settings/apps/" + url.PathEscape(out.Slug)
	if out.Owner != nil {
		r.Owner = out.Owner.Login
		if out.Owner.Type == "Organization" {
			r.SettingURL = host.Web + "organizations/" + url.PathEscape(r.Owner) + "/settings/apps/" + url.PathEscape(out.Slug)
		}
	}
	return r, nil
}

// NewAppURL is the page that a manifest is posted to, by a browser whose user
// is signed in: for that organisation, or for the user where org is empty.
func (h Host) NewAppURL(org, state string) string {
	page := h.Web + "settings/apps/new"
	if org != "" {
		page = h.Web + "organizations/" + url.PathEscape(org) + "/settings/apps/new"
	}
	return page + "?state=" + url.QueryEscape(state)
}

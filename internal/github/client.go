package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// Client speaks for one installation of the App. It is made by
// App.Installation and safe for concurrent use. Every method costs one request
// unless its comment says otherwise, plus one for a token when the repository
// has none that is good for another five minutes.
type Client struct {
	*installed
	important bool // see Important
}

// installed is what all clients of one installation share.
type installed struct {
	app  *App
	id   int64
	conn *conn

	mu      sync.Mutex
	tokens  map[tokenKey]*tokenSlot
	refused map[tokenKey]time.Time // which tokens are not asked for, until when
}

// ID returns the installation's ID.
func (c *Client) ID() int64 { return c.id }

// purpose is what a token is for; each gets the least that does it.
type purpose int

const (
	forWork       purpose = iota // all work on one repository, git fetches included
	forMerge                     // merging a pull: the only thing that writes contents
	forListing                   // which repositories there are; belongs to no repository
	forStatuses                  // reading commit statuses
	forProtection                // reading a branch's classic protection
	forTeams                     // reading teams; belongs to no repository
	forSweep                     // looking for what webhooks did not tell; belongs to no repository
)

type tokenKey struct {
	repo    int64
	purpose purpose
}

// tokenSlot holds a token; its lock is a channel so that waiting for someone
// else's request ends with the waiter's context.
type tokenSlot struct {
	lock    chan struct{}
	token   redact.Secret
	expires time.Time
}

// early is how long before its expiry a token is replaced: longer than any
// single call or fetch takes.
const early = 5 * time.Minute

// Token returns an installation token that is good for at least five minutes
// (unless GitHub made it shorter-lived than that), narrowed to the one
// repository: contents and metadata to read, checks, pull requests and issues
// to write. It is the token of all API calls on the repository too, so a
// fetch costs no token of its own. It must never stand in a URL, on a command
// line or in a file.
func (c *Client) Token(ctx context.Context, repoID int64) (redact.Secret, error) {
	t, err := c.token(ctx, tokenKey{repoID, forWork})
	if err != nil {
		return redact.Secret{}, classify(fmt.Sprintf("token for repository %d", repoID), err)
	}
	return t, nil
}

// GitAuth returns what checkout needs to fetch from a repository: a function
// that gives a good token each time it is asked.
func (c *Client) GitAuth(repoID int64) func(context.Context) (redact.Secret, error) {
	return func(ctx context.Context) (redact.Secret, error) { return c.Token(ctx, repoID) }
}

// GitUser is the user name that goes with a token in HTTP basic
// authentication.
const GitUser = "x-access-token"

func (c *Client) slot(key tokenKey) *tokenSlot {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.tokens[key]
	if !ok {
		s = &tokenSlot{lock: make(chan struct{}, 1)}
		c.tokens[key] = s
	}
	return s
}

func (c *Client) token(ctx context.Context, key tokenKey) (redact.Secret, error) {
	s := c.slot(key)
	select {
	case s.lock <- struct{}{}:
		defer func() { <-s.lock }()
	case <-ctx.Done():
		return redact.Secret{}, ctx.Err()
	}
	if !s.token.Empty() && c.app.opts.Clock.Now().Before(s.expires.Add(-early)) {
		return s.token, nil
	}
	token, expires, err := c.mint(ctx, key)
	if err != nil {
		return redact.Secret{}, err
	}
	s.token, s.expires = token, expires
	return token, nil
}

// drop forgets a token that GitHub refused, unless someone has replaced it
// already.
func (c *Client) drop(ctx context.Context, key tokenKey, refused redact.Secret) {
	s := c.slot(key)
	select {
	case s.lock <- struct{}{}:
		defer func() { <-s.lock }()
	case <-ctx.Done():
		return
	}
	if s.token == refused {
		s.token = redact.Secret{}
	}
}

// permissions are what a token of each purpose asks for. Listing
// repositories needs metadata alone.
func (p purpose) permissions() *github.InstallationPermissions {
	read, write := github.String("read"), github.String("write")
	switch p {
	case forMerge:
		return &github.InstallationPermissions{Metadata: read, Contents: write, PullRequests: write}
	case forListing:
		return &github.InstallationPermissions{Metadata: read}
	case forStatuses:
		return &github.InstallationPermissions{Metadata: read, Statuses: read}
	case forProtection:
		return &github.InstallationPermissions{Metadata: read, Administration: read}
	case forTeams:
		return &github.InstallationPermissions{Members: read}
	case forSweep:
		return &github.InstallationPermissions{Metadata: read, PullRequests: read, Issues: read}
	default:
		return &github.InstallationPermissions{Metadata: read, Contents: read, Checks: write, PullRequests: write, Issues: write}
	}
}

func (c *Client) mint(ctx context.Context, key tokenKey) (redact.Secret, time.Time, error) {
	ask := github.InstallationTokenOptions{Permissions: key.purpose.permissions()}
	if key.repo != 0 {
		ask.RepositoryIDs = []int64{key.repo}
	}
	// Not github.InstallationToken: its String would print the token.
	var out struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expires_at"`
	}
	path := "app/installations/" + itoa(c.id) + "/access_tokens"
	_, err := c.app.conn.do(ctx, call{method: "POST", path: path, body: &ask, out: &out, important: c.important})
	if err != nil {
		status, message := answered(err)
		err = fmt.Errorf("mint token of installation %d: %w", c.id, err)
		switch status {
		case http.StatusNotFound:
			return redact.Secret{}, time.Time{}, errs.Wrap(errs.NotFound, errors.Join(err, errGone), "The GitHub App is no longer installed there.")
		case http.StatusUnprocessableEntity:
			return redact.Secret{}, time.Time{}, errs.Wrap(errs.Forbidden, err,
				"The GitHub App's installation does not cover this repository, or lacks a permission that Tidelock needs: %s Run “tidelock doctor” to see which.", sentence(message))
		}
		return redact.Secret{}, time.Time{}, err
	}
	if out.Token == "" {
		return redact.Secret{}, time.Time{}, errs.New(errs.Unavailable, "GitHub answered without a token.")
	}
	return redact.NewSecret(out.Token), out.Expires, nil
}

// do sends a call with a token of that purpose, and once more with a new one
// when GitHub refuses the token: it may have been revoked, or our clock is off.
func (c *Client) do(ctx context.Context, key tokenKey, k call) (*github.Response, error) {
	for attempt := 0; ; attempt++ {
		token, err := c.token(ctx, key)
		if err != nil {
			return nil, err
		}
		k.token, k.important, k.scope = token, c.important, scope{c.id, key}
		resp, err := c.conn.do(ctx, k)
		if status, _ := answered(err); err == nil || status != http.StatusUnauthorized || attempt > 0 {
			return resp, err
		}
		c.drop(ctx, key, token)
	}
}

// repo sends a call on a repository; path is what follows its ID.
func (c *Client) repo(ctx context.Context, repoID int64, method, path string, body, out any) (*github.Response, error) {
	return c.do(ctx, tokenKey{repoID, forWork}, call{method: method, path: "repositories/" + itoa(repoID) + path, body: body, out: out})
}

// repoJSON is a repository in REST and in webhooks.
type repoJSON struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Full  string `json:"full_name"`
	Owner struct {
		Login string `json:"login"`
		Name  string `json:"name"` // push webhooks
	} `json:"owner"`
	DefaultBranch string `json:"default_branch"`
	CloneURL      string `json:"clone_url"`
	HTMLURL       string `json:"html_url"`
	Private       bool   `json:"private"`
	Archived      bool   `json:"archived"`
}

func (r repoJSON) repo() Repo {
	owner := r.Owner.Login
	if owner == "" {
		owner = r.Owner.Name
	}
	if owner == "" && len(r.Full) > len(r.Name)+1 { // installation webhooks name repositories only so
		owner = r.Full[:len(r.Full)-len(r.Name)-1]
	}
	return Repo{ID: r.ID, Owner: owner, Name: r.Name, DefaultBranch: r.DefaultBranch, CloneURL: r.CloneURL,
		HTMLURL: r.HTMLURL, Private: r.Private, Archived: r.Archived}
}

// Repo returns the repository as it is called now.
func (c *Client) Repo(ctx context.Context, repoID int64) (Repo, error) {
	var out repoJSON
	if _, err := c.repo(ctx, repoID, "GET", "", nil, &out); err != nil {
		return Repo{}, classify(fmt.Sprintf("get repository %d", repoID), err)
	}
	return out.repo(), nil
}

// Repos lists the repositories that the installation covers: one request per
// 100.
func (c *Client) Repos(ctx context.Context) ([]Repo, error) {
	var all []Repo
	for page := 1; page != 0; {
		var out struct {
			Repositories []repoJSON `json:"repositories"`
		}
		resp, err := c.do(ctx, tokenKey{0, forListing}, call{method: "GET", path: "installation/repositories" + paging(page), out: &out})
		if err != nil {
			return nil, classify(fmt.Sprintf("list repositories of installation %d", c.id), err)
		}
		for _, r := range out.Repositories {
			all = append(all, r.repo())
		}
		page = resp.NextPage
	}
	return all, nil
}

// Permission returns the user's role in the repository. It reads role_name:
// the older field folds maintain into write and triage into read. A custom
// role counts as what it is built upon.
func (c *Client) Permission(ctx context.Context, repoID int64, user string) (Role, error) {
	var out struct {
		Permission string `json:"permission"`
		RoleName   string `json:"role_name"`
	}
	_, err := c.repo(ctx, repoID, "GET", "/collaborators/"+url.PathEscape(user)+"/permission", nil, &out)
	if err != nil {
		return RoleNone, classify(fmt.Sprintf("permission of %q in repository %d", user, repoID), err)
	}
	if r, ok := ParseRole(out.RoleName); ok {
		return r, nil
	}
	r, _ := ParseRole(out.Permission)
	return r, nil
}

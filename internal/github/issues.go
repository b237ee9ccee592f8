package github

import (
	"context"
	"crypto/sha1" // the name that git gives a file's content, and nothing that anybody trusts
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// Issue is an issue that is no pull request.
type Issue struct {
	Number  int
	Title   string
	Body    string
	Open    bool
	HTMLURL string
	Ours    bool // written by this App
}

type issueJSON struct {
	Number  int       `json:"number"`
	Title   string    `json:"title"`
	Body    string    `json:"body"`
	State   string    `json:"state"`
	HTMLURL string    `json:"html_url"`
	User    *userJSON `json:"user"`
	Pull    *struct{} `json:"pull_request"`
	App     *struct {
		ID int64 `json:"id"`
	} `json:"performed_via_github_app"`
}

func (c *Client) issue(j issueJSON) Issue {
	// Older GitHub Enterprise Servers do not name the App; there any bot's is
	// taken for ours.
	ours := j.App != nil && j.App.ID == c.app.opts.ID || j.App == nil && j.User != nil && j.User.Type == "Bot"
	return Issue{Number: j.Number, Title: j.Title, Body: j.Body, Open: j.State == "open", HTMLURL: j.HTMLURL, Ours: ours}
}

// Issue returns an issue as it is now; errs.NotFound where it was deleted.
func (c *Client) Issue(ctx context.Context, repoID int64, number int) (Issue, error) {
	var out issueJSON
	if _, err := c.repo(ctx, repoID, "GET", "/issues/"+itoa(number), nil, &out); err != nil {
		return Issue{}, classify(fmt.Sprintf("get issue %d of repository %d", number, repoID), err)
	}
	return c.issue(out), nil
}

// NewIssue opens an issue. It is not idempotent: after an error that leaves it
// open whether it was made, look with FindIssue first. errs.Conflict where the
// repository has no issues, errs.TooLarge above MaxComment.
func (c *Client) NewIssue(ctx context.Context, repoID int64, title, body string) (Issue, error) {
	if err := checkBody(body); err != nil {
		return Issue{}, err
	}
	var out issueJSON
	_, err := c.do(ctx, tokenKey{repoID, forWork}, call{method: "POST", path: "repositories/" + itoa(repoID) + "/issues",
		body: map[string]string{"title": title, "body": body}, out: &out, creates: true})
	if err != nil {
		return Issue{}, issueError(fmt.Sprintf("open an issue of repository %d", repoID), err)
	}
	return c.issue(out), nil
}

// issueError tells apart that a repository has no issues.
func issueError(op string, err error) error {
	if status, message := refusal(err); status == http.StatusGone && strings.Contains(strings.ToLower(message), "disabled") {
		return errs.Wrap(errs.Conflict, fmt.Errorf("github: %s: %w", op, err), "Issues are switched off in this repository.")
	}
	return classify(op, err)
}

// EditIssue writes an issue anew, and closes it or opens it again. Safe to
// repeat. errs.NotFound where it was deleted.
func (c *Client) EditIssue(ctx context.Context, repoID int64, number int, title, body string, open bool) error {
	if err := checkBody(body); err != nil {
		return err
	}
	ask := map[string]string{"title": title, "body": body, "state": "open"}
	if !open {
		ask["state"], ask["state_reason"] = "closed", "completed"
	}
	_, err := c.repo(ctx, repoID, "PATCH", "/issues/"+itoa(number), ask, nil)
	return issueError(fmt.Sprintf("edit issue %d of repository %d", number, repoID), err)
}

// maxIssuePages is how far back FindIssue looks, in pages of 100 of the App's
// own issues and pull requests.
const maxIssuePages = 5

// FindIssue returns the newest issue that this App, which writes as name with
// [bot] behind it, wrote and that contains marker, and whether there is one: a
// request per 100 of its issues and pull requests. A person who quotes the
// marker is not taken for us.
func (c *Client) FindIssue(ctx context.Context, repoID int64, name, marker string) (Issue, bool, error) {
	for page := 1; page != 0 && page <= maxIssuePages; {
		var out []issueJSON
		resp, err := c.repo(ctx, repoID, "GET", "/issues"+paging(page)+"&state=all&sort=created&direction=desc&creator="+url.QueryEscape(name+"[bot]"), nil, &out)
		if err != nil {
			return Issue{}, false, classify(fmt.Sprintf("list issues of repository %d", repoID), err)
		}
		for _, j := range out {
			if i := c.issue(j); j.Pull == nil && i.Ours && strings.Contains(i.Body, marker) {
				return i, true, nil
			}
		}
		page = resp.NextPage
	}
	return Issue{}, false, nil
}

// Offer is a pull request to be opened, of one file on a branch of its own.
type Offer struct {
	Base, BaseSHA string // the branch that it asks to be merged into, and the commit to begin at
	Branch        string
	Path          string // of the file
	Content       string
	Message       string // of the commit
	Title, Body   string
}

// OfferFile writes the file to the branch and opens a pull request for it, or
// brings the one that is open up to date: there is one for a branch at most,
// however often it is asked for. A branch of that name without an open pull
// request is begun anew. It uses the token that may write contents;
// errs.Forbidden where the App has none. Up to six requests.
func (c *Client) OfferFile(ctx context.Context, repoID int64, owner string, o Offer) (Pull, error) {
	op := fmt.Sprintf("offer %s of repository %d", o.Branch, repoID)
	open, err := c.openFrom(ctx, repoID, owner, o.Branch)
	if err != nil {
		return Pull{}, classify(op, err)
	}
	if open == nil {
		if err := c.beginBranch(ctx, repoID, o.Branch, o.BaseSHA); err != nil {
			return Pull{}, classify(op, err)
		}
	}
	if err := c.putFile(ctx, repoID, o); err != nil {
		return Pull{}, classify(op, err)
	}
	key := tokenKey{repoID, forMerge}
	var out pullJSON
	if open != nil {
		_, err = c.do(ctx, key, call{method: "PATCH", path: "repositories/" + itoa(repoID) + pullPath(open.Number, ""),
			body: map[string]string{"title": o.Title, "body": o.Body}, out: &out})
	} else {
		_, err = c.do(ctx, key, call{method: "POST", path: "repositories/" + itoa(repoID) + "/pulls",
			body: map[string]string{"title": o.Title, "body": o.Body, "head": o.Branch, "base": o.Base}, out: &out})
	}
	if err != nil {
		return Pull{}, classify(op, err)
	}
	return out.pull(), nil
}

// openFrom returns the open pull request of a branch of the repository itself.
func (c *Client) openFrom(ctx context.Context, repoID int64, owner, branch string) (*Pull, error) {
	var list []pullJSON
	if _, err := c.repo(ctx, repoID, "GET", "/pulls"+paging(1)+"&state=open&head="+url.QueryEscape(owner+":"+branch), nil, &list); err != nil {
		return nil, err
	}
	for i := range list {
		if p := list[i].pull(); p.HeadRepoID == repoID && p.HeadRef == branch { // GitHub leaves out a filter that it can't read
			return &p, nil
		}
	}
	return nil, nil
}

// beginBranch points a branch at a commit, whatever it pointed at.
func (c *Client) beginBranch(ctx context.Context, repoID int64, branch, sha string) error {
	for tries := 0; ; tries++ {
		_, err := c.do(ctx, tokenKey{repoID, forMerge}, call{method: "POST", path: "repositories/" + itoa(repoID) + "/git/refs",
			body: map[string]string{"ref": "refs/heads/" + branch, "sha": sha}})
		status, message := refusal(err)
		if status != http.StatusUnprocessableEntity || !strings.Contains(message, "already exists") || tries > 0 {
			return err
		}
		if err := c.DeleteBranch(ctx, repoID, branch); err != nil {
			return err
		}
	}
}

// putFile writes the file where it says something else.
func (c *Client) putFile(ctx context.Context, repoID int64, o Offer) error {
	ask := map[string]string{"message": o.Message, "content": base64.StdEncoding.EncodeToString([]byte(o.Content)), "branch": o.Branch}
	have, err := c.File(ctx, repoID, o.Branch, o.Path)
	switch {
	case err == nil && string(have) == o.Content:
		return nil
	case err == nil:
		ask["sha"] = blobName(have)
	case !errs.Is(err, errs.NotFound) || Gone(err):
		return err
	}
	_, err = c.do(ctx, tokenKey{repoID, forMerge}, call{method: "PUT", path: "repositories/" + itoa(repoID) + "/contents/" + escapePath(o.Path), body: ask})
	return err
}

func escapePath(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// blobName is git's name for a file's content.
func blobName(content []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

// ClosePull closes a pull request without merging it, and deletes its branch
// where that is named. One that is closed already is no error. It uses the
// token that may write contents.
func (c *Client) ClosePull(ctx context.Context, repoID int64, number int, branch string) error {
	_, err := c.do(ctx, tokenKey{repoID, forMerge}, call{method: "PATCH", path: "repositories/" + itoa(repoID) + pullPath(number, ""),
		body: map[string]string{"state": "closed"}})
	if err != nil {
		return classify(fmt.Sprintf("close pull %d of repository %d", number, repoID), err)
	}
	if branch == "" {
		return nil
	}
	if err := c.DeleteBranch(ctx, repoID, branch); err != nil && !errs.Is(err, errs.Conflict) {
		return errors.Join(fmt.Errorf("pull %d is closed", number), err)
	}
	return nil
}

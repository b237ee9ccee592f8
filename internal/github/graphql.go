package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// graphError is one of the errors in a GraphQL answer. They arrive with status
// 200; GitHub gives its own a type, and a request that does not fit the schema
// has a code under extensions instead.
type graphError struct {
	Type       string   `json:"type"`
	Message    string   `json:"message"`
	Path       []string `json:"path"`
	Extensions struct {
		Code string `json:"code"`
	} `json:"extensions"`
}

// graphErrors are all errors of an answer.
type graphErrors []graphError

// Error tells all of them, with their types.
func (e graphErrors) Error() string {
	parts := make([]string, len(e))
	for i, one := range e {
		kind := one.Type
		if kind == "" {
			kind = one.Extensions.Code
		}
		parts[i] = strings.TrimSpace(kind + " " + one.Message)
	}
	return "GraphQL: " + strings.Join(parts, "; ")
}

// graphql sends a mutation with a token of that kind and decodes the answer's
// data into out; creates is set for one that makes something new. Any error in the answer is an error here, whatever
// data there is beside it: it is classified, as classify does for REST.
func (c *Client) graphql(ctx context.Context, key tokenKey, creates bool, query string, variables map[string]any, out any) error {
	var answer struct {
		Data   json.RawMessage `json:"data"`
		Errors graphErrors     `json:"errors"`
	}
	k := call{method: http.MethodPost, path: c.app.graphql.String(), graph: true, creates: creates, out: &answer,
		body: map[string]any{"query": query, "variables": variables}}
	resp, err := c.do(ctx, key, k)
	if err != nil {
		return err
	}
	if len(answer.Errors) > 0 {
		if limit := c.conn.graphLimit(resp.Header, answer.Errors); limit != nil {
			return limit
		}
		return answer.Errors.classify()
	}
	if len(answer.Data) == 0 || string(answer.Data) == "null" {
		return errs.Wrap(errs.Unavailable, errors.New("neither data nor errors in the answer"), "GitHub did not answer properly. It is tried again.")
	}
	if err := json.Unmarshal(answer.Data, out); err != nil {
		return errs.Wrap(errs.Unavailable, err, "GitHub's answer could not be read. It is tried again.")
	}
	return nil
}

// graphLimit returns the limit that errors speak of, nil for none, and closes
// the way for as long as it lasts.
func (c *conn) graphLimit(h http.Header, list graphErrors) *LimitError {
	now := c.app.opts.Clock.Now()
	after, told := retryAfter(h, now)
	for _, e := range list {
		text := strings.ToLower(e.Message)
		switch {
		case e.Type == "RATE_LIMITED":
			c.mu.Lock()
			if b := c.budgets["graphql"]; b != nil && b.reset.After(now) && !told {
				b.remaining = 0
				wait := b.reset.Sub(now)
				c.mu.Unlock()
				return &LimitError{Primary: true, After: wait}
			}
			c.mu.Unlock()
			return c.strike(after, told)
		case strings.Contains(text, "secondary rate limit"), strings.Contains(text, "abuse detection"):
			return c.strike(after, told)
		}
	}
	return nil
}

// classify gives the errors the kind of the first that says what is wrong.
func (e graphErrors) classify() error {
	for _, one := range e {
		switch one.Type {
		case "NOT_FOUND":
			return errs.Wrap(errs.NotFound, e, "GitHub does not know this, or the App may not see it.")
		case "FORBIDDEN", "INSUFFICIENT_SCOPES":
			return errs.Wrap(errs.Forbidden, e, "GitHub does not let Tidelock do this. Check the App's permissions (tidelock doctor lists them).")
		case "UNPROCESSABLE", "STALE_DATA":
			return errs.Wrap(errs.Conflict, e, "GitHub refused: %s", sentence(one.Message))
		}
		switch one.Extensions.Code {
		case "": // "Something went wrong while executing your query"
		case "undefinedField", "undefinedType", "argumentNotAccepted", "missingRequiredInputObjectAttribute":
			return errs.Wrap(errs.Invalid, e, "This GitHub is too old for what Tidelock asked of it: %s", sentence(one.Message))
		default:
			return errs.Wrap(errs.Invalid, e, "GitHub refused the request as invalid: %s", sentence(one.Message))
		}
	}
	return errs.Wrap(errs.Unavailable, e, "GitHub did not answer properly. It is tried again.")
}

// Reasons for Minimize.
const (
	Outdated = "OUTDATED"
	Resolved = "RESOLVED"
)

// Minimize folds a comment away, so that only its heading and the reason show:
// Outdated or Resolved. nodeID is the comment's Comment.NodeID. Safe to repeat.
func (c *Client) Minimize(ctx context.Context, repoID int64, nodeID, reason string) error {
	var out struct {
		Minimize struct {
			Comment *struct {
				Minimized bool `json:"isMinimized"`
			} `json:"minimizedComment"`
		} `json:"minimizeComment"`
	}
	err := c.graphql(ctx, tokenKey{repoID, forWork}, false,
		`mutation($id: ID!, $reason: ReportedContentClassifiers!) {
			minimizeComment(input: {subjectId: $id, classifier: $reason}) { minimizedComment { isMinimized } }
		}`, map[string]any{"id": nodeID, "reason": reason}, &out)
	if err == nil && (out.Minimize.Comment == nil || !out.Minimize.Comment.Minimized) {
		err = errs.New(errs.Unavailable, "GitHub did not say that the comment is folded away.")
	}
	return classify(fmt.Sprintf("minimize comment %s of repository %d", nodeID, repoID), err)
}

// Revert is the pull request that takes back another.
type Revert struct {
	Number int
	URL    string
	// Found is set where it was open already, by the App's hand.
	Found bool
}

// RevertPull opens the pull request that takes back a merged one, as GitHub's
// button does: on a branch revert-NUMBER-HEAD, whose commit undoes the merge.
// Empty title and body are left to GitHub. It is safe to repeat: one that is
// open already is returned. errs.Conflict, with GitHub's reason, where it can't
// be done: not merged, or changed again since. Three requests.
func (c *Client) RevertPull(ctx context.Context, repoID int64, number int, title, body string, draft bool) (Revert, error) {
	op := fmt.Sprintf("revert pull %d of repository %d", number, repoID)
	p, err := c.Pull(ctx, repoID, number)
	if err != nil {
		return Revert{}, err
	}
	if !p.Merged {
		return Revert{}, errs.New(errs.Conflict, "Pull request #%d is not merged, so there is nothing to revert.", number)
	}
	have, err := c.openRevert(ctx, repoID, p)
	if err != nil || have.Found {
		return have, classify(op, err)
	}
	input := map[string]any{"pullRequestId": p.NodeID, "draft": draft}
	if title != "" {
		input["title"] = title
	}
	if body != "" {
		input["body"] = body
	}
	var out struct {
		Revert struct {
			Pull *struct {
				Number int    `json:"number"`
				URL    string `json:"url"`
			} `json:"revertPullRequest"`
		} `json:"revertPullRequest"`
	}
	err = c.graphql(ctx, tokenKey{repoID, forMerge}, true,
		`mutation($input: RevertPullRequestInput!) {
			revertPullRequest(input: $input) { revertPullRequest { number url } }
		}`, map[string]any{"input": input}, &out)
	if err != nil {
		return Revert{}, classify(op, err)
	}
	if out.Revert.Pull == nil {
		return Revert{}, errs.New(errs.Unavailable, "GitHub did not say which pull request reverts #%d.", number)
	}
	return Revert{Number: out.Revert.Pull.Number, URL: out.Revert.Pull.URL}, nil
}

// openRevert looks for a pull request that a bot has opened from the branch
// that GitHub names for reverting p.
func (c *Client) openRevert(ctx context.Context, repoID int64, p Pull) (Revert, error) {
	if p.BaseOwner == "" {
		return Revert{}, nil
	}
	var list []pullJSON
	head := p.BaseOwner + ":" + fmt.Sprintf("revert-%d-%s", p.Number, p.HeadRef)
	if _, err := c.repo(ctx, repoID, "GET", "/pulls"+paging(1)+"&state=open&head="+url.QueryEscape(head), nil, &list); err != nil {
		return Revert{}, err
	}
	for i := range list {
		if list[i].User != nil && list[i].User.Type == "Bot" {
			return Revert{Number: list[i].Number, URL: list[i].HTMLURL, Found: true}, nil
		}
	}
	return Revert{}, nil
}

// Enqueue puts a pull request into its base branch's merge queue, if its head
// is still headSHA. Safe to repeat: one that is in the queue stays there.
// errs.Conflict, with GitHub's reason, where it can't be queued. Two requests.
func (c *Client) Enqueue(ctx context.Context, repoID int64, number int, headSHA string) error {
	if headSHA == "" {
		return errs.New(errs.Invalid, "Merging needs the commit that was reviewed.")
	}
	p, err := c.Pull(ctx, repoID, number)
	if err != nil {
		return err
	}
	if p.HeadSHA != headSHA {
		return errs.New(errs.Conflict, "Pull request #%d was not put into the merge queue, because its head moved.", number)
	}
	var out struct {
		Enqueue struct {
			Entry *struct {
				ID string `json:"id"`
			} `json:"mergeQueueEntry"`
		} `json:"enqueuePullRequest"`
	}
	err = c.graphql(ctx, tokenKey{repoID, forMerge}, false,
		`mutation($id: ID!, $head: GitObjectID!) {
			enqueuePullRequest(input: {pullRequestId: $id, expectedHeadOid: $head}) { mergeQueueEntry { id } }
		}`, map[string]any{"id": p.NodeID, "head": headSHA}, &out)
	var refused graphErrors
	if errors.As(err, &refused) && strings.Contains(strings.ToLower(refused.Error()), "already in the queue") {
		return nil
	}
	return classify(fmt.Sprintf("enqueue pull %d of repository %d", number, repoID), err)
}

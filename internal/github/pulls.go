package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

// userJSON is an account in REST and in webhooks; a deleted one is null.
type userJSON struct {
	Login string `json:"login"`
	ID    int64  `json:"id"`
	Type  string `json:"type"`
}

// refJSON is one side of a pull request.
type refJSON struct {
	SHA  string    `json:"sha"`
	Ref  string    `json:"ref"`
	Repo *repoJSON `json:"repo"` // null once a fork is deleted
}

// pullJSON is a pull request in REST and in webhooks.
type pullJSON struct {
	Number         int       `json:"number"`
	NodeID         string    `json:"node_id"`
	Title          string    `json:"title"`
	State          string    `json:"state"`
	Draft          bool      `json:"draft"`
	Merged         bool      `json:"merged"`
	MergedAt       *string   `json:"merged_at"` // lists have no "merged"
	MergeCommitSHA *string   `json:"merge_commit_sha"`
	Mergeable      *bool     `json:"mergeable"`
	MergeableState string    `json:"mergeable_state"`
	HTMLURL        string    `json:"html_url"`
	UpdatedAt      time.Time `json:"updated_at"`
	User           *userJSON `json:"user"`
	Head           refJSON   `json:"head"`
	Base           refJSON   `json:"base"`
	Labels         []struct {
		Name string `json:"name"`
	} `json:"labels"`
}

func (p *pullJSON) pull() Pull {
	out := Pull{
		Number: p.Number, NodeID: p.NodeID, Title: p.Title, State: p.State, Draft: p.Draft,
		Merged:  p.Merged || p.MergedAt != nil,
		HeadSHA: p.Head.SHA, HeadRef: p.Head.Ref, BaseSHA: p.Base.SHA, BaseRef: p.Base.Ref,
		Mergeable: p.Mergeable, MergeableState: p.MergeableState, HTMLURL: p.HTMLURL, UpdatedAt: p.UpdatedAt,
		Labels: []string{},
	}
	if p.User != nil {
		out.Author, out.AuthorID = p.User.Login, p.User.ID
	}
	if p.Head.Repo != nil {
		out.HeadRepoID = p.Head.Repo.ID
	}
	if p.Base.Repo != nil {
		out.BaseRepoID, out.BaseOwner = p.Base.Repo.ID, p.Base.Repo.repo().Owner
	}
	// Before the merge this field is a test commit.
	if out.Merged && p.MergeCommitSHA != nil {
		out.MergeSHA = *p.MergeCommitSHA
	}
	for _, l := range p.Labels {
		out.Labels = append(out.Labels, l.Name)
	}
	return out
}

func pullPath(number int, rest string) string { return "/pulls/" + itoa(number) + rest }

// Pull returns the pull request as it is now.
func (c *Client) Pull(ctx context.Context, repoID int64, number int) (Pull, error) {
	var out pullJSON
	if _, err := c.repo(ctx, repoID, "GET", pullPath(number, ""), nil, &out); err != nil {
		return Pull{}, classify(fmt.Sprintf("get pull %d of repository %d", number, repoID), err)
	}
	return out.pull(), nil
}

// mergeablePolls and mergeableWait bound how long PullMergeable asks: GitHub
// computes in the background, within a second or two as a rule.
const (
	mergeablePolls = 6
	mergeableWait  = 500 * time.Millisecond
)

// PullMergeable returns the pull request once GitHub has computed whether it
// can be merged: up to six requests, over some eight seconds. Where GitHub
// takes longer the error is errs.Unavailable.
func (c *Client) PullMergeable(ctx context.Context, repoID int64, number int) (Pull, error) {
	wait := mergeableWait
	for i := 0; ; i++ {
		p, err := c.Pull(ctx, repoID, number)
		if err != nil || p.Mergeable != nil || p.State != "open" {
			return p, err
		}
		if i == mergeablePolls-1 {
			return p, errs.New(errs.Unavailable, "GitHub has not computed yet whether pull request #%d can be merged.", number)
		}
		if err := c.app.opts.Clock.Sleep(ctx, wait); err != nil {
			return p, classify(fmt.Sprintf("wait for pull %d", number), err)
		}
		wait = min(wait*2, 3*time.Second)
	}
}

// OpenPulls lists the open pull requests, oldest first: one request per 100.
// It mends what lost webhooks left behind. GitHub's lists say nothing of
// Mergeable.
func (c *Client) OpenPulls(ctx context.Context, repoID int64) ([]Pull, error) {
	var all []Pull
	for page := 1; page != 0; {
		var out []pullJSON
		resp, err := c.repo(ctx, repoID, "GET", "/pulls"+paging(page)+"&state=open&sort=created&direction=asc", nil, &out)
		if err != nil {
			return nil, classify(fmt.Sprintf("list pulls of repository %d", repoID), err)
		}
		for i := range out {
			all = append(all, out[i].pull())
		}
		page = resp.NextPage
	}
	return all, nil
}

// Reviews lists the reviews of a pull request, oldest first: one request per
// 100.
func (c *Client) Reviews(ctx context.Context, repoID int64, number int) ([]Review, error) {
	var all []Review
	for page := 1; page != 0; {
		var out []struct {
			ID          int64      `json:"id"`
			User        *userJSON  `json:"user"`
			State       string     `json:"state"`
			CommitID    *string    `json:"commit_id"`
			SubmittedAt *time.Time `json:"submitted_at"`
		}
		resp, err := c.repo(ctx, repoID, "GET", pullPath(number, "/reviews")+paging(page), nil, &out)
		if err != nil {
			return nil, classify(fmt.Sprintf("list reviews of pull %d of repository %d", number, repoID), err)
		}
		for _, r := range out {
			review := Review{ID: r.ID, State: ReviewState(strings.ToLower(r.State))}
			if r.User != nil {
				review.User, review.UserID, review.UserType = r.User.Login, r.User.ID, r.User.Type
			}
			if r.CommitID != nil {
				review.CommitSHA = *r.CommitID
			}
			if r.SubmittedAt != nil {
				review.At = *r.SubmittedAt
			}
			all = append(all, review)
		}
		page = resp.NextPage
	}
	return all, nil
}

// Decisive returns each user's latest review that decides something, ordered
// by user: a comment after an approval takes nothing back, a dismissal and a
// request for changes do.
func Decisive(reviews []Review) []Review {
	latest := map[int64]Review{}
	for _, r := range reviews {
		switch r.State {
		case ReviewApproved, ReviewChangesRequested, ReviewDismissed:
		default:
			continue
		}
		if have, ok := latest[r.UserID]; !ok || r.At.After(have.At) || (r.At.Equal(have.At) && r.ID > have.ID) {
			latest[r.UserID] = r
		}
	}
	out := make([]Review, 0, len(latest))
	for _, r := range latest {
		out = append(out, r)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].UserID < out[j].UserID })
	return out
}

// Approved returns what the pull request's reviews amount to, with those who
// approved another commit than headSHA marked. Whether the reviewers' roles
// suffice is the caller's to ask (Permission): anyone who can read may review.
// One request per 100 reviews.
func (c *Client) Approved(ctx context.Context, repoID int64, number int, headSHA string) (Approval, error) {
	reviews, err := c.Reviews(ctx, repoID, number)
	if err != nil {
		return Approval{}, err
	}
	var a Approval
	for _, r := range Decisive(reviews) {
		switch r.State {
		case ReviewApproved:
			a.By = append(a.By, r)
			if r.CommitSHA != headSHA {
				a.Stale = append(a.Stale, r)
			}
		case ReviewChangesRequested:
			a.Against = append(a.Against, r)
		}
	}
	return a, nil
}

// Merge merges the pull request if its head is still sha, by method "merge",
// "squash" or "rebase", and returns the commit that this made. What GitHub
// refuses is errs.Conflict with a sentence that tells why; nothing was merged
// then. Where the base branch has a merge queue NeedsQueue tells so. A network
// error leaves it open whether the merge happened: ask Pull. It uses a token of
// its own, which may write contents.
func (c *Client) Merge(ctx context.Context, repoID int64, number int, sha, method string) (string, error) {
	if sha == "" { // GitHub would merge whatever the head is by then
		return "", errs.New(errs.Invalid, "Merging needs the commit that was reviewed.")
	}
	var out struct {
		SHA    string `json:"sha"`
		Merged bool   `json:"merged"`
	}
	_, err := c.do(ctx, tokenKey{repoID, forMerge}, call{
		method: "PUT", path: "repositories/" + itoa(repoID) + pullPath(number, "/merge"),
		body: map[string]string{"sha": sha, "merge_method": method}, out: &out,
	})
	op := fmt.Sprintf("merge pull %d of repository %d", number, repoID)
	status, message := refusal(err)
	if (status == http.StatusMethodNotAllowed || status == http.StatusUnprocessableEntity) && speaksOfQueue(message) {
		return "", errs.Wrap(errs.Conflict, fmt.Errorf("github: %s: %w", op, errors.Join(err, errQueue)),
			"Pull request #%d cannot be merged directly: its base branch has a merge queue, and it must be put in there.", number)
	}
	switch status {
	case http.StatusMethodNotAllowed:
		return "", errs.Wrap(errs.Conflict, fmt.Errorf("github: %s: %w", op, err), "GitHub does not let pull request #%d be merged: %s", number, sentence(message))
	case http.StatusConflict:
		return "", errs.Wrap(errs.Conflict, fmt.Errorf("github: %s: %w", op, err), "Pull request #%d was not merged, because its head moved: %s", number, sentence(message))
	case http.StatusUnprocessableEntity:
		return "", errs.Wrap(errs.Conflict, fmt.Errorf("github: %s: %w", op, err), "GitHub refused to merge pull request #%d this way: %s", number, sentence(message))
	}
	if err != nil {
		return "", classify(op, err)
	}
	if !out.Merged || out.SHA == "" {
		return "", errs.Wrap(errs.Unavailable, errors.New(op+": no commit in the answer"), "GitHub did not say which commit the merge made.")
	}
	return out.SHA, nil
}

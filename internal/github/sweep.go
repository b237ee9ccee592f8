package github

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// RecentPulls lists the 100 pull requests, open and closed, that changed last,
// newest first: what a sweep compares with what webhooks have told. One
// request. As in all lists Mergeable is nil.
func (c *Client) RecentPulls(ctx context.Context, repoID int64) ([]Pull, error) {
	var out []pullJSON
	if _, err := c.repo(ctx, repoID, "GET", "/pulls"+paging(1)+"&state=all&sort=updated&direction=desc", nil, &out); err != nil {
		return nil, classify(fmt.Sprintf("list recent pulls of repository %d", repoID), err)
	}
	all := make([]Pull, len(out))
	for i := range out {
		all[i] = out[i].pull()
	}
	return all, nil
}

// PullComment is a comment and the pull request in whose conversation it
// stands.
type PullComment struct {
	Comment
	Pull int
}

// CommentsSince lists the comments in pull requests' conversations that were
// written or edited since then, the longest unchanged first: one request per
// 100. Comments on plain issues are left out. GitHub's clock has seconds, so
// one that was read already may come again: go by its ID.
func (c *Client) CommentsSince(ctx context.Context, repoID int64, since time.Time) ([]PullComment, error) {
	var all []PullComment
	rest := "&sort=updated&direction=asc&since=" + url.QueryEscape(since.UTC().Truncate(time.Second).Format(time.RFC3339))
	for page := 1; page != 0 && page <= maxListPages; {
		var out []commentJSON
		resp, err := c.repo(ctx, repoID, "GET", "/issues/comments"+paging(page)+rest, nil, &out)
		if err != nil {
			return nil, classify(fmt.Sprintf("list comments of repository %d", repoID), err)
		}
		for i := range out {
			if n := pullOfComment(out[i].HTMLURL); n != 0 {
				all = append(all, PullComment{Comment: out[i].comment(), Pull: n})
			}
		}
		page = resp.NextPage
	}
	return all, nil
}

// pullOfComment reads the pull's number from a comment's page, 0 for a comment
// on a plain issue: …/pull/7#issuecomment-9 against …/issues/7#issuecomment-9.
func pullOfComment(html string) int {
	page, _, _ := strings.Cut(html, "#")
	dir, number := path.Split(page)
	if path.Base(dir) != "pull" {
		return 0
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 {
		return 0
	}
	return n
}

// MaxPullFiles is how many files of a pull request GitHub lists at most.
const MaxPullFiles = 3000

// PullFiles lists the files that a pull request changes, those that it renames
// under both names: one request per 100. whole is false where GitHub's list
// ends before the pull does; ask git then.
func (c *Client) PullFiles(ctx context.Context, repoID int64, number int) (files []string, whole bool, err error) {
	count := 0
	for page := 1; page != 0; {
		var out []struct {
			Name     string `json:"filename"`
			Previous string `json:"previous_filename"`
		}
		resp, err := c.repo(ctx, repoID, "GET", pullPath(number, "/files")+paging(page), nil, &out)
		if err != nil {
			return nil, false, classify(fmt.Sprintf("list files of pull %d of repository %d", number, repoID), err)
		}
		for _, f := range out {
			files = append(files, f.Name)
			if f.Previous != "" && f.Previous != f.Name {
				files = append(files, f.Previous)
			}
		}
		count += len(out)
		page = resp.NextPage
	}
	return files, count < MaxPullFiles, nil
}

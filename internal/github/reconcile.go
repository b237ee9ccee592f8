package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

// Tag names an answer of GitHub's that was read before. Asking with it costs
// nothing of the hourly budget while the answer is still the same. The zero Tag
// names none.
type Tag string

// read sends a conditional request for all repositories of the installation
// and reports whether the answer is new. The token is narrowed to reading
// pulls and their comments.
func (c *Client) read(ctx context.Context, path string, tag Tag, out any) (next int, now Tag, fresh bool, err error) {
	resp, err := c.do(ctx, tokenKey{0, forSweep}, call{method: http.MethodGet, path: path, out: out, tag: tag})
	if status, _ := answered(err); status == http.StatusNotModified {
		return 0, tag, false, nil
	}
	if err != nil {
		return 0, "", false, err
	}
	now = Tag(resp.Header.Get("ETag"))
	return resp.NextPage, now, tag == "" || now != tag, nil
}

// maxChangedPages bounds what is read of one list: a repository that changed
// more than that has its rest read when it changes again.
const maxChangedPages = 20

// ChangedPulls lists the pull requests, open and closed, about which anything
// changed at since or later, the latest first: one request, and one more for
// each further 100. tag is what the last call returned; where it comes back
// unchanged so is the list, and pulls is nil. Mergeable is nil, as in all lists.
func (c *Client) ChangedPulls(ctx context.Context, repoID int64, since time.Time, tag Tag) (pulls []Pull, now Tag, err error) {
	base := "repositories/" + itoa(repoID) + "/pulls"
	for page, ask := 1, tag; page != 0 && page <= maxChangedPages; ask = "" {
		var out []pullJSON
		next, got, fresh, err := c.read(ctx, base+paging(page)+"&state=all&sort=updated&direction=desc", ask, &out)
		if err != nil {
			return nil, "", classify(fmt.Sprintf("list changed pulls of repository %d", repoID), err)
		}
		if !fresh {
			return nil, tag, nil
		}
		if page == 1 {
			now = got
		}
		for i := range out {
			if out[i].UpdatedAt.Before(since.Truncate(time.Second)) {
				return pulls, now, nil
			}
			pulls = append(pulls, out[i].pull())
		}
		page = next
	}
	return pulls, now, nil
}

// ChangedComments lists the comments in pull requests' conversations that were
// written or edited at since or later, the longest unchanged first: one request,
// and one more for each further 100. tag is as for ChangedPulls, and holds for
// the same since. Comments on plain issues are left out.
func (c *Client) ChangedComments(ctx context.Context, repoID int64, since time.Time, tag Tag) (comments []PullComment, now Tag, err error) {
	base := "repositories/" + itoa(repoID) + "/issues/comments"
	rest := "&sort=updated&direction=asc&since=" + url.QueryEscape(since.UTC().Truncate(time.Second).Format(time.RFC3339))
	for page, ask := 1, tag; page != 0 && page <= maxChangedPages; ask = "" {
		var out []commentJSON
		next, got, fresh, err := c.read(ctx, base+paging(page)+rest, ask, &out)
		if err != nil {
			return nil, "", classify(fmt.Sprintf("list changed comments of repository %d", repoID), err)
		}
		if !fresh {
			return nil, tag, nil
		}
		if page == 1 {
			now = got
		}
		for i := range out {
			if n := pullOfComment(out[i].HTMLURL); n != 0 {
				comments = append(comments, PullComment{Comment: out[i].comment(), Pull: n})
			}
		}
		if page = next; page != 0 {
			now = "" // the first page says nothing of what comes behind it
		}
	}
	return comments, now, nil
}

// FindInstallation returns one installation as it is now; errs.NotFound where
// the App is no longer installed.
func (a *App) FindInstallation(ctx context.Context, id int64) (Installation, error) {
	var out struct {
		ID      int64 `json:"id"`
		Account struct {
			Login string `json:"login"`
			ID    int64  `json:"id"`
		} `json:"account"`
		SuspendedAt *time.Time `json:"suspended_at"`
	}
	if _, err := a.conn.do(ctx, call{method: http.MethodGet, path: "app/installations/" + itoa(id), out: &out}); err != nil {
		return Installation{}, classify(fmt.Sprintf("get installation %d", id), err)
	}
	if out.ID != id {
		return Installation{}, errs.New(errs.Unavailable, "GitHub answered with another installation than the one asked for.")
	}
	return Installation{ID: out.ID, Account: out.Account.Login, AccountID: out.Account.ID, Suspended: out.SuspendedAt != nil}, nil
}

package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// DeleteBranch deletes a branch, by its name without refs/heads/. One that is
// gone already is no error. errs.Conflict where GitHub keeps it, because it is
// protected or the default branch. It uses the token that may write contents.
func (c *Client) DeleteBranch(ctx context.Context, repoID int64, branch string) error {
	branch = strings.TrimPrefix(branch, "refs/heads/")
	if branch == "" {
		return errs.New(errs.Invalid, "Deleting a branch needs its name.")
	}
	parts := strings.Split(branch, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	_, err := c.do(ctx, tokenKey{repoID, forMerge}, call{
		method: http.MethodDelete, path: "repositories/" + itoa(repoID) + "/git/refs/heads/" + strings.Join(parts, "/"),
	})
	status, message := refusal(err)
	op := fmt.Sprintf("delete branch %s of repository %d", branch, repoID)
	switch {
	case status == http.StatusNotFound, status == http.StatusUnprocessableEntity && strings.Contains(message, "does not exist"):
		return nil
	case status == http.StatusUnprocessableEntity, status == http.StatusConflict:
		return errs.Wrap(errs.Conflict, fmt.Errorf("github: %s: %w", op, err), "GitHub keeps the branch %s: %s", branch, sentence(message))
	}
	return classify(op, err)
}

// errQueue marks a merge that must go through a queue.
var errQueue = errors.New("the base branch has a merge queue")

// NeedsQueue reports whether a merge was refused because the base branch takes
// nothing but what its merge queue brings: Enqueue is the way then.
func NeedsQueue(err error) bool { return errors.Is(err, errQueue) }

// speaksOfQueue reports whether GitHub's refusal of a merge is for the sake of
// a queue: "Changes must be made through the merge queue".
func speaksOfQueue(message string) bool {
	return strings.Contains(strings.ToLower(message), "merge queue")
}

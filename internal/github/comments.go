package github

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidelock/tidelock/internal/errs"
)

// MaxComment is the longest comment that GitHub takes, in characters.
const MaxComment = 65536

// commentJSON is an issue comment in REST and in webhooks.
type commentJSON struct {
	ID        int64     `json:"id"`
	NodeID    string    `json:"node_id"`
	Body      string    `json:"body"`
	User      *userJSON `json:"user"`
	HTMLURL   string    `json:"html_url"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	App       *struct {
		ID int64 `json:"id"`
	} `json:"performed_via_github_app"`
}

func (j *commentJSON) comment() Comment {
	c := Comment{ID: j.ID, NodeID: j.NodeID, Body: j.Body, HTMLURL: j.HTMLURL, CreatedAt: j.CreatedAt, EditedAt: j.UpdatedAt}
	if j.User != nil {
		c.Author, c.AuthorID, c.AuthorType = j.User.Login, j.User.ID, j.User.Type
	}
	if j.App != nil {
		c.AppID = j.App.ID
	}
	return c
}

// Comment returns a comment as it reads now.
func (c *Client) Comment(ctx context.Context, repoID, commentID int64) (Comment, error) {
	var out commentJSON
	if _, err := c.repo(ctx, repoID, "GET", "/issues/comments/"+itoa(commentID), nil, &out); err != nil {
		return Comment{}, classify(fmt.Sprintf("get comment %d of repository %d", commentID, repoID), err)
	}
	return out.comment(), nil
}

// CreateComment adds a comment to a pull request's conversation and returns
// its ID. It is not idempotent: after an error that leaves it open whether the
// comment was made, look with FindComment first. A body above MaxComment is
// errs.TooLarge and costs no request.
func (c *Client) CreateComment(ctx context.Context, repoID int64, number int, body string) (int64, error) {
	made, err := c.CreateCommentFull(ctx, repoID, number, body)
	return made.ID, err
}

// CreateCommentFull is CreateComment for who needs more of the new comment than
// its ID: Minimize goes by the NodeID.
func (c *Client) CreateCommentFull(ctx context.Context, repoID int64, number int, body string) (Comment, error) {
	if err := checkBody(body); err != nil {
		return Comment{}, err
	}
	var out commentJSON
	_, err := c.repo(ctx, repoID, "POST", "/issues/"+itoa(number)+"/comments", map[string]string{"body": body}, &out)
	if err != nil {
		return Comment{}, classify(fmt.Sprintf("comment on pull %d of repository %d", number, repoID), err)
	}
	return out.comment(), nil
}

// UpdateComment replaces a comment's body. Safe to repeat. errs.NotFound when
// someone deleted the comment.
func (c *Client) UpdateComment(ctx context.Context, repoID, commentID int64, body string) error {
	if err := checkBody(body); err != nil {
		return err
	}
	_, err := c.repo(ctx, repoID, "PATCH", "/issues/comments/"+itoa(commentID), map[string]string{"body": body}, nil)
	return classify(fmt.Sprintf("update comment %d of repository %d", commentID, repoID), err)
}

func checkBody(body string) error {
	if n := utf8.RuneCountInString(body); n > MaxComment {
		return errs.New(errs.TooLarge, "The comment has %d characters; GitHub takes %d.", n, MaxComment)
	}
	return nil
}

// FindComment returns the ID of the first comment in the conversation that
// this App wrote and that contains marker, 0 where there is none: one request
// per 100 comments. A person who quotes the marker is not taken for us.
func (c *Client) FindComment(ctx context.Context, repoID int64, number int, marker string) (int64, error) {
	for page := 1; page != 0; {
		var out []commentJSON
		resp, err := c.repo(ctx, repoID, "GET", "/issues/"+itoa(number)+"/comments"+paging(page), nil, &out)
		if err != nil {
			return 0, classify(fmt.Sprintf("list comments of pull %d of repository %d", number, repoID), err)
		}
		for _, j := range out {
			// Older GitHub Enterprise Servers do not name the App; there any bot's
			// comment with our marker is taken for ours.
			ours := j.App != nil && j.App.ID == c.app.opts.ID || j.App == nil && j.User != nil && j.User.Type == "Bot"
			if ours && strings.Contains(j.Body, marker) {
				return j.ID, nil
			}
		}
		page = resp.NextPage
	}
	return 0, nil
}

// React adds a reaction to a comment: "+1", "-1", "eyes", "rocket",
// "confused", … Safe to repeat.
func (c *Client) React(ctx context.Context, repoID, commentID int64, content string) error {
	_, err := c.repo(ctx, repoID, "POST", "/issues/comments/"+itoa(commentID)+"/reactions", map[string]string{"content": content}, nil)
	return classify(fmt.Sprintf("react to comment %d of repository %d", commentID, repoID), err)
}

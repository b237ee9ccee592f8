package bot

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/run"
)

// The names under which the comments' last states stand among the checks'.
const commentRow = "(comment)"

func partRow(n int) string {
	if n == 1 {
		return commentRow
	}
	return fmt.Sprintf("(comment %d)", n)
}

func isCommentRow(name string) bool { return strings.HasPrefix(name, "(comment") }

// postComments brings the change's comments up to date: one, unless the
// settings ask for more where it is too long. Further ones that are needed no
// more are emptied.
func (b *Bot) postComments(ctx context.Context, gh *github.Client, v comment.View) error {
	if v.Change.Status == run.Closed {
		// The pull was opened again at another commit: that one's comment it is,
		// however late this word of the closing comes.
		if replaced, err := b.Runs.Replaced(ctx, b.DB, v.Change); err != nil || replaced {
			return err
		}
	}
	rows := v.Posted
	if !v.Settings.CommentPerCommit {
		var err error
		if rows, err = b.Runs.PostedFor(ctx, b.DB, v.Change.Repo, v.Change.Pull, "(comment%"); err != nil {
			return err
		}
		first := rows[commentRow]
		if first.ID != v.Change.CommentID {
			first = run.Check{ID: v.Change.CommentID}
		}
		if first.ID == 0 && !v.Change.CommentIntent.IsZero() {
			first.State = intended
		}
		rows[commentRow] = first
	}
	if !comment.Worth(v, rows[commentRow].ID != 0) {
		return nil
	}
	bodies := comment.Comments(v)
	for i := range bodies {
		bodies[i] = v.Mark(i+1) + "\n" + bodies[i]
	}
	for n := len(bodies) + 1; rows[partRow(n)].ID != 0; n++ {
		bodies = append(bodies, v.Mark(n)+"\n"+comment.Emptied)
	}
	for i, body := range bodies {
		if err := b.putComment(ctx, gh, v, i+1, rows[partRow(i+1)], body); err != nil {
			return err
		}
	}
	return nil
}

// intended is the state of a comment that was about to be posted: after a
// crash it is looked for, and not posted twice.
const intended = "intended"

// putComment updates the n-th comment, or posts it if there is none yet.
func (b *Bot) putComment(ctx context.Context, gh *github.Client, v comment.View, n int, row run.Check, body string) error {
	c := v.Change
	row.Name = partRow(n)
	state := fingerprint(body)
	if row.ID != 0 && row.State == state {
		return nil
	}
	if row.ID == 0 && row.State == intended {
		found, err := gh.FindComment(ctx, c.Repo, c.Pull, v.Mark(n))
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		row.ID = found
	}
	if row.ID != 0 {
		err := gh.UpdateComment(ctx, c.Repo, row.ID, body)
		if err == nil {
			return b.keepComment(ctx, v, n, run.Check{Name: row.Name, ID: row.ID, State: state})
		}
		if !errs.Is(err, errs.NotFound) { // somebody deleted it: post another
			return err
		}
	}
	if err := b.intendComment(ctx, v, n); err != nil {
		return err
	}
	made, err := gh.CreateCommentFull(ctx, c.Repo, c.Pull, body)
	if err != nil {
		return err
	}
	if v.Settings.CommentPerCommit {
		// A crash before this leaves one old comment unfolded, and nothing else.
		if err := b.Runs.SaveReply(ctx, run.Reply{Client: c.Client, Repo: c.Repo, Pull: c.Pull, Comment: made.ID, Node: made.NodeID}); err != nil {
			return err
		}
	}
	return b.keepComment(ctx, v, n, run.Check{Name: row.Name, ID: made.ID, State: state})
}

// intendComment stores that the n-th comment is about to be posted.
func (b *Bot) intendComment(ctx context.Context, v comment.View, n int) error {
	if n == 1 && !v.Settings.CommentPerCommit {
		return b.Runs.IntendComment(ctx, v.Change)
	}
	return b.saveRow(ctx, v, run.Check{Name: partRow(n), State: intended})
}

// keepComment stores what the n-th comment shows.
func (b *Bot) keepComment(ctx context.Context, v comment.View, n int, row run.Check) error {
	if n == 1 && row.ID != v.Change.CommentID {
		if err := b.Runs.SaveComment(ctx, v.Change, row.ID); err != nil {
			return err
		}
	}
	return b.saveRow(ctx, v, row)
}

func (b *Bot) saveRow(ctx context.Context, v comment.View, row run.Check) error {
	if v.Settings.CommentPerCommit {
		return b.Runs.SaveCheck(ctx, v.Change.ID, row)
	}
	return b.Runs.SaveShared(ctx, v.Change, row)
}

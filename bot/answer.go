package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
)

// answerClaim is how long one worker may write for a change before another
// may take over.
const answerClaim = 3 * time.Minute

// answer tells GitHub how the change stands: its one comment and its checks.
// What GitHub shows already is not sent again.
func (b *Bot) answer(ctx context.Context, job queue.Job[answerJob]) error {
	c, err := b.Runs.BeginAnswer(ctx, job.Args.Change, b.Node, answerClaim)
	if errors.Is(err, run.ErrBusy) {
		return queue.Snooze(500 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	told := int64(0)
	if c.AnsweredRev < c.Rev {
		if err = b.post(ctx, c); err == nil {
			told = c.Rev
		}
	}
	if end := b.Runs.FinishAnswer(context.WithoutCancel(ctx), c.ID, told); err == nil {
		err = end
	}
	if errs.Is(err, errs.Forbidden) || github.Gone(err) {
		return queue.Discard(err) // uninstalled or suspended: nobody there to tell
	}
	return wait(err)
}

// view reads what is to be told.
func (b *Bot) view(ctx context.Context, c run.Change) (View, error) {
	v := View{Change: c, Bot: b.Name, Now: b.Now(), Settings: b.Settings}
	var err error
	if v.Pull, err = b.Runs.Pull(ctx, b.DB, c.Repo, c.Pull); err != nil {
		return v, err
	}
	if v.Repo, err = b.Clients.Repo(ctx, b.DB, c.Repo); err != nil {
		return v, err
	}
	runs, err := b.Runs.Runs(ctx, b.DB, c.ID)
	if err != nil {
		return v, err
	}
	v.Pairs = run.Pairs(runs)
	locks, err := b.Runs.Locks(ctx, b.DB, c.Repo)
	if err != nil {
		return v, err
	}
	v.Holders = make(map[run.Key]run.Lock, len(locks))
	for _, l := range locks {
		v.Holders[l.Key] = l
	}
	if b.PublicURL != "" {
		v.URL = b.PublicURL + "/changes/" + c.ID
	}
	v.Settings, err = settingsOf(c, b.Settings)
	return v, err
}

// post brings GitHub up to date: the comment first, since that is what people
// look at.
func (b *Bot) post(ctx context.Context, c run.Change) error {
	v, err := b.view(ctx, c)
	if err != nil {
		return err
	}
	gh, err := b.installation(ctx, c.Client)
	if err != nil {
		return err
	}
	shown, err := b.Runs.Checks(ctx, b.DB, c.ID)
	if err != nil {
		return err
	}
	if err := b.postComment(ctx, gh, v, shown[commentRow]); err != nil {
		return err
	}
	for _, k := range Checks(v) {
		if err := b.postCheck(ctx, gh, c, k, shown[k.Name]); err != nil {
			return err
		}
	}
	return nil
}

// commentRow is the name under which the comment's last state stands among
// the checks'.
const commentRow = "(comment)"

// marker is the hidden line by which the bot finds the pull's comment again.
func marker(repo int64, pull int) string { return fmt.Sprintf("<!-- tidelock:%d:%d -->", repo, pull) }

func (b *Bot) postComment(ctx context.Context, gh *github.Client, v View, shown run.Check) error {
	c := v.Change
	quiet := (v.Phase() == run.PhaseEmpty && c.Notes == "") || v.Phase() == run.PhaseQueued || v.Phase() == run.PhaseClosed
	if c.Status == run.Outdated || (quiet && c.CommentID == 0) {
		return nil // the newer head's comment tells; or there is nothing worth a comment
	}
	body := Render(v)
	state := fingerprint(body)
	if state == shown.State {
		return nil
	}
	id, err := b.putComment(ctx, gh, c, body)
	if err != nil {
		return err
	}
	return b.Runs.SaveCheck(ctx, c.ID, run.Check{Name: commentRow, ID: id, State: state})
}

// putComment updates the pull's comment, or posts it if there is none yet. The
// intent to post is stored first, so that after a crash the comment is looked
// for and not posted twice.
func (b *Bot) putComment(ctx context.Context, gh *github.Client, c run.Change, body string) (int64, error) {
	id := c.CommentID
	if id == 0 && !c.CommentIntent.IsZero() {
		found, err := gh.FindComment(ctx, c.Repo, c.Pull, marker(c.Repo, c.Pull))
		if err != nil && !errs.Is(err, errs.NotFound) {
			return 0, err
		}
		id = found
	}
	if id != 0 {
		err := gh.UpdateComment(ctx, c.Repo, id, body)
		if err == nil && id != c.CommentID {
			err = b.Runs.SaveComment(ctx, c, id)
		}
		if !errs.Is(err, errs.NotFound) { // somebody deleted it: post another
			return id, err
		}
	}
	if err := b.Runs.IntendComment(ctx, c); err != nil {
		return 0, err
	}
	id, err := gh.CreateComment(ctx, c.Repo, c.Pull, body)
	if err != nil {
		return 0, err
	}
	return id, b.Runs.SaveComment(ctx, c, id)
}

func (b *Bot) postCheck(ctx context.Context, gh *github.Client, c run.Change, k github.Check, shown run.Check) error {
	state := fingerprint(k)
	if state == shown.State {
		return nil
	}
	id := shown.ID
	var err error
	if id == 0 {
		id, err = gh.CreateCheck(ctx, c.Repo, k)
	} else {
		err = gh.UpdateCheck(ctx, c.Repo, id, k)
	}
	if err != nil {
		return err
	}
	return b.Runs.SaveCheck(ctx, c.ID, run.Check{Name: k.Name, ID: id, State: state})
}

func fingerprint(v any) string {
	text, err := json.Marshal(v)
	if err != nil { // our own types always marshal; were one not to, say everything
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}

// reply posts a comment of its own, once: each carries its key, and a second
// attempt looks for it first.
func (b *Bot) reply(ctx context.Context, job queue.Job[replyJob]) error {
	gh, err := b.installation(ctx, job.Args.Client)
	if err != nil {
		return err
	}
	mark := "<!-- tidelock-reply:" + job.Args.Key + " -->"
	if job.Attempt > 1 {
		found, err := gh.FindComment(ctx, job.Args.Repo, job.Args.Pull, mark)
		if err == nil && found != 0 {
			return nil
		}
		if err != nil && !errs.Is(err, errs.NotFound) {
			return wait(err)
		}
	}
	_, err = gh.CreateComment(ctx, job.Args.Repo, job.Args.Pull, job.Args.Text+"\n\n"+mark)
	return wait(err)
}

// react puts eyes on the comment, to say that it was read. Not worth a fuss.
func (b *Bot) react(ctx context.Context, job queue.Job[reactJob]) error {
	gh, err := b.installation(ctx, job.Args.Client)
	if err != nil {
		return err
	}
	if err := gh.React(ctx, job.Args.Repo, job.Args.Comment, "eyes"); err != nil {
		if errs.Is(err, errs.NotFound) {
			return nil
		}
		return wait(err)
	}
	return nil
}

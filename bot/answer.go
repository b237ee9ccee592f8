package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
)

// answerClaim is how long one worker may write for a change before another
// may take over.
const answerClaim = 3 * time.Minute

// answer tells GitHub how the change stands: its comment and its checks. What
// GitHub shows already is not sent again, and what is still under way only now
// and then.
func (b *Bot) answer(ctx context.Context, job queue.Job[answerJob]) error {
	c, err := b.Runs.BeginAnswer(ctx, job.Args.Change, b.Node, answerClaim)
	if errors.Is(err, run.ErrBusy) {
		return queue.Snooze(500 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	told, whole := int64(0), true
	if c.AnsweredRev < c.Rev {
		if whole, err = b.post(ctx, c); err == nil && whole {
			told = c.Rev
		}
	}
	if end := b.Runs.FinishAnswer(context.WithoutCancel(ctx), c.ID, told); err == nil {
		err = end
	}
	if err == nil && !whole {
		err = b.DB.Tx(ctx, func(tx *db.Tx) error { return b.tellLater(ctx, tx, c.ID) })
	}
	if errs.Is(err, errs.Forbidden) || github.Gone(err) {
		return queue.Discard(err) // uninstalled or suspended: nobody there to tell
	}
	return wait(err)
}

// view reads what is to be told.
func (b *Bot) view(ctx context.Context, c run.Change) (comment.View, error) {
	v := comment.View{Change: c, Now: b.Now()}
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
	if v.Errored, err = b.erroredOf(ctx, c.Client, v.Pairs); err != nil {
		return v, err
	}
	if b.PublicURL != "" {
		v.URL = b.PublicURL + "/changes/" + c.ID
	}
	if v.Posted, err = b.Runs.Checks(ctx, b.DB, c.ID); err != nil {
		return v, err
	}
	if v.Budgets, err = b.Budget.Judge(ctx, b.DB, c.ID); err != nil {
		return v, err
	}
	if v.Alerts, err = b.Budget.Alerts(ctx, b.DB, c.ID); err != nil {
		return v, err
	}
	settings, err := settingsOf(c, b.Settings)
	v.Settings = settings.OfComments()
	return v, err
}

// post brings GitHub up to date: the comment first, since that is what people
// look at. It reports whether it told everything, or kept some of what is
// under way for later.
func (b *Bot) post(ctx context.Context, c run.Change) (whole bool, err error) {
	if c.GroupRef != "" {
		return true, b.postGroup(ctx, c)
	}
	v, err := b.view(ctx, c)
	if err != nil {
		return false, err
	}
	due := comment.PaceOf(v, run.Began(v.Posted))
	if due.Busy && !due.Check {
		return false, nil
	}
	gh, err := b.installation(ctx, c.Client)
	if err != nil {
		return false, err
	}
	switch v.Phase() {
	case run.PhaseApplying, run.PhaseApplied, run.PhaseAttention:
		gh = gh.Important()
	}
	if due.Comment {
		if err := b.postComments(ctx, gh, v); err != nil {
			return false, err
		}
	}
	for _, k := range comment.Checks(v) {
		if err := b.postCheck(ctx, gh, c, k, v.Posted); err != nil {
			return false, err
		}
	}
	if !due.Busy {
		err = b.foldOld(ctx, v)
	}
	return due.Comment, err
}

// annotationsRow is the name under which it stands among the checks which
// annotations a check was given.
func annotationsRow(check string) string { return "(annotations " + check + ")" }

// sending is the state of a check's annotations while they are sent: after a
// crash nobody knows whether it has them.
const sending = "sending"

// postCheck brings a check up to date. GitHub appends the annotations of an
// update to those that the check has, and takes none away, so each check is
// given its annotations once: where they are others now, or it is not known
// whether it has them, another check takes its place.
func (b *Bot) postCheck(ctx context.Context, gh *github.Client, c run.Change, k github.Check, posted map[string]run.Check) error {
	shown := posted[k.Name]
	state := fingerprint(k)
	if state == shown.State {
		return nil
	}
	notes := fingerprint(k.Annotations)
	at, give := annotate(shown, posted[annotationsRow(k.Name)], k.Annotations)
	if !give {
		k.Annotations = nil
	}
	row := run.Check{Name: annotationsRow(k.Name), State: sending}
	if len(k.Annotations) > 0 {
		if err := b.Runs.SaveCheck(ctx, c.ID, row); err != nil {
			return err
		}
	}
	id, err := sendCheck(ctx, gh, c.Repo, at, k)
	if len(k.Annotations) > 0 && errs.Is(err, errs.Invalid) { // the check itself must come, whatever a scanner has named
		b.Log.Warn("a check's annotations are refused, and left out", keyChange, c.ID, "error", err)
		k.Annotations = nil
		id, err = sendCheck(ctx, gh, c.Repo, 0, k)
	}
	if err != nil {
		return err
	}
	if err := b.Runs.SaveCheck(ctx, c.ID, run.Check{Name: k.Name, ID: id, State: state}); err != nil {
		return err
	}
	if len(k.Annotations) > 0 {
		row.ID, row.State = id, notes
		return b.Runs.SaveCheck(ctx, c.ID, row)
	}
	return nil
}

// sendCheck updates a check, or makes one where id is 0, and returns its ID.
func sendCheck(ctx context.Context, gh *github.Client, repo, id int64, k github.Check) (int64, error) {
	if id == 0 {
		return gh.CreateCheck(ctx, repo, k)
	}
	return id, gh.UpdateCheck(ctx, repo, id, k)
}

// annotate decides which check to update, 0 for a new one, and whether to send
// the annotations with it. given is what the check was given so far; nil
// annotations leave those that there are.
func annotate(shown, given run.Check, annotations []github.Annotation) (id int64, give bool) {
	switch {
	case annotations == nil:
		return shown.ID, false
	case given.State == sending: // to which check nobody knows
		return 0, len(annotations) > 0
	case given.ID != shown.ID || shown.ID == 0: // the one that is shown has none
		return shown.ID, len(annotations) > 0
	case given.State == fingerprint(annotations):
		return shown.ID, false
	}
	return 0, len(annotations) > 0
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
// attempt looks for it first. It is remembered, to be folded away when a newer
// plan has made it old.
func (b *Bot) reply(ctx context.Context, job queue.Job[replyJob]) error {
	j := job.Args
	gh, err := b.installation(ctx, j.Client)
	if err != nil {
		return err
	}
	mark := "<!-- tidelock-reply:" + j.Key + " -->"
	made := github.Comment{}
	if job.Attempt > 1 {
		found, err := gh.FindComment(ctx, j.Repo, j.Pull, mark)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return wait(err)
		}
		if found != 0 {
			if made, err = gh.Comment(ctx, j.Repo, found); err != nil {
				return wait(err)
			}
		}
	}
	if made.ID == 0 {
		if made, err = gh.CreateCommentFull(ctx, j.Repo, j.Pull, markdown.Calm(j.Text)+"\n\n"+mark); err != nil {
			return wait(err)
		}
	}
	return b.Runs.SaveReply(ctx, run.Reply{Client: j.Client, Repo: j.Repo, Pull: j.Pull, Comment: made.ID, Node: made.NodeID})
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

package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/queue"
)

// What GitHub lost for good stands in no list of deliveries: a payload above
// 25 MB, a push of many tags, the webhooks of an hour in which GitHub itself
// was broken. Reconciling looks at the things themselves instead: where the
// App is installed, which pulls changed, which comments were written, and acts
// on whatever differs from what is known here as its webhook would have had it.

// reconciler compares again and again. Its memory only saves requests: losing
// it costs one full look.
type reconciler struct {
	b     *Bot
	every time.Duration

	mu    sync.Mutex
	looks map[int64]*look // by repository
}

// look is what was last seen of a repository. The times are GitHub's own once
// it has told any.
type look struct {
	floor         time.Time // comments older than this are nobody's concern
	pulls         github.Tag
	pullsSince    time.Time
	comments      github.Tag
	commentsSince time.Time
}

// Installations looked at side by side; within one, one request after another.
const sideBySide = 4

// Reconcile compares what GitHub knows with what is known here, a moment after
// the start and then every so often until ctx ends. What a webhook should have
// told is acted on within that interval, whether it was lost on the way or
// never sent. The moment is for the deliveries that the start itself has sent
// again: they say the same and more.
func (b *Bot) Reconcile(ctx context.Context, every time.Duration) {
	r := &reconciler{b: b, every: every, looks: map[int64]*look{}}
	next := time.NewTimer(min(30*time.Second, every/4))
	defer next.Stop()
	if b.awaitName(ctx) != nil { // else no comment would be known for a command
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		began := time.Now()
		if found, err := r.once(ctx); err != nil && ctx.Err() == nil {
			b.Log.Warn("not everything was compared with GitHub", "error", err)
		} else if found > 0 {
			b.Log.Info("caught up with what no webhook told", "count", found)
		}
		next.Reset(max(every-time.Since(began), 0))
	}
}

// once compares everything once and returns how much was found.
func (r *reconciler) once(ctx context.Context) (found int, err error) {
	found, err = r.installations(ctx)
	if err != nil {
		return found, err
	}
	all, err := r.b.Clients.List(ctx, r.b.DB)
	if err != nil {
		return found, err
	}
	var (
		wg    sync.WaitGroup
		slots = make(chan struct{}, sideBySide)
		mu    sync.Mutex
		fails []error
	)
	for _, c := range all {
		if c.Status != clients.Active || c.InstallationID == 0 {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			n, err := r.client(ctx, c)
			mu.Lock()
			defer mu.Unlock()
			found += n
			if err != nil {
				fails = append(fails, fmt.Errorf("client %s: %w", c.Slug, err))
			}
		})
	}
	wg.Wait()
	return found, errors.Join(fails...)
}

// installations acts on what became of the App's installations.
func (r *reconciler) installations(ctx context.Context) (found int, err error) {
	b := r.b
	there, err := b.App.Installations(ctx)
	if err != nil {
		return 0, err
	}
	known, err := b.Clients.List(ctx, b.DB)
	if err != nil {
		return 0, err
	}
	byID := map[int64]clients.Client{}
	for _, c := range known {
		byID[c.InstallationID] = c
	}
	tell := func(action string, in github.Installation) error {
		found++
		b.Log.Info("installation caught up with", keyClient, in.Account, "action", action)
		return b.handle(ctx, github.Event{Kind: "installation", Action: action, Installation: in}, "")
	}
	listed := map[int64]bool{}
	for _, in := range there {
		listed[in.ID] = true
		c, ok := byID[in.ID]
		switch {
		case !ok && in.Suspended:
			continue // it was never ours to work for
		case !ok, c.Status == clients.Deleted, in.Account != "" && in.Account != c.Name && !in.Suspended:
			err = tell("created", in)
		case in.Suspended && c.Status == clients.Active:
			err = tell("suspend", in)
		case !in.Suspended && c.Status == clients.Suspended:
			err = tell("unsuspend", in)
		}
		if err != nil {
			return found, err
		}
	}
	for _, c := range known {
		if listed[c.InstallationID] || c.InstallationID == 0 || c.Status == clients.Deleted {
			continue
		}
		// A list may lack what is there. Nobody's runs are canceled on its word
		// alone.
		if _, err := b.App.FindInstallation(ctx, c.InstallationID); !errs.Is(err, errs.NotFound) {
			if err != nil {
				return found, err
			}
			continue
		}
		if err := tell("deleted", github.Installation{ID: c.InstallationID, Account: c.Name, AccountID: c.AccountID}); err != nil {
			return found, err
		}
	}
	return found, nil
}

// client compares one installation's repositories.
func (r *reconciler) client(ctx context.Context, c clients.Client) (found int, err error) {
	gh := r.b.App.Installation(c.InstallationID)
	began := r.b.Now()
	repos, found, err := r.repos(ctx, gh, c)
	if err != nil {
		return found, err
	}
	var swept []int64
	defer func() {
		if len(swept) == 0 {
			return
		}
		noted := r.b.DB.Tx(ctx, func(tx *db.Tx) error { return r.b.Clients.SetSwept(ctx, tx, began, swept...) })
		err = errors.Join(err, noted)
	}()
	for i, repo := range repos {
		if i > 0 && !r.pause(ctx, len(repos)) {
			return found, ctx.Err()
		}
		n, err := r.repo(ctx, gh, c, repo)
		found += n
		switch {
		case err == nil:
			swept = append(swept, repo.ID)
		case errs.Is(err, errs.NotFound), errs.Is(err, errs.Forbidden):
			// Gone or closed to us meanwhile, or its issues are switched off. The
			// others must not wait for it.
			r.b.Log.Warn("repository not compared", keyRepo, repo.FullName(), "error", err)
		default:
			return found, fmt.Errorf("%s: %w", repo.FullName(), err)
		}
	}
	return found, nil
}

// pause spreads the requests of a large installation over a part of the
// interval, so that they come in no burst; false when ctx has ended.
func (r *reconciler) pause(ctx context.Context, repos int) bool {
	t := time.NewTimer(min(r.every/time.Duration(4*repos), 200*time.Millisecond))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// repos brings the client's repositories up to date and returns those to look
// into.
func (r *reconciler) repos(ctx context.Context, gh *github.Client, c clients.Client) (active []clients.Repo, found int, err error) {
	b := r.b
	there, err := gh.Repos(ctx)
	if err != nil {
		return nil, 0, err
	}
	rows, err := b.Clients.Repos(ctx, b.DB, c.ID)
	if err != nil {
		return nil, 0, err
	}
	known := map[int64]clients.Repo{}
	for _, row := range rows {
		known[row.ID] = row
	}
	tell := func(e github.Event) error {
		found++
		e.Kind, e.Installation = "installation_repositories", github.Installation{ID: c.InstallationID, Account: c.Name, AccountID: c.AccountID}
		return b.handle(ctx, e, "")
	}
	listed := map[int64]bool{}
	for _, now := range there {
		listed[now.ID] = true
		row, ok := known[now.ID]
		want := clients.Repo{ID: now.ID, ClientID: c.ID, Owner: now.Owner, Name: now.Name, DefaultBranch: now.DefaultBranch, CloneURL: now.CloneURL, Status: row.Status}
		if ok && row.Status == clients.Removed {
			if err := tell(github.Event{Action: "added", Added: []github.Repo{now}}); err != nil {
				return nil, found, err
			}
		}
		if row != want {
			err := b.DB.Tx(ctx, func(tx *db.Tx) (err error) {
				row, err = b.Clients.EnsureRepo(ctx, tx, c, want)
				return err
			})
			if errs.Is(err, errs.Conflict) {
				b.Log.Warn("repository belongs to another client", keyRepo, want.FullName(), "error", err)
				continue
			}
			if err != nil {
				return nil, found, err
			}
		}
		if row.Status == clients.Active && !now.Archived {
			active = append(active, row)
		}
	}
	for _, row := range rows {
		if !listed[row.ID] && row.Status == clients.Active {
			gone := github.Repo{ID: row.ID, Owner: row.Owner, Name: row.Name}
			if err := tell(github.Event{Action: "removed", Removed: []github.Repo{gone}}); err != nil {
				return nil, found, err
			}
		}
	}
	return active, found, nil
}

// start returns what a first look at the repository begins with: as far back
// as it was last compared, by whatever process, but no further than GitHub
// itself would send a delivery again. A command older than that is nobody's
// intention any more.
func (r *reconciler) start(ctx context.Context, repo clients.Repo) (*look, error) {
	r.mu.Lock()
	l, ok := r.looks[repo.ID]
	r.mu.Unlock()
	if ok {
		return l, nil
	}
	swept, err := r.b.Clients.Swept(ctx, r.b.DB, repo.ID)
	if err != nil {
		return nil, err
	}
	since := swept.Add(-sweepOverlap)
	if oldest := r.b.Now().Add(-firstSweep); since.Before(oldest) {
		since = oldest
	}
	l = &look{floor: since, pullsSince: since, commentsSince: since}
	r.mu.Lock()
	r.looks[repo.ID] = l
	r.mu.Unlock()
	return l, nil
}

// repo compares one repository's pulls and comments, two requests as a rule,
// and enqueues what must be caught up with. What is younger than a moment is
// left for the next time: its webhook is still on its way.
func (r *reconciler) repo(ctx context.Context, gh *github.Client, c clients.Client, repo clients.Repo) (int, error) {
	l, err := r.start(ctx, repo)
	if err != nil {
		return 0, err
	}
	pulls, pullsTag, err := gh.ChangedPulls(ctx, repo.ID, l.pullsSince, l.pulls)
	if err != nil {
		return 0, err
	}
	comments, commentsTag, err := gh.ChangedComments(ctx, repo.ID, l.commentsSince, l.comments)
	if err != nil {
		return 0, err
	}
	next := *l
	next.pulls, next.comments = pullsTag, commentsTag
	var jobs []queue.Args
	var keys []string
	for _, p := range slices.Backward(pulls) { // the one that changed first goes first
		if r.young(p.UpdatedAt) {
			next.pulls = ""
			break
		}
		next.pullsSince = p.UpdatedAt
		stored, err := r.b.storedPull(ctx, repo.ID, p.Number)
		if err != nil {
			return 0, err
		}
		if missed(stored, pullOf(p, repo)) != "" {
			jobs = append(jobs, refetchJob{c.ID, repo.ID, p.Number, r.b.actor})
			keys = append(keys, fmt.Sprintf("%d/%d", repo.ID, p.Number))
		}
	}
	for _, k := range comments {
		if r.young(k.EditedAt) {
			next.comments = ""
			break
		}
		if k.EditedAt.After(next.commentsSince) {
			next.commentsSince, next.comments = k.EditedAt, "" // another question from now on
		}
		if k.CreatedAt.Before(l.floor) || !r.b.command(repo, k) {
			continue
		}
		heard, err := r.b.Runs.Heard(ctx, r.b.DB, repo.ID, k.ID)
		if err != nil {
			return 0, err
		}
		if !heard {
			jobs = append(jobs, missedCommentJob{c.ID, repo.ID, k.Pull, k.ID})
			keys = append(keys, fmt.Sprintf("%d/%d", repo.ID, k.ID))
		}
	}
	if len(jobs) > 0 {
		err = r.b.DB.Tx(ctx, func(tx *db.Tx) error {
			for i, job := range jobs {
				if err := r.b.Queue.Enqueue(ctx, tx, job, queue.Coalesce(keys[i]), queue.For(c.ID)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	*l = next
	return len(jobs), nil
}

// young reports whether a webhook about what happened then may still be on its
// way.
func (r *reconciler) young(at time.Time) bool {
	age := r.b.Now().Sub(at)
	return age >= 0 && age < min(15*time.Second, r.every/4)
}

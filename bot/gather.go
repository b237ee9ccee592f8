package bot

import (
	"context"
	"strings"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/run"
)

// gather asks for the facts that the event needs, and for no others.
func (b *Bot) gather(ctx context.Context, e github.Event, repo clients.Repo) (Facts, error) {
	name := b.name()
	if name == "" && asksForName(e.Kind) {
		return Facts{}, errNameless
	}
	f := Facts{Name: name, AppID: b.App.ID(), Settings: b.Settings}
	if e.Kind == "push" {
		var err error
		if strings.EqualFold(repo.FullName(), b.Policies.AdminRepo()) {
			b.Policies.AskAdmin()
		}
		f.Behind, err = b.Runs.PullsBehind(ctx, b.DB, repo.ID, strings.TrimPrefix(e.Ref, "refs/heads/"), e.After)
		return f, err
	}
	need := Needs(e, name)
	gh := b.App.Installation(e.Installation.ID)
	if need.Body {
		gone, err := b.gatherComment(ctx, gh, e, repo, &f)
		if err != nil || gone {
			return f, err
		}
	}
	if !need.Pull {
		return f, nil
	}
	number, err := b.numberOf(ctx, e, repo)
	if err != nil || number == 0 {
		return f, err
	}
	if need.Role {
		role, err := gh.Permission(ctx, repo.ID, e.Sender.Login)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return f, err
		}
		f.Role = role
	}
	p, err := gh.Pull(ctx, repo.ID, number)
	if errs.Is(err, errs.NotFound) && !github.Gone(err) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	pull := pullOf(p, repo)
	f.Pull = &pull
	if need.Role {
		if err := b.gatherCommand(ctx, gh, e, repo, &f); err != nil {
			return f, err
		}
	} else if pull.Draft && pull.Open {
		if f.Settings, err = b.settings(ctx, repo, pull); err != nil && !errs.Is(err, errs.Invalid) {
			return f, err
		}
	}
	if err := b.gatherOwn(ctx, &f); err != nil {
		return f, err
	}
	if need.Role {
		if err := b.gatherBudgets(ctx, gh, e, &f); err != nil {
			return f, err
		}
		return f, b.gatherOwned(ctx, gh, e, repo, &f)
	}
	return f, nil
}

// gatherComment reads the comment as it is now, and whether its commands were
// obeyed already. It reports true where nothing more needs to be known.
func (b *Bot) gatherComment(ctx context.Context, gh *github.Client, e github.Event, repo clients.Repo, f *Facts) (gone bool, err error) {
	if f.Heard, err = b.Runs.Heard(ctx, b.DB, repo.ID, e.Comment.ID); err != nil {
		return false, err
	}
	c, err := gh.Comment(ctx, repo.ID, e.Comment.ID)
	switch {
	case err == nil:
		f.Comment = &c
		return false, nil
	case errs.Is(err, errs.NotFound):
		return true, nil
	}
	return false, err
}

// numberOf returns the number of the pull request that an event is about; 0
// where it is about none that we know.
func (b *Bot) numberOf(ctx context.Context, e github.Event, repo clients.Repo) (int, error) {
	switch e.Kind {
	case "check_run", "check_suite":
		if checkApp(e) != b.App.ID() {
			return 0, nil
		}
		return b.Runs.PullAt(ctx, b.DB, repo.ID, checkSHA(e))
	case "merge_group":
		return GroupPull(e.Group.HeadRef), nil
	}
	return e.Number, nil
}

// gatherCommand reads what commands are decided by: the repository's settings
// and what the gates before them look at.
func (b *Bot) gatherCommand(ctx context.Context, gh *github.Client, e github.Event, repo clients.Repo, f *Facts) error {
	settings, err := b.settings(ctx, repo, *f.Pull)
	switch {
	case errs.Is(err, errs.Invalid):
		f.BadConfig = errs.Sentence(err)
	case err != nil:
		return err
	default:
		f.Settings = settings
	}
	var need gate.Need
	var asked []command.Command
	if f.Comment != nil {
		asked = command.Parse(f.Comment.Body, b.name())
	} else if e.Check != nil {
		c, _ := command.OfButton(e.Check.Identifier)
		asked = []command.Command{c}
	}
	for _, c := range asked {
		if act := ActOf(c.Verb); act != "" && c.Problem == "" {
			need = join(need, f.Settings.rules(act, f.Pull.Merged).Needs())
		}
	}
	actor := actorOf(e.Sender)
	if f.Gate, err = b.gateFacts(ctx, gh, repo, *f.Pull, actor, need); err != nil {
		return err
	}
	f.Gate.Actor.Role = f.Role.String()
	return nil
}

// gatherOwn adds what the database knows of the pull.
func (b *Bot) gatherOwn(ctx context.Context, f *Facts) error {
	c, err := b.Runs.ChangeAt(ctx, b.DB, f.Pull.Repo, f.Pull.Number, f.Pull.HeadSHA)
	switch {
	case errs.Is(err, errs.NotFound):
	case err != nil:
		return err
	case c.Status.Live():
		runs, err := b.Runs.Runs(ctx, b.DB, c.ID)
		if err != nil {
			return err
		}
		f.Change, f.Pairs = &c, run.Pairs(runs)
		for _, r := range runs {
			if (r.Kind == run.StateChange || r.Kind == run.Drift) && !r.Status.Finished() {
				f.Others = append(f.Others, r)
			}
		}
	}
	locks, err := b.Runs.Locks(ctx, b.DB, f.Pull.Repo)
	if err != nil {
		return err
	}
	for _, l := range locks {
		if l.Pull == f.Pull.Number {
			f.Locks = append(f.Locks, l)
		}
	}
	return nil
}

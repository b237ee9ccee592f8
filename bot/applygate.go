package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/run"
)

// gates asks the gates once more now that the lock is held and nothing can
// change under the run: an approval may have been withdrawn, a commit pushed,
// or the base branch's rules tightened since the word was given. It reports
// false where the apply was held for that.
func (a *application) gates(ctx context.Context) (bool, error) {
	p, err := a.Runs.Pull(ctx, a.DB, a.run.Repo, a.run.Pull)
	if err != nil {
		return false, err
	}
	repo, err := a.Clients.Repo(ctx, a.DB, a.run.Repo)
	if err != nil {
		return false, err
	}
	settings, err := settingsOf(a.change, a.Settings)
	if err != nil {
		return false, err
	}
	gh, err := a.installation(ctx, a.run.Client)
	if err != nil {
		return false, err
	}
	gh = gh.Important() // what GitHub allows an hour keeps a part for applies
	act := gate.ActApply
	if a.run.Kind == run.Apply {
		act = actOf(a.plan)
	}
	if !p.Merged {
		// What is merged was let through by the rules of before the merge: its
		// own changes to them judge the next pull, not itself.
		if p, settings, err = a.fresh(ctx, gh, repo, p); errs.Is(err, errs.Invalid) {
			return false, a.holdNow(ctx, "The configuration on the base branch can't be read, so what it asks for is not known. "+errs.Sentence(err))
		} else if err != nil {
			return false, err
		}
	}
	rules := settings.rules(act, p.Merged)
	facts, err := a.gateFacts(ctx, gh, repo, p, a.run.Actor, rules.Needs())
	if err != nil {
		return false, err
	}
	if a.run.Kind == run.Apply {
		over, err := a.Budget.Judge(ctx, a.DB, a.change.ID)
		if err != nil {
			return false, err
		}
		facts = withBudgets(withPlan(facts, a.plan), over, a.plan.Key())
	} else {
		rules.Policies, rules.Budgets = false, false // a state operation has no plan that they could judge
	}
	verdicts := gate.Evaluate(rules, facts)
	if closed := gate.Closed(verdicts); len(closed) > 0 {
		return false, a.holdNow(ctx, "A gate is closed:\n\n"+sentencesOf(closed)+"\n\nWhen it is open, comment `plan` and `apply`.")
	}
	now := record(act, a.change, a.plan, verdicts, facts.Now)
	if a.run.Kind == run.StateChange { // it is let through for what it says, not for a plan
		a.run.Gates = now
		return true, nil
	}
	if other, err := moved(a.run.Gates, now); err != nil {
		return false, err
	} else if other != "" {
		return false, a.holdNow(ctx, "What was let through is not what is there now. "+other+" Comment `plan`, read it, then `apply`.")
	}
	a.run.Gates = now
	return true, nil
}

// moved says in what the thing that gates let through, when the word was given,
// differs from what is there now; "" where nobody asked them then, as at a
// merge.
func moved(was, now string) (string, error) {
	if was == "" {
		return "", nil
	}
	var then, here gate.Record
	if err := json.Unmarshal([]byte(was), &then); err != nil {
		return "", fmt.Errorf("read what the gates said: %w", err)
	}
	if err := json.Unmarshal([]byte(now), &here); err != nil {
		return "", fmt.Errorf("read what the gates say: %w", err)
	}
	return strings.Join(then.Changed(here), " "), nil
}

// fresh reads the pull and the repository's settings as they are now.
func (a *application) fresh(ctx context.Context, gh *github.Client, repo clients.Repo, was run.Pull) (run.Pull, Settings, error) {
	now, err := gh.Pull(ctx, repo.ID, was.Number)
	if err != nil {
		return was, Settings{}, err
	}
	p := pullOf(now, repo)
	if p.Open && p.HeadSHA != a.change.HeadSHA {
		return p, Settings{}, errs.New(errs.Conflict, "The head is %s by now, and %s was reviewed. Nothing was applied.", comment.Short(p.HeadSHA), comment.Short(a.change.HeadSHA))
	}
	settings, err := a.settings(ctx, repo, p)
	return p, settings, err
}

func (a *application) holdNow(ctx context.Context, why string) error {
	return a.DB.Tx(ctx, func(tx *db.Tx) error { return a.hold(ctx, tx, why) })
}

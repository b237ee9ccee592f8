package bot

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/run"
)

// What was accepted of the policies' findings: who may do that, what their word
// does to the pull requests that stand on it, and that it comes to its end.

// gatherOwned reads whose findings the sender may accept or take back, where
// the comment asks for that, and what stands accepted. It needs what the
// database knows of the pull.
func (b *Bot) gatherOwned(ctx context.Context, gh *github.Client, e github.Event, repo clients.Repo, f *Facts) error {
	if f.Comment == nil {
		return nil
	}
	approve, revoke := false, false
	for _, c := range command.Parse(f.Comment.Body, b.name()) {
		approve = approve || c.Verb == command.ApprovePolicies && c.Problem == ""
		revoke = revoke || c.Verb == command.RevokePolicies && c.Problem == ""
	}
	if !approve && !revoke {
		return nil
	}
	client, err := b.Clients.Client(ctx, b.DB, repo.ClientID)
	if err != nil {
		return err
	}
	m := memberships{gh: gh, login: e.Sender.Login, role: f.Role, known: map[string]bool{}}
	f.Owned = map[run.Key]Owned{}
	var keys []run.Key
	for _, p := range f.Pairs {
		key := p.Plan.Key()
		keys = append(keys, key)
		if !revoke && (p.Plan.Report == nil || p.Plan.Report.Verdict != policy.Fail) {
			continue
		}
		target := policyset.Target{Client: client.Slug, Repo: repo.FullName(), Project: p.Plan.Project.Name, Dir: key.Dir, Workspace: key.Workspace}
		if f.Owned[key], err = b.ownedBy(ctx, target, &m); err != nil {
			return err
		}
	}
	if !revoke {
		return nil
	}
	for some := range slices.Chunk(keys, 100) {
		words, err := b.Runs.Waivers(ctx, b.DB, run.WaiverFilter{Keys: some, Standing: true, Limit: maxRevoked})
		if err != nil {
			return err
		}
		f.Waivers = append(f.Waivers, words...)
	}
	return nil
}

// maxRevoked is how many words are taken back at a time.
const maxRevoked = 2000

// ownedBy asks whose findings in the project the person may accept, by the
// owners of this moment.
func (b *Bot) ownedBy(ctx context.Context, target policyset.Target, m *memberships) (Owned, error) {
	judging, err := b.Policies.For(ctx, target, policyset.RepoPolicy{})
	switch {
	case ctx.Err() != nil:
		return Owned{}, ctx.Err()
	case err != nil:
		return Owned{Problem: errs.Sentence(err)}, nil
	}
	o := Owned{Owners: judging.Owners, Mine: map[string]bool{"": false}}
	for pack := range o.Owners {
		o.Mine[pack] = false
	}
	for pack := range o.Mine {
		if o.Mine[pack], err = m.among(ctx, o.Owners[pack].Who); err != nil {
			return Owned{}, err
		}
	}
	return o, nil
}

// memberships asks GitHub about one person, about each team once.
type memberships struct {
	gh    *github.Client
	login string
	role  github.Role
	known map[string]bool
}

// among reports whether the person is one of those, or a member of one of
// these teams. Where there is nobody, it is who has the role maintain.
func (m *memberships) among(ctx context.Context, who []string) (bool, error) {
	if len(who) == 0 {
		return m.role >= github.RoleMaintain, nil
	}
	for _, o := range who {
		org, slug, team := strings.Cut(o, "/")
		if !team {
			if strings.EqualFold(o, m.login) {
				return true, nil
			}
			continue
		}
		name := strings.ToLower(o)
		if _, ok := m.known[name]; !ok {
			in, err := m.gh.TeamMember(ctx, org, slug, m.login)
			if err != nil && !unreadable(err) {
				return false, err
			}
			m.known[name] = in && err == nil
		}
		if m.known[name] {
			return true, nil
		}
	}
	return false, nil
}

func (b *Bot) waiveFindings(ctx context.Context, tx *db.Tx, in WaiveFindings, actor access.Actor) error {
	lasting := map[run.Key]bool{}
	for _, word := range in.Words {
		word.Actor = actor
		if _, err := b.Runs.Waive(ctx, tx, word); err != nil {
			return err
		}
		if !word.Expires.IsZero() {
			lasting[word.Plan.Key()] = true
		}
	}
	if err := b.tellJudged(ctx, tx, lasting); err != nil {
		return err
	}
	return b.tell(ctx, tx, in.Change.ID, true)
}

func (b *Bot) revokeWaivers(ctx context.Context, tx *db.Tx, in RevokeWaivers, actor access.Actor) error {
	ended, err := b.Runs.Revoke(ctx, tx, in.Waivers, actor, in.Reason, false)
	if err != nil {
		return err
	}
	return b.tellJudged(ctx, tx, keysOf(ended))
}

func keysOf(words []run.Waiver) map[run.Key]bool {
	out := map[run.Key]bool{}
	for _, w := range words {
		out[w.Key] = true
	}
	return out
}

// tellJudged brings up to date what the open pull requests say whose plans
// depend on what is accepted in the projects.
func (b *Bot) tellJudged(ctx context.Context, tx *db.Tx, projects map[run.Key]bool) error {
	told := map[string]bool{}
	for key := range projects {
		changes, err := b.Runs.JudgedChanges(ctx, tx, key)
		if err != nil {
			return err
		}
		for _, id := range changes {
			if told[id] {
				continue
			}
			told[id] = true
			if err := b.tell(ctx, tx, id, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// How often expired waivers are looked for, and how many are ended at a time.
const (
	waiverGlance = 10 * time.Second
	waiverBatch  = 200
)

// WatchWaivers ends waivers when their time is over and has the pull requests
// that stood on them say so, until ctx ends. What has expired counts for
// nothing from that moment, whether this runs or not.
func (b *Bot) WatchWaivers(ctx context.Context) {
	tick := time.NewTicker(waiverGlance)
	defer tick.Stop()
	for {
		if err := b.SweepWaivers(ctx); err != nil && ctx.Err() == nil {
			b.Log.Warn("expired waivers not swept", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// SweepWaivers does that once. Any number of nodes may call it at once.
func (b *Bot) SweepWaivers(ctx context.Context) error {
	for {
		more := false
		err := b.DB.Tx(ctx, func(tx *db.Tx) error {
			news, again, err := b.Runs.SweptWaivers(ctx, tx, waiverBatch)
			if err != nil {
				return err
			}
			more = again
			return b.tellJudged(ctx, tx, keysOf(news))
		})
		if err != nil || !more {
			return err
		}
	}
}

// stillAllowed reports whether what policies found in the plan is accepted at
// this moment, under the lock: a word may have expired or been taken back since
// the apply was asked for. Where it is not, the apply is held.
func (a *application) stillAllowed(ctx context.Context, tx *db.Tx) (bool, error) {
	if a.run.Kind != run.Apply {
		return true, nil
	}
	plan, err := a.Runs.Run(ctx, tx, a.run.PlanRun)
	if err != nil {
		return false, err
	}
	if why := verdictTrouble(plan); why != "" {
		return false, a.hold(ctx, tx, why)
	}
	over, err := a.Budget.JudgeApply(ctx, tx, a.change.ID)
	if err != nil {
		return false, err
	}
	if why := budgetTrouble(over, plan.Key()); why != "" {
		return false, a.hold(ctx, tx, why)
	}
	return true, nil
}

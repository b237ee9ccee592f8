package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
)

// Budgets: what they say of a change, who may approve what is over one, and
// that reaching a threshold is told.

// withBudgets adds what the budgets say of a plan.
func withBudgets(f gate.Facts, verdicts []budget.Verdict, k run.Key) gate.Facts {
	f.Budgets = &gate.BudgetsSay{}
	for _, v := range verdicts {
		if v.ClosedFor(budget.Key(k)) {
			f.Budgets.Exceeded = append(f.Budgets.Exceeded, gate.Exceeded{Why: comment.Exceeded(v) + v.Dated(), Who: v.Owners.Who})
		}
	}
	return f
}

// budgetTrouble says which budgets keep a plan from being applied, "" where
// none does.
func budgetTrouble(verdicts []budget.Verdict, k run.Key) string {
	said := gate.Evaluate(gate.Rules{Budgets: true}, withBudgets(gate.Facts{}, verdicts, k))
	if closed := gate.Closed(said); len(closed) > 0 {
		return gate.Sentence(closed[0])
	}
	return ""
}

// gatherBudgets reads what the budgets say, where a command is decided by it,
// and whose owner the sender is, where the comment approves. It needs what the
// database knows of the pull.
func (b *Bot) gatherBudgets(ctx context.Context, gh *github.Client, e github.Event, f *Facts) error {
	if f.Change == nil {
		return nil
	}
	asked, approve := f.Comment == nil, false // a button is as good as a command
	if f.Comment != nil {
		for _, c := range command.Parse(f.Comment.Body, b.name()) {
			approve = approve || c.Verb == command.ApproveCost && c.Problem == ""
			asked = asked || approve || ActOf(c.Verb) == gate.ActApply
		}
	}
	if !asked {
		return nil
	}
	var err error
	if f.Budgets, err = b.Budget.Judge(ctx, b.DB, f.Change.ID); err != nil || !approve {
		return err
	}
	m := memberships{gh: gh, login: e.Sender.Login, role: f.Role, known: map[string]bool{}}
	f.BudgetOwner = map[string]bool{}
	for _, v := range f.Budgets {
		if !v.Asks() {
			continue
		}
		if f.BudgetOwner[v.Budget], err = m.among(ctx, v.Owners.Who); err != nil {
			return err
		}
	}
	return nil
}

// approveCost approves what the change costs over those budgets whose owner
// the sender is. The author never does that for themselves.
func (d decision) approveCost() []Intent {
	var asks []budget.Verdict
	for _, v := range d.Budgets {
		if v.Asks() {
			asks = append(asks, v)
		}
	}
	switch {
	case d.Change == nil || len(d.Pairs) == 0:
		return d.refuse("There is no plan yet whose cost could be approved. Comment `plan` first.")
	case len(asks) == 0:
		return d.refuse("No budget keeps this change from being applied.")
	case d.author():
		return d.refuse("Who opened the pull request can't approve what it costs. %s", askOwners(asks))
	}
	actor := access.Actor{Kind: access.User, Name: d.sender, ID: d.Gate.Actor.ID}
	in := ApproveCost{Change: *d.Change}
	var lines []string
	var others []budget.Verdict
	for _, v := range asks {
		switch {
		case !d.BudgetOwner[v.Budget]:
			others = append(others, v)
			continue
		case v.Said(actor):
			lines = append(lines, fmt.Sprintf("- Budget %s: you have approved this already.%s", markdown.Code(v.Budget), missingOwners(v, 0)))
			continue
		}
		in.Budgets = append(in.Budgets, v)
		lines = append(lines, fmt.Sprintf("- Budget %s: %s approves it.%s", markdown.Code(v.Budget), markdown.Code(d.sender), missingOwners(v, 1)))
	}
	if len(lines) == 0 {
		return d.refuse("**Nothing was approved.** @%s can't approve what is over these budgets. %s", markdown.Word(d.sender), askOwners(others))
	}
	for _, v := range others {
		lines = append(lines, fmt.Sprintf("- Budget %s: that is others' to approve. %s", markdown.Code(v.Budget), askOwners([]budget.Verdict{v})))
	}
	text := Reply{d.Pull.Number, bounded(strings.Join(lines, "\n"))}
	if len(in.Budgets) == 0 {
		return []Intent{text}
	}
	return []Intent{in, text}
}

// missingOwners says how many owners must still approve once so many more
// have, and who they are.
func missingOwners(v budget.Verdict, more int) string {
	left := v.Owners.Needed() - len(v.ApprovedBy) - more
	if left <= 0 {
		return " It holds for later plans too that cost no more."
	}
	return fmt.Sprintf(" %s must approve it too. %s", counted(left, "more owner"), askOwners([]budget.Verdict{v}))
}

// askOwners says whom to ask.
func askOwners(of []budget.Verdict) string {
	var names []string
	for _, v := range of {
		if who := comment.BudgetOwners(v.Owners); !slices.Contains(names, who) {
			names = append(names, who)
		}
	}
	return "Ask " + strings.Join(names, ", and ") + " to comment `approve-cost`."
}

func (b *Bot) approveCost(ctx context.Context, tx *db.Tx, in ApproveCost, actor access.Actor) error {
	if err := b.Budget.Approve(ctx, tx, in.Change.ID, in.Budgets, actor); err != nil {
		return err
	}
	return b.tell(ctx, tx, in.Change.ID, true)
}

// revokeCost takes back the sender's own words.
func (d decision) revokeCost() []Intent {
	if d.Change == nil {
		return d.refuse("There is nothing here whose cost could have been approved.")
	}
	return []Intent{RevokeCost{*d.Change}}
}

// revokeCost returns what to answer.
func (b *Bot) revokeCost(ctx context.Context, tx *db.Tx, in RevokeCost, actor access.Actor) (string, error) {
	names, err := b.Budget.Revoke(ctx, tx, in.Change.ID, actor)
	switch {
	case err != nil:
		return "", err
	case len(names) == 0:
		return "You have approved no cost in this pull request, so there is nothing to take back.", nil
	}
	for i, n := range names {
		names[i] = markdown.Code(n)
	}
	return fmt.Sprintf("%s takes back what was approved of the budget %s. What is still to be applied asks its owners again.", markdown.Code(actor.Name), strings.Join(names, ", ")),
		b.tell(ctx, tx, in.Change.ID, true)
}

// alert has the thresholds told that budgets have reached by what the caller's
// transaction records: each once a month, in the change's comment, in a reply,
// which people are notified of, in the trail and in the log. The zero change
// stands for time, which has no comment.
func (b *Bot) alert(ctx context.Context, tx *db.Tx, c run.Change) error {
	alerts, err := b.Budget.Alert(ctx, tx, c.ID)
	if err != nil || len(alerts) == 0 {
		return err
	}
	tx.AfterCommit(func() {
		for _, a := range alerts {
			b.Log.Warn("a budget's threshold is reached", "budget", a.Budget, "month", a.Month.String(), "threshold", a.Threshold, keyChange, a.Change, "text", a.Text)
		}
	})
	if c.ID == "" || c.Pull == 0 {
		return nil
	}
	var lines []string
	for _, a := range alerts {
		lines = append(lines, "⚠️ "+markdown.Prose(a.Text))
	}
	first := alerts[0]
	key := strings.ReplaceAll(fmt.Sprintf("budget-%s-%s-%s", first.Budget, first.Month, first.Threshold), " ", "-")
	return b.Queue.Enqueue(ctx, tx, replyJob{c.Client, c.Repo, c.Pull, key, strings.Join(lines, "\n\n")}, queue.Unique("reply:"+key))
}

// budgetGlance is how often budgets are looked at without anything that
// changes: time alone fills a month's forecast, and a new month begins.
const budgetGlance = 10 * time.Minute

// WatchBudgets tells of thresholds that time alone reaches, until ctx ends. Any
// number of nodes may do it at once.
func (b *Bot) WatchBudgets(ctx context.Context) {
	tick := time.NewTicker(budgetGlance)
	defer tick.Stop()
	for {
		due, err := b.Budget.AlertDue(ctx)
		if err == nil && due {
			err = b.DB.Tx(ctx, func(tx *db.Tx) error { return b.alert(ctx, tx, run.Change{}) })
		}
		if err != nil && ctx.Err() == nil {
			b.Log.Warn("budgets not looked at", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

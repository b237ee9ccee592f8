package gate

import (
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Facts is what is known when gates are evaluated. Whoever fills it in reads
// it from GitHub and from the database, never from an event's word. A nil
// pointer or a zero Pull is a fact that was not read.
type Facts struct {
	Now     time.Time
	Actor   Actor
	Pull    Pull
	Reviews *Reviews
	Owners  *Owners
	Checks  *CheckResults
	Plan    *Plan // nil before there is one
	Policy  *Policy
	Cost    *CostChange
	Budgets *BudgetsSay
}

// Actor is who acts: who wrote the command, or who merged.
type Actor struct {
	Login string
	ID    int64
	Role  string // role_name of GitHub's permission API; "" was not read
	// Teams says of each team that was asked about, by "organization/team" in
	// lower case, whether the actor is an active member of it or of a team
	// below it. A team that is not in it was not asked about.
	Teams map[string]bool
}

// Pull is the pull request as GitHub says it is now. One without a HeadSHA
// was not read.
type Pull struct {
	Number           int
	Title            string
	Author           string
	AuthorID         int64
	HeadSHA, HeadRef string
	BaseSHA, BaseRef string
	Labels           []string
	Draft, Fork      bool
	Open, Merged     bool
	Mergeable        *bool // nil until GitHub has computed it, or not read
	Behind           *int  // commits of the base branch that the head lacks; nil was not read
}

// Person is somebody who reviewed.
type Person struct {
	Login string
	ID    int64
	Role  string // as of Actor; "" was not read, and counts as none
	Bot   bool
}

// Reviews is what the latest decisive review of each person amounts to:
// comments decide nothing, and a dismissed review is none.
type Reviews struct {
	HeadSHA    string   // the head that they were read for
	ApprovedBy []Person // who approved that head
	Stale      []Person // who approved an older head only
	Against    []Person // who asks for changes
}

// Owners is who owns the files that the pull changes, by the CODEOWNERS of
// the base branch. A list of files that may be incomplete is not one: leave
// Facts.Owners nil.
type Owners struct {
	Files []OwnedFile // changed files; those without owners may be left out
	// Members says of each team that owns something who of those who approved
	// is in it: team in lower case, login in lower case. What is missing was
	// not asked about and counts as no.
	Members map[string]map[string]bool
}

// OwnedFile is a changed file with its owners as they stand in CODEOWNERS:
// "@login", "@organization/team" or an e-mail address.
type OwnedFile struct {
	Path   string
	Owners []string
}

// Teams returns the teams that own something, in lower case without the "@",
// sorted: what Members is asked for.
func (o *Owners) Teams() []string {
	var out []string
	for _, f := range o.Files {
		for _, name := range f.Owners {
			if team, ok := strings.CutPrefix(name, "@"); ok && strings.Contains(team, "/") {
				out = append(out, strings.ToLower(team))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// CheckResults are the checks and statuses of the head by their names, our
// own left out: they wait for the gate. Use Add to fill it.
type CheckResults struct {
	HeadSHA                 string // the commit that they were read for
	Failed, Pending, Passed []string
}

// Add sorts one check run (status, and conclusion once it is completed) or
// one commit status (its state as status, no conclusion) into its list.
// Neutral and skipped count as passed, as they do for GitHub's own branch
// protection; what is unknown has failed.
func (c *CheckResults) Add(name, status, conclusion string) {
	list := &c.Failed
	switch strings.ToLower(status) {
	case "queued", "in_progress", "waiting", "requested", "pending", "expected":
		list = &c.Pending
	case "success":
		list = &c.Passed
	case "completed":
		switch strings.ToLower(conclusion) {
		case "success", "neutral", "skipped":
			list = &c.Passed
		}
	}
	*list = append(*list, name)
}

// Plan is the plan that would be applied.
type Plan struct {
	Project, Dir, Workspace                                     string
	Create, Update, Replace, Delete, Read, Move, Import, Forget int
	Destroy                                                     bool // made to destroy the whole project
	Digest                                                      string
	Serial                                                      int64    // of the state that it was made from
	Targets                                                     []string // addresses of -target and -replace
	Resources                                                   []Resource
}

// Resource is one resource that the plan touches.
type Resource struct {
	Address string
	Type    string
	Action  string // create | update | replace | delete | read | move | import | forget | noop
}

// Policy is what the policies said of the plan.
type Policy struct {
	Verdict string // pass | warn | fail | error
	Waived  bool   // the verdict is fail, and everything that would forbid the plan was accepted by those who may
	Hard    int    // findings that nobody can accept
}

// CostChange is the estimate of what the plan changes in USD a month.
type CostChange struct {
	Before, After, Delta *decimal.Decimal
	// Known is set where Delta can't be exceeded by what has no price: the
	// estimate's bound is exact or "at most".
	Known bool
}

// BudgetsSay is what the server's budgets say of the plan.
type BudgetsSay struct {
	Exceeded []Exceeded // those that the plan would exceed and whose owners have not approved that
}

// Exceeded is one budget that the plan would exceed.
type Exceeded struct {
	Why string   // a sentence, Markdown in which everything that others wrote is quoted
	Who []string // who may approve: logins and teams; empty is whoever has the role maintain
}

package bot

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// When the lock of a project is taken.
const (
	LockAtPlan  = "plan"  // from the first plan to the apply or the pull's end
	LockAtApply = "apply" // only while applying
	LockOff     = "off"   // never across runs; Terraform's own state lock remains
)

// Settings is how a repository's pull requests are treated: the server's
// defaults, and over them what the repository says at the base commit.
type Settings struct {
	Lock             string `json:"lock"`               // LockAtPlan, LockAtApply or LockOff
	ApplyBeforeMerge bool   `json:"apply_before_merge"` // `apply` is obeyed on open pull requests
	ApplyOnMerge     bool   `json:"apply_on_merge"`     // merging applies
	AutoMerge        bool   `json:"auto_merge"`         // merge once everything is applied
	MergeMethod      string `json:"merge_method"`       // merge | squash | rebase
	Approvals        int    `json:"approvals"`          // approving reviews of the head, not the author's, that an `apply` before the merge needs

	AutoPlan     bool     `json:"auto_plan"`     // plan when a pull is opened or pushed to; otherwise only by command
	PlanDrafts   bool     `json:"plan_drafts"`   // plan drafts too
	DeleteBranch bool     `json:"delete_branch"` // delete the pull's branch after an automatic merge
	Commands     []string `json:"commands"`      // the commands that are obeyed; nil for all

	// Gates stand before plans, applies and destroys: the server's, tightened
	// by what the repository asks for.
	Gates gate.Set `json:"gates,omitzero"`
	// Policy is what the repository says of its own policies: they judge beside
	// the server's, and can only tighten them.
	Policy BasePolicy `json:"policy,omitzero"`
	// WaiverMax is how long a policy finding may be accepted for beyond one
	// plan; 0: not at all. It is the server's alone.
	WaiverMax time.Duration `json:"-"`
	// Budgets is set where the server has budgets: each apply asks them. It is
	// the server's alone.
	Budgets bool `json:"-"`

	ProjectChecks    bool   `json:"project_checks"`     // a check for each project beside the two for all: a request or two each
	QuietUnchanged   bool   `json:"quiet_unchanged"`    // no comment where no plan changes anything
	CommentPerCommit bool   `json:"comment_per_commit"` // a new comment for each head, the older ones folded away
	SplitComments    bool   `json:"split_comments"`     // what is too long for one comment goes on in others
	Template         string `json:"template,omitempty"` // text/template of the comment; "" for the usual one
}

// With returns the settings with the repository's own wishes over them.
func (s Settings) With(c planner.RepoConfig) Settings {
	if c.ApplyBeforeMerge != nil {
		s.ApplyBeforeMerge = *c.ApplyBeforeMerge
	}
	if c.AutoMerge != nil {
		s.AutoMerge = *c.AutoMerge
		s.ApplyBeforeMerge = s.ApplyBeforeMerge || s.AutoMerge
	}
	for _, wish := range []struct {
		to   *bool
		from *bool
	}{
		{&s.ApplyOnMerge, c.ApplyOnMerge}, {&s.AutoPlan, c.AutoPlan}, {&s.PlanDrafts, c.PlanDrafts}, {&s.DeleteBranch, c.DeleteBranch},
		{&s.ProjectChecks, c.ProjectChecks}, {&s.QuietUnchanged, c.QuietUnchanged},
		{&s.CommentPerCommit, c.CommentPerCommit}, {&s.SplitComments, c.SplitComments},
	} {
		if wish.from != nil {
			*wish.to = *wish.from
		}
	}
	if c.Lock != nil {
		s.Lock = *c.Lock
	}
	if c.MergeMethod != nil {
		s.MergeMethod = *c.MergeMethod
	}
	if c.Commands != nil {
		s.Commands = narrow(s.Commands, c.Commands)
	}
	s.Template = c.Template
	s.Gates = s.Gates.Tighten(c.Gates)
	s.Policy = BasePolicy{c.Policy, c.Commit}
	return s
}

// OfComments returns what of the settings comments and checks depend on.
func (s Settings) OfComments() comment.Settings {
	return comment.Settings{
		ApplyBeforeMerge: s.ApplyBeforeMerge, ApplyOnMerge: s.ApplyOnMerge, AutoMerge: s.AutoMerge, Commands: s.Commands, WaiverMax: s.WaiverMax,
		ProjectChecks: s.ProjectChecks, QuietUnchanged: s.QuietUnchanged, CommentPerCommit: s.CommentPerCommit, SplitComments: s.SplitComments,
		Template: s.Template,
	}
}

// Loosened says what of the repository's gates has no effect, since it would
// loosen the server's.
func (s Settings) Loosened(c planner.RepoConfig) []planner.Problem {
	var out []planner.Problem
	for _, sentence := range s.Gates.WithFloor(s.Approvals).Loosens(c.Gates) {
		out = append(out, planner.Problem{Path: planner.ConfigFile, Message: sentence})
	}
	return out
}

// narrow returns those of the wanted commands that the server allows: a
// repository may forbid more than the server does, never less.
func narrow(allowed, wanted []string) []string {
	both := []string{} // not nil: none left is not all
	for _, c := range wanted {
		if allowed == nil || slices.Contains(allowed, c) {
			both = append(both, c)
		}
	}
	return both
}

// settingsOf returns how the change was treated when it was planned, fallback
// where it was not planned yet.
func settingsOf(c run.Change, fallback Settings) (Settings, error) {
	if c.Settings == "" {
		return fallback, nil
	}
	s := fallback // what an older version of this program did not store
	err := json.Unmarshal([]byte(c.Settings), &s)
	return s, err
}

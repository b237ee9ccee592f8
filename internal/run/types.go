package run

import (
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// Pull is what is stored of a pull request: what was last read from GitHub,
// never what a webhook claimed.
type Pull struct {
	Repo     int64 // GitHub's repository ID
	Number   int
	Client   string
	Title    string
	Author   string
	AuthorID int64
	HeadSHA  string
	HeadRef  string
	HeadRepo int64 // differs from Repo for a fork; 0 when the fork is gone
	BaseSHA  string
	BaseRef  string
	Open     bool
	Merged   bool
	MergeSHA string // the commit on the base branch; only once merged
	Draft    bool
	Labels   []string
	Updated  time.Time
}

// Fork reports whether the pull's commits come from another repository.
func (p Pull) Fork() bool { return p.HeadRepo != p.Repo }

// Change is one pull at one head commit.
type Change struct {
	ID            string
	Client        string
	Repo          int64
	Pull          int
	HeadSHA       string
	BaseSHA       string
	Status        ChangeStatus
	Reason        string       // why it is Unplannable, in sentences for people
	Settings      string       // JSON of whoever plans: how the pull is treated, as the base branch said then; "" before that
	Notes         string       // what is wrong in the repository but kept nothing from being planned, a line each
	CommentID     int64        // GitHub's; 0 until posted
	CommentIntent time.Time    // when posting the first comment was begun; zero if never
	Rev           int64        // grows with everything that the comment or a check should tell
	AnsweredRev   int64        // the Rev that GitHub was last told
	MergeSHA      string       // set when the pull was merged at this head
	AutoMerge     bool         // merge once everything is applied
	Trusted       access.Actor // who let this head of a fork be planned; zero if nobody did or had to
	GroupRef      string       // the merge queue's branch that this is the head of; "" for a pull's own head
	Branch        string       // the branch whose tip this is, where it is of no pull and Pull is 0; "" for a pull's
	Created       time.Time
	Updated       time.Time
}

// Target is the commit that the change's plans are made of: its head, or what
// the head became on the base branch.
func (c Change) Target() string {
	if c.MergeSHA != "" {
		return c.MergeSHA
	}
	return c.HeadSHA
}

// Key names a project for locks and states: immutable IDs and paths, never a
// name that a pull can edit.
type Key struct {
	Repo      int64
	Dir       string
	Workspace string
}

// Run is one plan or apply of one project in one change.
type Run struct {
	ID      string
	Client  string
	Change  string
	Repo    int64
	Pull    int
	Kind    Kind
	Project planner.Project
	Commit  string // what is planned or applied: the head, or what it became on the base branch
	Status  Status
	Actor   access.Actor
	Node    string // who works on it, or last did
	Order   int    // its place in the comment
	Layer   int    // of a change's projects: a layer is planned when those below are applied
	PlanRun string // for an apply: the run whose plan was reviewed
	Batch   string // runs that one command asked for and one reply tells of; "" where the comment tells

	Options   planner.Options   // what was asked for beyond the code
	Operation planner.Operation // of a StateChange
	Retry     bool              // an apply that goes on where a failed one ended: it may do less than was reviewed
	StopActor access.Actor      // who asked for it to be stopped; zero if nobody did
	Waivers   []Waiver          // words about what the policies found in this plan, also those that are over; see Standing
	Author    string            // of its pull, and AuthorID: who accepts nothing in it. Filled in where policies forbid it
	AuthorID  int64             //
	Read      time.Time         // when it was read from the database: what has expired by then counts for nothing
	Gates     string            // JSON of gate.Record: what the gates said when it was let through; "" for none

	InputsDigest string // of the files that shape the plan
	PlanDigest   string
	StateLineage string
	StateSerial  int64

	// MadeWith is a hash of what else shaped a plan: the server's settings, the
	// policies, what they are told of the pull. Where a plan stands for a later
	// commit than the one it was made of, Since is that one and Made the time:
	// nothing that shapes it has changed in between.
	MadeWith string
	Earlier  string // the run whose plan stands for this one if Terraform finds the same state; "" for none
	Since    string
	Made     time.Time

	PlanBlob     string // the saved plan file
	PlanJSONBlob string // terraform show -json
	LogBlob      string

	Summary   tfplan.Summary
	Resources []Resource // that a plan changes, for the gates; a huge plan's are cut
	Diff      string     // the plan as text, sensitive values masked, cut to what a comment can hold
	Report    *policy.Report
	Estimate  *cost.Estimate
	Error     string // sentences for people

	// Tool is what it was or is run with, as ToolWord makes it; "" before it
	// begins. An apply has its plan's from the start: a saved plan is read by
	// no other version.
	Tool string

	Done, Total int   // steps, while it runs
	Now         Now   // what it does, while it runs
	Steps       int   // that a plan took; 0 where that is not known
	PeakMemory  int64 // of all its processes at once, in bytes; 0 where that is not known
	Created     time.Time
	Started     time.Time
	Finished    time.Time
}

// Key returns the run's lock key.
func (r Run) Key() Key { return Key{r.Repo, r.Project.Dir, r.Project.Workspace} }

// underWay reports whether Terraform may be changing something for the run.
func (r Run) underWay() bool {
	return (r.Kind == Apply || r.Kind == StateChange) && r.Status == Running
}

// NoChanges reports whether a finished plan would change nothing at all.
func (r Run) NoChanges() bool { return r.Kind == Plan && r.Status == Planned && r.Summary.Empty() }

// Resource is one resource that a plan changes.
type Resource struct {
	Address string        `json:"address"`
	Type    string        `json:"type"`
	Action  tfplan.Action `json:"action"`
}

// Lock says which pull alone may change a project.
type Lock struct {
	Key
	Client string
	Change string
	Pull   int
	Run    string // the apply that is under way; "" when none is
	Holder string // the login of who caused it
	Fence  int64  // grows with every change of hands
	Taken  time.Time
}

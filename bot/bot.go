package bot

import (
	"cmp"
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/binaries"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/capacity"
	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/drift"
	"github.com/tidelock/tidelock/internal/explorer"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/prices"
	"github.com/tidelock/tidelock/internal/providers"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/runner"
	"github.com/tidelock/tidelock/internal/secrets"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// Options is what a Bot works with. All but Masker, PublicURL, Now and Received are
// required.
type Options struct {
	DB        *db.DB
	Queue     *queue.Queue // not started yet: New registers the bot's handlers
	App       *github.App
	Version   string // this program's
	Name      string // what the App was called on GitHub the last time, without "[bot]"; "" where that is not known: see Called
	Clients   *clients.Store
	Runs      *run.Store
	Blobs     *blob.Store
	Checkout  *checkout.Store
	Drift     *drift.Store
	Budget    *budget.Store
	States    *state.Store   // of projects that declare no backend
	Actuals   *actuals.Store // nil: no bills are matched to resources
	Runner    *runner.Runner
	Capacity  *capacity.Gate // of this machine, which all runs pass; nil limits nothing
	Policies  *policyset.Sets
	Estimator proposal.Estimator

	Providers *providers.Store

	Inventory *explorer.Index // nil: plans are not noted in any

	Submodules Submodules

	Node      string // this process's name in the nodes table
	DataDir   string // for work trees
	Settings  Settings
	Terraform Terraform
	// DriftDefaults are for repositories whose configuration says nothing else;
	// what a drift check found is kept for DriftKeep, 0 for ever.
	DriftDefaults drift.Defaults
	DriftKeep     time.Duration
	// Terms are how each client's plans are priced; nil is at list prices.
	Terms     *prices.Terms
	PublicURL string         // where this server's pages are, for links; "" for no links
	Masker    *redact.Masker // masks the server's own secrets in whatever Terraform printed
	Log       *slog.Logger
	Now       func() time.Time
	// Received is told what became of each request at the webhook's address; nil
	// where nobody wants to know. It must be fast, and safe for concurrent use.
	Received func(Receipt)
}

// Terraform is how runs are made.
type Terraform struct {
	Tools        *binaries.Store // which Terraform or OpenTofu each project gets
	Env          map[string]string
	PlanTimeout  time.Duration
	ApplyTimeout time.Duration
	Parallel     int               // plans at once
	RunMemory    int64             // bytes that a run is taken to need whose project was never run before
	KeepTrees    time.Duration     // how long the work trees of an open pull stay after their last use; 0: not at all
	ReusePlans   time.Duration     // how long an earlier commit\'s plan may stand for a later one; 0: not at all
	AllowHooks   bool              // run the programs that a repository's configuration names
	ProjectEnv   []string          // names of variables that a repository's configuration may set
	Terragrunt   *tfrun.Terragrunt // for projects that are its units; nil where there is none
	Secrets      *secrets.Store    // that repositories may ask for; nil for none
}

// Bot hears, decides, acts and answers.
type Bot struct {
	Options
	actor  access.Actor // for what nobody asked for
	called *calling
	trees  *trees
	nudges nudges
	glance time.Duration // see watch
}

// The keys of log attributes.
const (
	keyDelivery = "delivery"
	keyClient   = "client"
	keyRepo     = "repo"
	keyPull     = "pull"
	keyProject  = "project"
	keyRun      = "run"
	keyChange   = "change"
	keyJob      = "job"
)

// The queue's lanes: each has its own workers, so that a flood of plans never
// keeps an apply or an answer waiting.
const (
	LaneEvents  = "events"  // deliveries: short
	LanePrepare = "prepare" // fetch and discover: network and disk
	LanePlans   = "plans"   // Terraform plans: as many as the machine bears
	LaneApplies = "applies" // Terraform applies
	LaneDrift   = "drift"   // comparisons that no pull asked for: when no pull's plan waits
	LaneAnswers = "answers" // writes to GitHub
)

// Lanes returns the workers of each lane for so many plans at once.
func Lanes(parallel int) map[string]int {
	return map[string]int{LaneEvents: 4, LanePrepare: 2, LanePlans: parallel, LaneApplies: max(2, parallel), LaneAnswers: 4,
		LaneDrift: max(1, parallel/4)}
}

// FairLanes are those in which clients take turns: what a webhook sets off.
// Applies and answers are few, and GitHub's limits for them are each client's own.
func FairLanes() []string { return []string{LaneEvents, LanePrepare, LanePlans, LaneDrift} }

// New returns a bot and registers its handlers with the queue.
func New(o Options) *Bot {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Masker == nil {
		o.Masker = redact.NewMasker()
	}
	if o.Capacity == nil {
		o.Capacity = capacity.New(func() capacity.Limits { return capacity.Limits{} })
	}
	b := &Bot{Options: o, actor: access.Actor{Kind: "bot", Name: cmp.Or(o.Name, "tidelock")}, called: newCalling(o.Name), glance: glance}
	b.trees = newTrees(filepath.Join(o.DataDir, "trees"), b.checkoutTree)

	quick := queue.HandlerOptions{MaxAttempts: 25, Timeout: 10 * time.Minute}
	// Plans and applies last as long as they last; their own time limits are
	// kept where the runner is watched. Their attempts are many because every
	// attempt first looks at what has already happened: no handler of an apply
	// starts Terraform twice.
	long := queue.HandlerOptions{MaxAttempts: 25, Timeout: -1}
	queue.Handle(o.Queue, LaneEvents, b.deliver, quick)
	queue.Handle(o.Queue, LaneEvents, b.refetch, quick)
	queue.Handle(o.Queue, LaneEvents, b.missedComment, quick)
	queue.Handle(o.Queue, LanePrepare, b.plan, quick)
	queue.Handle(o.Queue, LanePrepare, b.merged, quick)
	queue.Handle(o.Queue, LanePlans, b.planRun, long)
	queue.Handle(o.Queue, LaneApplies, b.applyRun, long)
	queue.Handle(o.Queue, LaneAnswers, b.answer, quick)
	queue.Handle(o.Queue, LaneAnswers, b.reply, quick)
	queue.Handle(o.Queue, LaneAnswers, b.react, queue.HandlerOptions{MaxAttempts: 3, Timeout: time.Minute})
	queue.Handle(o.Queue, LaneAnswers, b.autoMerge, quick)
	queue.Handle(o.Queue, LaneAnswers, b.fold, quick)
	queue.Handle(o.Queue, LaneAnswers, b.rollback, quick)
	b.handleDrift()
	return b
}

// Jobs. Each names the rows that it acts on, nothing that a row already says.
type (
	deliveryJob struct {
		GUID string `json:"guid"`
	}
	refetchJob struct {
		Client string       `json:"client"`
		Repo   int64        `json:"repo"`
		Pull   int          `json:"pull"`
		Actor  access.Actor `json:"actor"` // who pushed
	}
	planJob struct {
		Change  string          `json:"change"`
		Filter  command.Filter  `json:"filter"`
		Options planner.Options `json:"options,omitzero"`
		Actor   access.Actor    `json:"actor"`
		Asked   bool            `json:"asked,omitempty"` // somebody, or something that changed, asks for it: not the push alone
	}
	mergedJob struct {
		Change string       `json:"change"`
		Actor  access.Actor `json:"actor"`
		Unseen bool         `json:"unseen,omitempty"` // no plan was offered before the merge
	}
	planRunJob struct {
		Run string `json:"run"`
	}
	applyRunJob struct {
		Run string `json:"run"`
	}
	answerJob struct {
		Change string `json:"change"`
	}
	replyJob struct {
		Client string `json:"client"`
		Repo   int64  `json:"repo"`
		Pull   int    `json:"pull"`
		Key    string `json:"key"` // unique; found again in the comment after a crash
		Text   string `json:"text"`
	}
	reactJob struct {
		Client  string `json:"client"`
		Repo    int64  `json:"repo"`
		Comment int64  `json:"comment"`
	}
	autoMergeJob struct {
		Change string `json:"change"`
	}
	rollbackJob struct {
		Client string       `json:"client"`
		Repo   int64        `json:"repo"`
		Pull   int          `json:"pull"`
		Key    string       `json:"key"`
		Actor  access.Actor `json:"actor"`
	}
)

func (deliveryJob) Kind() string  { return "delivery" }
func (refetchJob) Kind() string   { return "refetch" }
func (planJob) Kind() string      { return "plan" }
func (mergedJob) Kind() string    { return "merged" }
func (planRunJob) Kind() string   { return "plan_run" }
func (applyRunJob) Kind() string  { return "apply_run" }
func (answerJob) Kind() string    { return "answer" }
func (replyJob) Kind() string     { return "reply" }
func (reactJob) Kind() string     { return "react" }
func (autoMergeJob) Kind() string { return "auto_merge" }
func (rollbackJob) Kind() string  { return "rollback" }

// installation returns the client's voice on GitHub.
func (b *Bot) installation(ctx context.Context, client string) (*github.Client, error) {
	c, err := b.Clients.Client(ctx, b.DB, client)
	if err != nil {
		return nil, err
	}
	return b.App.Installation(c.InstallationID), nil
}

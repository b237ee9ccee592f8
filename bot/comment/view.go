package comment

import (
	"slices"
	"time"

	"github.com/tidelock/tidelock/bot/command"
	budgets "github.com/tidelock/tidelock/internal/budget" // budget is what a template may spend
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/run"
)

// View is everything that a comment or a check may say of a change. It is
// read from the database alone, so that rendering can be repeated by anyone at
// any time.
type View struct {
	Change   run.Change
	Pull     run.Pull
	Repo     clients.Repo
	Settings Settings
	Pairs    []run.Pair
	Holders  map[run.Key]run.Lock // who holds the projects' locks, any pull
	Posted   map[string]run.Check // what GitHub shows of this change already, by name
	Budgets  []budgets.Verdict    // what the budgets say of what is still to be applied
	Alerts   []budgets.Alert      // thresholds of budgets that this change's merge or apply reached
	// Errored are states that applies could not write and that nobody has
	// pushed yet, by run.
	Errored map[string]Errored
	// Uncommitted tells that the plans are of work that is in no commit yet: at
	// somebody's desk, never on GitHub.
	Uncommitted bool
	URL         string // of this change's page here; "" where there is none
	Now         time.Time
}

// Errored is a state that an apply could not write, and that is kept.
type Errored struct {
	State   string // CLIENT/PROJECT
	Version int64
	Backend string // where the project keeps its state, if that is not here
	URL     string // of the state's page here; "" where there is none
}

// Settings is what a repository's settings have to do with what is told. Each
// means the same as in the bot's own, from which they are taken.
type Settings struct {
	ApplyBeforeMerge bool          // `apply` is obeyed on open pull requests
	ApplyOnMerge     bool          // merging applies
	AutoMerge        bool          // what is applied whole is merged
	Commands         []string      // the commands that are obeyed; nil for all
	WaiverMax        time.Duration // how long policy findings may be accepted beyond one plan; 0: not at all

	ProjectChecks    bool   // a check for each project beside the two for all
	QuietUnchanged   bool   // no comment where no plan changes anything
	CommentPerCommit bool   // a new comment for each head
	SplitComments    bool   // what is too long for one comment goes on in others
	Template         string // text/template of the comment; "" for the usual one
}

// obeys reports whether the command is taken, so that none is proposed that is
// not.
func (s Settings) obeys(v command.Verb) bool {
	return s.Commands == nil || v == command.Help || slices.Contains(s.Commands, string(v))
}

// Phase is what the change as a whole is doing.
func (v View) Phase() run.Phase { return run.PhaseOf(v.Change, v.Pairs) }

func (v View) tally() run.Tally { return run.TallyOf(v.Pairs) }

// Short is a commit's first seven digits, as GitHub shows it.
func Short(sha string) string {
	if len(sha) > 7 {
		return sha[:7]
	}
	return sha
}

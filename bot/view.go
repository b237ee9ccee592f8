package bot

import (
	"time"

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
	Bot      string               // what the bot is called on GitHub, without "[bot]"
	URL      string               // of this change's page here; "" where there is none
	Now      time.Time
}

// Phase is what the change as a whole is doing.
func (v View) Phase() run.Phase { return run.PhaseOf(v.Change, v.Pairs) }

func (v View) tally() run.Tally { return run.TallyOf(v.Pairs) }

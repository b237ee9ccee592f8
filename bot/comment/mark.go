package comment

import (
	"fmt"

	"github.com/tidelock/tidelock/internal/run"
)

// Mark is the hidden line by which the bot finds the n-th comment, from 1,
// again. Where each commit has comments of its own, it names the commit.
func (v View) Mark(n int) string {
	id := fmt.Sprintf("%d:%d", v.Change.Repo, v.Change.Pull)
	if v.Settings.CommentPerCommit {
		id += ":" + v.Change.HeadSHA
	}
	if n > 1 {
		id += fmt.Sprintf(":%d", n)
	}
	return "<!-- tidelock:" + id + " -->"
}

// Worth reports whether the change is told of in a comment: has says whether
// there is one already, which is then kept up to date whatever there is to say.
func Worth(v View, has bool) bool {
	c := v.Change
	if c.Status == run.Outdated || c.GroupRef != "" {
		return false // the newer head's comment tells; a merge queue's commit has none
	}
	if has {
		return true
	}
	switch v.Phase() {
	case run.PhaseEmpty:
		return c.Notes != ""
	case run.PhaseQueued, run.PhaseClosed:
		return false
	case run.PhaseGated:
		return c.Reason != ByCommand // where plans are made by command, nobody waits for one
	case run.PhaseUnchanged, run.PhasePlanning: // what is being planned may change nothing
		return !v.Settings.QuietUnchanged || c.Notes != ""
	}
	return true
}

// ByCommand is why a change is not planned where nobody asked for it.
const ByCommand = "Plans are made by command in this repository: comment `plan`."

// Emptied is what is left of a further comment that is needed no more.
const Emptied = "_Nothing goes on here any more: the first comment has it all._\n"

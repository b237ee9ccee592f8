package drift

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/planner"
)

// Status says how a project stands to the world.
type Status string

const (
	Clean   Status = "clean"   // the world is what the state says
	Drifted Status = "drifted" // something was changed outside of Terraform
	Failed  Status = "failed"  // they could not be compared
)

// Project is what the last check of a project found.
type Project struct {
	Repo           int64
	Client         string
	Dir, Workspace string
	Name           string // for people
	Status         Status
	Since          time.Time // since when it is so
	Checked        time.Time
	Check, Run     string // IDs; the run has the text
	Digest         string // of the drift
	Pull           int    // the pull request that was changing the project during the check; 0 for none
	Remedy         int    // the pull request that would take the drift back; 0 for none
	RemedyDigest   string // of the drift that it was opened for
}

// Planner returns the project as planner names it.
func (p Project) Planner() planner.Project {
	return planner.Project{Name: p.Name, Dir: p.Dir, Workspace: p.Workspace}
}

// Key is planner.Project.Key.
func (p Project) Key() string { return p.Planner().Key() }

// Found is what one check found of one project.
type Found struct {
	Check, Run string
	Project    planner.Project
	Status     Status
	Digest     string // of the drift
	Pull       int    // that is changing the project; 0 for none
	At         time.Time
}

// After returns what is known of a project once a check has found that. was is
// what was known, the zero Project where nothing was. Pure.
func After(was Project, repo int64, client string, f Found) Project {
	p := was
	p.Repo, p.Client, p.Dir, p.Workspace, p.Name = repo, client, f.Project.Dir, f.Project.Workspace, f.Project.Name
	p.Status, p.Check, p.Run, p.Pull, p.Checked = f.Status, f.Check, f.Run, f.Pull, f.At
	if was.Status != f.Status {
		p.Since = f.At
	}
	switch f.Status {
	case Drifted:
		p.Digest = f.Digest
	case Clean:
		p.Digest = ""
	} // what can't be compared may still be what it was
	return p
}

// Digest tells one drift of a repository from another: which projects have
// drifted, and how; "" where none has. Pure.
func Digest(all []Project) string {
	var parts []string
	for _, p := range all {
		if p.Status == Drifted {
			parts = append(parts, fmt.Sprintf("%q %q", p.Key(), p.Digest))
		}
	}
	if parts == nil {
		return ""
	}
	slices.Sort(parts)
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:12])
}

// Repo is what is known of a repository's drift beside its projects'.
type Repo struct {
	ID      int64
	Client  string
	Read    time.Time // when its schedules were read; zero: they are to be read
	Problem string    // why they can't be, for people
	Trouble string    // why GitHub could not be told, for people
	Issue   Issue
}

// Issue is the one issue that tells of a repository's drift.
type Issue struct {
	Number    int
	State     IssueState
	Shown     string // hash of what it says
	Dismissed string // digest of the drift for which somebody closed it
}

// IssueState is how Tidelock left the issue.
type IssueState string

const (
	IssueNone      IssueState = ""          // there never was one
	IssueIntended  IssueState = "intended"  // it was about to be opened: after a crash, look for it
	IssueOpen      IssueState = "open"      // it is open
	IssueClosed    IssueState = "closed"    // it was closed, since nothing had drifted any more
	IssueDismissed IssueState = "dismissed" // a person closed it: it rests until the drift is another
)

// Seen is how GitHub shows the issue now.
type Seen struct {
	There bool // false where it was deleted
	Open  bool
}

// Step is what is to be done with the issue.
type Step int

const (
	Rest   Step = iota // nothing
	Make               // open one
	Update             // write it anew
	Reopen             // open it again, and write it anew
	Close              // close it, and write it anew
)

// Decide says what is to be done with the issue, and what is to be stored of
// it before anything is done. shown is the hash of what it would say. seen is
// asked for only where there is one and something depends on it. Pure.
func Decide(i Issue, all []Project, seen Seen, shown string) (Step, Issue) {
	digest := Digest(all)
	unsure := slices.ContainsFunc(all, func(p Project) bool { return p.Status == Failed && p.Digest != "" })
	switch i.State {
	case IssueNone, IssueIntended:
		if digest != "" || i.State == IssueIntended {
			i.State = IssueIntended
			return Make, i
		}
		return Rest, i
	case IssueDismissed:
		switch {
		case digest == "" && !unsure:
			i.State, i.Dismissed = IssueClosed, "" // the next drift is another
		case digest != "" && digest != i.Dismissed:
			i.Dismissed = ""
			return again(i, seen)
		}
		return Rest, i
	case IssueClosed:
		if digest == "" {
			return Rest, i
		}
		return again(i, seen)
	}
	switch {
	case !seen.There || !seen.Open: // somebody's word
		i.State, i.Dismissed = IssueDismissed, digest
		if digest == "" && !unsure {
			i.State = IssueClosed
		}
		return Rest, i
	case digest == "" && !unsure:
		i.State = IssueClosed
		return Close, i
	case i.Shown != shown:
		return Update, i
	}
	return Rest, i
}

// again opens the issue again, or another where it was deleted.
func again(i Issue, seen Seen) (Step, Issue) {
	if !seen.There {
		return Make, Issue{State: IssueIntended}
	}
	i.State = IssueOpen
	if seen.Open { // somebody has opened it already
		return Update, i
	}
	return Reopen, i
}

// Asks reports whether Decide needs to see the issue. Pure.
func Asks(i Issue, all []Project) bool {
	switch i.State {
	case IssueNone, IssueIntended:
		return false
	case IssueClosed:
		return Digest(all) != ""
	case IssueDismissed:
		d := Digest(all)
		return d != "" && d != i.Dismissed
	}
	return true
}

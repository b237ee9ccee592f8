package github

import (
	"strconv"
	"strings"
)

// SuiteEvent is a check suite: all check runs of one App on one commit. Someone
// who presses "re-run all checks" makes GitHub send it with the action
// rerequested.
type SuiteEvent struct {
	ID                 int64
	HeadSHA            string
	HeadBranch         string // empty where GitHub does not know, as for forks
	AppID              int64
	Status, Conclusion string
	Pulls              []int // numbers; empty for forks
}

// StatusEvent is a commit status that someone has set.
type StatusEvent struct {
	SHA, Context, State string
}

// Branch returns the branch that a push is about, "" for a tag: a deleted one
// has Deleted set and a zero After.
func (e Event) Branch() string { return cutRef(e.Ref, "refs/heads/") }

// Tag returns the tag that a push is about, "" for a branch.
func (e Event) Tag() string { return cutRef(e.Ref, "refs/tags/") }

func cutRef(ref, prefix string) string {
	name, ok := strings.CutPrefix(ref, prefix)
	if !ok {
		return ""
	}
	return name
}

// queuePrefix is where GitHub keeps the branches of merge queues.
const queuePrefix = "refs/heads/gh-readonly-queue/"

// OnQueueBranch reports whether a push moved one of the branches that a merge
// queue makes for itself: nobody's work, and gone in minutes.
func (e Event) OnQueueBranch() bool { return strings.HasPrefix(e.Ref, queuePrefix) }

// Pull returns the number of the group's last pull request, which its branch
// is named by; 0 where it is named in a way that we do not know. The group may
// hold others before it.
func (g MergeGroup) Pull() int {
	_, last, ok := strings.Cut(g.HeadRef, "/pr-")
	for ok {
		var more string
		if _, more, ok = strings.Cut(last, "/pr-"); ok { // a base branch may be called so
			last = more
		}
	}
	digits, _, _ := strings.Cut(last, "-")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// Base returns the name of the branch into which the group is to be merged.
func (g MergeGroup) Base() string { return strings.TrimPrefix(g.BaseRef, "refs/heads/") }

// checkPulls are the pull requests that a check run or suite names.
type checkPulls []struct {
	Number int `json:"number"`
}

func (p checkPulls) numbers() []int {
	var out []int
	for _, pull := range p {
		out = append(out, pull.Number)
	}
	return out
}

type suiteJSON struct {
	ID         int64   `json:"id"`
	HeadSHA    string  `json:"head_sha"`
	HeadBranch *string `json:"head_branch"`
	Status     *string `json:"status"`
	Conclusion *string `json:"conclusion"`
	App        *struct {
		ID int64 `json:"id"`
	} `json:"app"`
	Pulls checkPulls `json:"pull_requests"`
}

func readSuite(p *payload, e *Event) string {
	k := p.CheckSuite
	if k == nil || k.ID == 0 {
		return "check_suite"
	}
	e.Suite = &SuiteEvent{ID: k.ID, HeadSHA: k.HeadSHA, HeadBranch: text(k.HeadBranch), Status: text(k.Status), Conclusion: text(k.Conclusion), Pulls: k.Pulls.numbers()}
	if k.App != nil {
		e.Suite.AppID = k.App.ID
	}
	return readRepository(p, e)
}

func readStatus(p *payload, e *Event) string {
	if p.SHA == "" {
		return "sha"
	}
	e.Status = &StatusEvent{SHA: p.SHA, Context: p.Context, State: p.State}
	return readRepository(p, e)
}

// readTarget reads installation_target: the account was renamed.
func readTarget(p *payload, e *Event) string {
	if e.Installation.ID == 0 {
		return "installation"
	}
	if p.Account != nil {
		e.Installation.Account, e.Installation.AccountID = p.Account.Login, p.Account.ID
	}
	if p.Changes != nil && p.Changes.Login != nil {
		e.WasOwner = p.Changes.Login.From
	}
	return ""
}

// readChanged reads repository: what it was called, and whose it was.
func readChanged(p *payload, e *Event) string {
	if c := p.Changes; c != nil {
		if c.Repository != nil {
			e.WasNamed = c.Repository.Name.From
		}
		if c.Owner != nil {
			for _, who := range []*userJSON{c.Owner.From.User, c.Owner.From.Organization} {
				if who != nil {
					e.WasOwner = who.Login
				}
			}
		}
		if c.DefaultBranch != nil {
			e.WasDefault = c.DefaultBranch.From
		}
	}
	return readRepository(p, e)
}

// changesJSON is what an edit changed.
type changesJSON struct {
	Base *struct {
		Ref struct {
			From string `json:"from"`
		} `json:"ref"`
		SHA struct {
			From string `json:"from"`
		} `json:"sha"`
	} `json:"base"`
	Repository *struct {
		Name struct {
			From string `json:"from"`
		} `json:"name"`
	} `json:"repository"`
	Owner *struct {
		From struct {
			User         *userJSON `json:"user"`
			Organization *userJSON `json:"organization"`
		} `json:"from"`
	} `json:"owner"`
	DefaultBranch *struct {
		From string `json:"from"`
	} `json:"default_branch"`
	Login *struct {
		From string `json:"from"`
	} `json:"login"`
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

package githubtest

import (
	"strings"
	"sync"
	"time"
)

// user is an account: a person, an organisation or the App's bot.
type user struct {
	id    int64
	login string
	kind  string // User, Organization, Bot
	token string // a personal access token, for git and the API
}

// installation is the App on one account.
type installation struct {
	id        int64
	account   *user
	repos     map[int64]bool
	suspended time.Time
	deleted   bool
	created   time.Time

	window time.Time // the rate limit's hour
	used   int

	graphWindow time.Time // GraphQL has an hour and a budget of its own
	graphUsed   int
}

// token is an installation token, or a person's when install is nil.
type token struct {
	install *installation
	user    *user
	repos   map[int64]bool // what it was narrowed to; nil: all of the installation's
	perms   map[string]string
	expires time.Time
}

// repo is a repository. The git lock is held by whoever changes refs; where
// both are needed it is taken before the server's.
type repo struct {
	git sync.Mutex

	id            int64
	owner         *user
	name          string
	defaultBranch string
	private       bool
	parent        *repo // of a fork
	dir           string
	created       time.Time
	collaborators map[string]string // login in lower case → role name
	required      map[string][]string
	pulls         []*pull  // by number
	issues        []*issue // that are no pull requests; they share the pulls' numbers
	noIssues      bool     // issues are switched off
	comments      map[int64]*comment
	checks        []*checkRun
	checkByID     map[int64]*checkRun
	suites        map[string]int64 // head commit and, for others' suites, App → check suite
	gates
}

func (r *repo) full() string { return r.owner.login + "/" + r.name }

// pull is a pull request of a repository.
type pull struct {
	id     int64
	number int
	repo   *repo
	head   *repo // nil once the fork is deleted
	author *user

	title, body      string
	headRef, headSHA string
	baseRef, baseSHA string
	headLabel        string
	state            string
	draft            bool
	labels           []string

	pushedBy *user // who pushed last, nil: nobody since it was opened
	merged   bool
	mergeSHA string
	mergedBy *user
	mergedAt time.Time
	// mergedOnto is what the base branch was at before, "" where a push brought
	// the merge about.
	mergedOnto string
	queued     *queueEntry // in the merge queue; nil: not

	mergeable  *bool // nil: not computed for this head and base
	computing  bool
	testCommit string // refs/pull/N/merge
	asked      string // for which head and base mergeable was shown already

	created, updated, closed time.Time
	comments                 []*comment
	reviews                  []*review
	timeline                 []entry // what the page shows, in order
	additions, deletions     int
	files, commits           int
}

// entry is a line of the pull request's page that is no comment.
type entry struct {
	at   time.Time
	by   *user
	text string
	sha  string
	comm *comment
	rev  *review
}

type comment struct {
	id               int64
	pull             *pull
	author           *user
	app              bool // written by the App
	body             string
	created, updated time.Time
	edits            int
	reactions        []reaction
	minimized        string // why it is folded away: "outdated", …; "": it is not
}

type reaction struct {
	id      int64
	by      *user
	content string
	at      time.Time
}

type review struct {
	id     int64
	author *user
	state  string // as REST writes it: APPROVED
	body   string
	commit string
	at     time.Time
}

type checkRun struct {
	id                   int64
	app                  *thirdApp // nil: ours
	suite                int64
	name, sha            string
	status, conclusion   string
	details, external    string
	title, summary, text string
	annotations          []annotation
	actions              []map[string]string
	started, completed   time.Time
	updates              int
}

type annotation struct {
	Path      string `json:"path"`
	StartLine int    `json:"start_line"`
	EndLine   int    `json:"end_line"`
	Level     string `json:"annotation_level"`
	Title     string `json:"title"`
	Message   string `json:"message"`
	Raw       string `json:"raw_details"`
}

// roles in ascending order, as role_name has them.
var roleRank = map[string]int{"none": 0, "read": 1, "triage": 2, "write": 3, "maintain": 4, "admin": 5}

// role returns what a login may do in the repository.
func (r *repo) role(login string) string {
	login = strings.ToLower(login)
	if login == strings.ToLower(r.owner.login) {
		return "admin"
	}
	if role, ok := r.collaborators[login]; ok {
		return role
	}
	if !r.private {
		return "read"
	}
	return "none"
}

// latestChecks returns the newest check of each name and App on a commit, in
// the order in which they first came up. s.mu is held.
func (r *repo) latestChecks(sha string) []*checkRun {
	type key struct {
		app  *thirdApp
		name string
	}
	at := map[key]int{}
	var out []*checkRun
	for _, c := range r.checks {
		if c.sha != sha {
			continue
		}
		k := key{c.app, c.name}
		if i, ok := at[k]; ok {
			out[i] = c
			continue
		}
		at[k] = len(out)
		out = append(out, c)
	}
	return out
}

// missing returns the names of the required checks of the pull's base branch
// that have not succeeded on its head. s.mu is held.
func (p *pull) missing() []string {
	rules, _ := p.repo.guarded(p.baseRef)
	return p.repo.missingAt(p.headSHA, rules.Checks)
}

// mergeableState is GitHub's word for how the pull stands. s.mu is held.
func (p *pull) mergeableState() string {
	switch {
	case p.state != "open" || p.mergeable == nil:
		return "unknown"
	case !*p.mergeable:
		return "dirty"
	case p.draft:
		return "draft"
	case len(p.missing()) > 0:
		return "blocked"
	}
	for _, c := range p.repo.latestChecks(p.headSHA) {
		if c.status != "completed" || (c.conclusion != "success" && c.conclusion != "neutral" && c.conclusion != "skipped") {
			return "unstable"
		}
	}
	for _, st := range p.repo.latestStatuses(p.headSHA) {
		if st.state != "success" {
			return "unstable"
		}
	}
	return "clean"
}

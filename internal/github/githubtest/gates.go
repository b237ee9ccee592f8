package githubtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// Protection is what must hold before a pull request may be merged into a
// branch.
type Protection struct {
	Checks       []string // check runs or commit statuses that must have succeeded
	Approvals    int      // by people who may write
	CodeOwners   bool     // an owner of each file must have approved
	DismissStale bool     // a push dismisses approvals
	LastPush     bool     // someone else than who pushed last must have approved
	UpToDate     bool     // the head must contain the branch
}

// Ruleset is a protection in GitHub's newer form; any number of them may hold
// for a branch at once.
type Ruleset struct {
	Name string
	// Branch is the branch for which it holds, or a pattern as of path.Match;
	// empty: the default branch.
	Branch string
	Protection
	MergeQueue   bool // nothing gets in but through the queue
	Organization bool // the owner's ruleset rather than the repository's
}

type ruleset struct {
	Ruleset
	id int64
}

// gates is the part of a repository that says what may be merged.
type gates struct {
	statuses  []*commitStatus // oldest first
	protected map[string]*Protection
	rulesets  []*ruleset
	archived  bool
	suiteEach bool // every push makes a check suite
}

// commitStatus is one status: what came before it in its context stays.
type commitStatus struct {
	id                  int64
	sha, context, state string
	description, target string
	by                  *user
	at                  time.Time
}

// thirdApp is an App that is not ours.
type thirdApp struct {
	id   int64
	slug string
}

// classic is a branch's classic protection, nil where it has none. s.mu is
// held.
func (r *repo) classic(branch string) *Protection {
	p, checks := r.protected[branch], r.required[branch]
	if p == nil && len(checks) == 0 {
		return nil
	}
	out := Protection{}
	if p != nil {
		out = *p
	}
	out.Checks = checks
	return &out
}

// rulesFor are the rulesets that hold for a branch. s.mu is held.
func (r *repo) rulesFor(branch string) []*ruleset {
	var out []*ruleset
	for _, rule := range r.rulesets {
		if ok, err := path.Match(rule.Branch, branch); rule.Branch == "" && branch == r.defaultBranch || ok && err == nil {
			out = append(out, rule)
		}
	}
	return out
}

// guarded is all that holds for a branch, and whether it has a merge queue.
// s.mu is held.
func (r *repo) guarded(branch string) (all Protection, queue bool) {
	add := func(p Protection) {
		for _, c := range p.Checks {
			if !slices.Contains(all.Checks, c) {
				all.Checks = append(all.Checks, c)
			}
		}
		all.Approvals = max(all.Approvals, p.Approvals)
		all.CodeOwners = all.CodeOwners || p.CodeOwners
		all.DismissStale = all.DismissStale || p.DismissStale
		all.LastPush = all.LastPush || p.LastPush
		all.UpToDate = all.UpToDate || p.UpToDate
	}
	if p := r.classic(branch); p != nil {
		add(*p)
	}
	for _, rule := range r.rulesFor(branch) {
		add(rule.Protection)
		queue = queue || rule.MergeQueue
	}
	return all, queue
}

// missingAt returns those of the names that have not succeeded on a commit,
// be it as a check run or as a status. s.mu is held.
func (r *repo) missingAt(sha string, names []string) []string {
	var out []string
	for _, name := range names {
		said, good := false, true
		for _, c := range r.latestChecks(sha) {
			if c.name == name {
				said = true
				good = good && (c.conclusion == "success" || c.conclusion == "neutral" || c.conclusion == "skipped")
			}
		}
		for _, st := range r.latestStatuses(sha) {
			if st.context == name {
				said = true
				good = good && st.state == "success"
			}
		}
		if !said || !good {
			out = append(out, name)
		}
	}
	return out
}

// latestStatuses returns the newest status of each context, newest first. s.mu
// is held.
func (r *repo) latestStatuses(sha string) []*commitStatus {
	seen := map[string]bool{}
	var out []*commitStatus
	for i := len(r.statuses) - 1; i >= 0; i-- {
		st := r.statuses[i]
		if st.sha == sha && !seen[st.context] {
			seen[st.context] = true
			out = append(out, st)
		}
	}
	return out
}

// unreviewed tells what a pull's reviews lack by the rules of its base branch,
// "" where nothing: each person's latest decisive review counts, of those who
// may write. s.mu is held.
func (s *Server) unreviewed(p *pull) string {
	rules, _ := p.repo.guarded(p.baseRef)
	if rules.Approvals == 0 && !rules.CodeOwners && !rules.LastPush {
		return ""
	}
	latest := map[*user]*review{}
	for _, v := range p.reviews {
		if v.state != "COMMENTED" && v.state != "PENDING" && roleRank[p.repo.role(v.author.login)] >= roleRank["write"] {
			latest[v.author] = v
		}
	}
	approvals, byOther := 0, false
	for u, v := range latest {
		switch v.state {
		case "CHANGES_REQUESTED":
			return "Changes have been requested by " + u.login + "."
		case "APPROVED":
			if u != p.author {
				approvals++
				byOther = byOther || v.commit == p.headSHA && u != p.pushedBy
			}
		}
	}
	switch {
	case approvals < max(rules.Approvals, 1):
		return fmt.Sprintf("At least %d approving review is required by reviewers with write access.", max(rules.Approvals, 1))
	case rules.LastPush && !byOther:
		return "New changes require approval from someone other than the last pusher."
	case rules.CodeOwners:
		return s.unowned(p, latest)
	}
	return ""
}

// unowned names a file whose owners have not approved, "" for none. s.mu is
// held.
func (s *Server) unowned(p *pull, latest map[*user]*review) string {
	g, err := open(p.repo.dir)
	if err != nil {
		return err.Error()
	}
	base := g.tip("refs/heads/" + p.baseRef)
	_, text := codeOwnersOf(g, base)
	fork, head, err := g.since(base, p.headSHA)
	if err != nil {
		return err.Error()
	}
	changes, err := g.diff(fork.TreeHash, head.TreeHash, "")
	if err != nil {
		return err.Error()
	}
	for _, c := range changes {
		owners := ownersOf(text, c.path)
		good := len(owners) == 0
		for u, v := range latest {
			for _, o := range owners {
				good = good || v.state == "APPROVED" && u != p.author && s.isOwner(o, u)
			}
		}
		if !good {
			return "Waiting on code owner review from " + strings.Join(owners, " or ") + "."
		}
	}
	return ""
}

// isOwner reports whether an account is, or belongs to, what CODEOWNERS names.
// s.mu is held.
func (s *Server) isOwner(owner string, u *user) bool {
	name, ok := strings.CutPrefix(owner, "@")
	if !ok {
		return false
	}
	if org, slug, team := strings.Cut(name, "/"); team {
		t := s.teams[lower(org+"/"+slug)]
		return t != nil && s.membership(t, lower(u.login)) == "active"
	}
	return strings.EqualFold(name, u.login)
}

// dismissStale dismisses what was approved before a push, where a rule says so.
// s.mu is held.
func (s *Server) dismissStale(p *pull, by *user) {
	p.pushedBy = by
	if rules, _ := p.repo.guarded(p.baseRef); !rules.DismissStale {
		return
	}
	for _, v := range p.reviews {
		if v.state == "APPROVED" {
			v.state = "DISMISSED"
			s.emit("pull_request_review", p.repo, s.reviewPayload(p, v, by, "dismissed"))
		}
	}
}

// standing is GitHub's word for how a pull stands, its reviews included. s.mu
// is held.
func (s *Server) standing(p *pull) string {
	state := p.mergeableState()
	if (state == "clean" || state == "unstable") && s.unreviewed(p) != "" {
		return "blocked"
	}
	return state
}

// madeSuite tells of the check suite that a push makes, where the repository
// has it so.
func (s *Server) madeSuite(r *repo, by *user, sha string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.suiteEach {
		s.suiteOf(r, sha, nil)
		s.emitSuite(r, sha, nil, by, "requested")
	}
}

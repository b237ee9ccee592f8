package githubtest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// MergeGroup is what a merge queue wants to be checked: a commit, on a branch
// that GitHub keeps for it, that merges one or more pull requests one after the
// other into the base branch. A test steps it on by hand: it looks at Checks
// or Missing and then calls Merge or Destroy.
type MergeGroup struct {
	SHA, Ref     string // of the group: refs/heads/gh-readonly-queue/BASE/pr-N-SHA
	BaseSHA      string // where the base branch was
	BaseRef      string // its name
	r            *Repo
	by           *user
	pulls        []*pull
	heads        []string // of each, as it was merged
	merges       []string // the merge commit of each
	doneWith     string   // why it is no more
	announcement fields
}

// QueueMerge puts pull requests into the merge queue of their base branch, as
// the button "Merge when ready" does, and makes them one group at once: the
// merge commits are real. The App is told of each as enqueued, of the push of
// the group's branch, and by merge_group that its head is to be checked. The
// error is GitHub's refusal.
func (r *Repo) QueueMerge(by string, pulls ...*Pull) (*MergeGroup, error) {
	s := r.s
	s.mu.Lock()
	u := s.person(by)
	m := &MergeGroup{r: r, by: u}
	for _, p := range pulls {
		if m.BaseRef == "" {
			m.BaseRef = p.p.baseRef
		}
		if p.p.baseRef != m.BaseRef || p.p.repo != r.r {
			s.mu.Unlock()
			return nil, errors.New("the pull requests of a group have one base branch")
		}
		if _, queue := r.r.guarded(m.BaseRef); !queue {
			s.mu.Unlock()
			return nil, refusal{405, "The branch " + m.BaseRef + " has no merge queue"}
		}
		if lacking := s.unreviewed(p.p); lacking != "" {
			s.mu.Unlock()
			return nil, refusal{405, lacking}
		}
		if p.p.queued == nil { // else the bot has put it there already
			if _, err := s.enqueue(p.p, u, "", false); err != nil {
				s.mu.Unlock()
				return nil, err
			}
		}
		m.pulls, m.heads = append(m.pulls, p.p), append(m.heads, p.p.headSHA)
	}
	s.mu.Unlock()
	if len(m.pulls) == 0 {
		return nil, errors.New("no pull request")
	}
	r.r.git.Lock()
	defer r.r.git.Unlock()
	g, err := open(r.r.dir)
	if err != nil {
		return nil, err
	}
	m.BaseSHA = g.tip("refs/heads/" + m.BaseRef)
	m.SHA = m.BaseSHA
	for i, p := range m.pulls {
		next, err := s.mergeCommit(g, p, u, "merge", m.SHA, m.heads[i], "", "")
		if errors.Is(err, errConflict) {
			s.mu.Lock()
			for _, p := range m.pulls {
				s.dequeue(p, u, "MERGE_CONFLICT")
			}
			s.mu.Unlock()
			return nil, refusal{405, fmt.Sprintf("Pull request #%d has conflicts and was removed from the queue", p.number)}
		}
		if err != nil {
			return nil, err
		}
		m.SHA = next
		m.merges = append(m.merges, next)
	}
	m.Ref = fmt.Sprintf("refs/heads/gh-readonly-queue/%s/pr-%d-%s", m.BaseRef, m.pulls[len(m.pulls)-1].number, m.BaseSHA)
	if err := g.setRef(m.Ref, m.SHA); err != nil {
		return nil, err
	}
	if err := s.afterPush(g, r.r, u, []refChange{{m.Ref, "", m.SHA}}); err != nil {
		return nil, err
	}
	head, err := g.CommitObject(plumbing.NewHash(m.SHA))
	if err != nil {
		return nil, err
	}
	m.announcement = fields{"head_sha": m.SHA, "head_ref": m.Ref, "base_sha": m.BaseSHA, "base_ref": "refs/heads/" + m.BaseRef, "head_commit": headCommit(head)}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range m.pulls {
		if p.queued != nil {
			p.queued.state = "AWAITING_CHECKS"
		}
	}
	m.tell("checks_requested", "")
	return m, nil
}

// tell sends the merge_group webhook. s.mu is held.
func (m *MergeGroup) tell(action, reason string) {
	payload := m.r.s.envelope(m.r.r, m.by, action)
	payload["merge_group"] = m.announcement
	if reason != "" {
		payload["reason"] = reason
	}
	m.r.s.emit("merge_group", m.r.r, payload)
	m.r.s.touch()
}

// dequeue takes a pull out of its queue and tells so. s.mu is held.
func (s *Server) dequeue(p *pull, by *user, reason string) {
	if p.queued == nil {
		return
	}
	for _, other := range p.repo.pulls {
		if other.queued != nil && other.baseRef == p.baseRef && other.queued.position > p.queued.position {
			other.queued.position--
		}
	}
	p.queued = nil
	payload := s.pullPayload(p, by, "dequeued")
	payload["reason"] = reason
	s.emit("pull_request", p.repo, payload)
}

// Checks returns the newest check of each name on the group's head.
func (m *MergeGroup) Checks() []Check { return (&Pull{m.r.s, m.pulls[0]}).ChecksAt(m.SHA) }

// Missing returns the required checks that have not succeeded on the group's
// head yet.
func (m *MergeGroup) Missing() []string {
	m.r.s.mu.Lock()
	defer m.r.s.mu.Unlock()
	return m.missing()
}

func (m *MergeGroup) missing() []string {
	rules, _ := m.r.r.guarded(m.BaseRef)
	return m.r.r.missingAt(m.SHA, rules.Checks)
}

// Merge does what the queue does once all required checks have succeeded: the
// base branch moves to the group's head, the pull requests are merged, the
// group's branch goes. The error is why the queue would not: a check is
// missing, or the base branch has moved.
func (m *MergeGroup) Merge() error {
	s, r := m.r.s, m.r.r
	r.git.Lock()
	defer r.git.Unlock()
	g, err := open(r.dir)
	if err != nil {
		return err
	}
	base := "refs/heads/" + m.BaseRef
	s.mu.Lock()
	missing := m.missing()
	switch {
	case m.doneWith != "":
		err = errors.New("the group is no more: " + m.doneWith)
	case len(missing) > 0:
		err = refusal{405, "Waiting for required checks: " + strings.Join(missing, ", ")}
	case g.tip(base) != m.BaseSHA:
		err = refusal{409, "Base branch was modified."}
	}
	for i, p := range m.pulls {
		if err == nil && (p.state != "open" || p.headSHA != m.heads[i] || p.queued == nil) {
			err = refusal{405, fmt.Sprintf("Pull request #%d is no longer what was queued", p.number)}
		}
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if err := g.setRef(base, m.SHA); err != nil {
		return err
	}
	s.mu.Lock()
	onto := m.BaseSHA
	for i, p := range m.pulls {
		p.mergedOnto = onto
		onto = m.merges[i]
		s.dequeue(p, m.by, "MERGE")
		s.markMerged(p, m.by, m.merges[i])
	}
	m.doneWith = "merged"
	m.tell("destroyed", "merged")
	s.mu.Unlock()
	if err := s.afterPush(g, r, m.by, []refChange{{base, m.BaseSHA, m.SHA}}); err != nil {
		return err
	}
	return m.dropRef(g)
}

// Destroy ends the group without merging it: "invalidated" where something it
// was made of has changed or a check has failed, "dequeued" where somebody took
// the pull requests out of the queue.
func (m *MergeGroup) Destroy(reason string) {
	s, r := m.r.s, m.r.r
	why, ok := map[string]string{"invalidated": "CI_FAILURE", "dequeued": "MANUAL"}[reason]
	if !ok {
		panic("githubtest: a group is destroyed as invalidated or dequeued")
	}
	r.git.Lock()
	defer r.git.Unlock()
	g, err := open(r.dir)
	must(err)
	s.mu.Lock()
	if m.doneWith != "" {
		s.mu.Unlock()
		return
	}
	m.doneWith = reason
	for _, p := range m.pulls {
		s.dequeue(p, m.by, why)
	}
	m.tell("destroyed", reason)
	s.mu.Unlock()
	must(m.dropRef(g))
}

// dropRef deletes the group's branch. The git lock is held.
func (m *MergeGroup) dropRef(g store) error {
	if err := g.setRef(m.Ref, ""); err != nil {
		return err
	}
	return m.r.s.afterPush(g, m.r.r, m.by, []refChange{{m.Ref, m.SHA, ""}})
}

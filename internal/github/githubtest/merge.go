package githubtest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// compute finds out in the background whether a pull can be merged, as GitHub
// does, and makes the test merge refs/pull/N/merge. s.mu is not held.
func (s *Server) compute(p *pull) {
	s.mu.Lock()
	if p.computing || p.state != "open" || s.ctx.Err() != nil {
		s.mu.Unlock()
		return
	}
	p.computing = true
	s.work.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.work.Done()
		if err := s.computeNow(p); err != nil {
			s.opts.Log.Error("compute mergeable", "pull", p.number, "error", err)
		}
	}()
}

func (s *Server) computeNow(p *pull) error {
	p.repo.git.Lock()
	defer p.repo.git.Unlock()
	s.mu.Lock()
	head, baseRef := p.headSHA, p.baseRef
	s.mu.Unlock()
	g, err := open(p.repo.dir)
	if err != nil {
		return err
	}
	base := g.tip("refs/heads/" + baseRef)
	root, err := s.merged(g, base, head)
	clean := err == nil
	if err != nil && !errors.Is(err, errConflict) {
		return err
	}
	test := ""
	if clean {
		at := s.opts.Now()
		sig := webFlow(at)
		if test, err = g.commit(root, sig, sig, "Merge "+head+" into "+base, base, head); err != nil {
			return err
		}
		if err := g.setRef(fmt.Sprintf("refs/pull/%d/merge", p.number), test); err != nil {
			return err
		}
	}
	stat := g.stat(base, head)
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.headSHA != head || p.baseRef != baseRef || !p.computing {
		return nil // moved meanwhile: whoever moved it has asked again, or the next reader does
	}
	p.mergeable, p.testCommit, p.computing = &clean, test, false
	p.additions, p.deletions, p.files, p.commits = stat.added, stat.deleted, stat.files, stat.commits
	s.touch()
	return nil
}

type diffStat struct{ added, deleted, files, commits int }

// stat counts what a pull changes since it left its base. Failing to count is
// no reason to fail.
func (g store) stat(base, head string) diffStat {
	var out diffStat
	fork, h, err := g.since(base, head)
	if err != nil {
		return out
	}
	changes, _ := g.diff(fork.TreeHash, h.TreeHash, "")
	for _, c := range changes {
		added, deleted := g.lines(c)
		out.added += added
		out.deleted += deleted
		out.files++
	}
	if commits, err := g.between(base, head, 250); err == nil {
		out.commits = len(commits)
	}
	return out
}

// patch is what head changes since its merge base with base.
func (g store) patch(base, head string) (*object.Patch, error) {
	fork, h, err := g.since(base, head)
	if err != nil {
		return nil, err
	}
	return fork.Patch(h)
}

// since returns the merge base of two commits, and the second of them.
func (g store) since(base, head string) (fork, h *object.Commit, err error) {
	b, err := g.CommitObject(plumbing.NewHash(base))
	if err != nil {
		return nil, nil, err
	}
	if h, err = g.CommitObject(plumbing.NewHash(head)); err != nil {
		return nil, nil, err
	}
	if fork, err = g.mergeBase(b, h); err != nil {
		return nil, nil, err
	}
	if fork == nil {
		return nil, nil, errors.New("no common history")
	}
	return fork, h, nil
}

// refusal is a merge that GitHub refuses, with its status.
type refusal struct {
	status  int
	message string
}

func (e refusal) Error() string { return e.message }

// merge merges a pull. want is the head that the caller expects, "" for
// whichever it is.
func (s *Server) merge(p *pull, by *user, method, want, title, message string) (string, error) {
	r := p.repo
	r.git.Lock()
	defer r.git.Unlock()
	s.mu.Lock()
	head, baseRef := p.headSHA, p.baseRef
	missing := p.missing()
	rules, queue := r.guarded(baseRef)
	lacking := s.unreviewed(p)
	var no error
	switch {
	case want != "" && want != head:
		no = refusal{409, "Head branch was modified. Review and try the merge again."}
	case p.state != "open":
		no = refusal{405, "Pull Request is not mergeable"}
	case p.draft:
		no = refusal{405, "Pull Request is still a draft"}
	case r.archived:
		no = refusal{403, "Repository was archived so is read-only."}
	case queue:
		no = refusal{405, "Changes must be made through the merge queue"}
	case lacking != "":
		no = refusal{405, lacking}
	case len(missing) > 0:
		no = refusal{405, fmt.Sprintf("%d of %d required status checks have not succeeded: %s.", len(missing), len(rules.Checks), strings.Join(missing, ", "))}
	}
	s.mu.Unlock()
	if no != nil {
		return "", no
	}
	g, err := open(r.dir)
	if err != nil {
		return "", err
	}
	ref := "refs/heads/" + baseRef
	base := g.tip(ref)
	if rules.UpToDate && !g.ancestor(base, head) {
		return "", refusal{405, "The head branch is not up to date with the base branch."}
	}
	sha, err := s.mergeCommit(g, p, by, method, base, head, title, message)
	if errors.Is(err, errConflict) {
		return "", refusal{405, "Pull Request is not mergeable"}
	}
	if err != nil {
		return "", err
	}
	if err := g.setRef(ref, sha); err != nil {
		return "", err
	}
	s.mu.Lock()
	p.mergedOnto = base
	s.markMerged(p, by, sha)
	s.mu.Unlock()
	return sha, s.afterPush(g, r, by, []refChange{{ref, base, sha}})
}

// mergeCommit writes what a merge by that method makes and returns its tip.
func (s *Server) mergeCommit(g store, p *pull, by *user, method, base, head, title, message string) (string, error) {
	at := s.opts.Now()
	author := signature(by, at)
	if method == "rebase" {
		commits, err := g.between(base, head, 10_000)
		if err != nil {
			return "", err
		}
		tip := base
		for _, c := range commits {
			if c.NumParents() != 1 {
				continue // git's rebase leaves merges out too
			}
			parent, err := c.Parent(0)
			if err != nil {
				return "", err
			}
			onto, err := g.CommitObject(plumbing.NewHash(tip))
			if err != nil {
				return "", err
			}
			root, err := s.mergeTrees(g, parent.TreeHash, onto.TreeHash, c.TreeHash)
			if err != nil {
				return "", err
			}
			if tip, err = g.commit(root, c.Author, webFlow(at), c.Message, tip); err != nil {
				return "", err
			}
		}
		return tip, nil
	}
	root, err := s.merged(g, base, head)
	if err != nil {
		return "", err
	}
	if method == "squash" {
		if title == "" {
			title = fmt.Sprintf("%s (#%d)", p.title, p.number)
		}
		return g.commit(root, signature(p.author, at), webFlow(at), strings.TrimSpace(title+"\n\n"+message)+"\n", base)
	}
	if title == "" {
		title = fmt.Sprintf("Merge pull request #%d from %s", p.number, strings.Replace(p.headLabel, ":", "/", 1))
		message = p.title
	}
	return g.commit(root, author, webFlow(at), strings.TrimSpace(title+"\n\n"+message)+"\n", base, head)
}

// markMerged closes a pull as merged. s.mu is held.
func (s *Server) markMerged(p *pull, by *user, sha string) {
	if p.merged {
		return
	}
	p.merged, p.mergeSHA, p.mergedBy, p.mergedAt = true, sha, by, s.opts.Now()
	s.note(p, by, "merged", sha)
	s.closePull(p, by)
}

// closePull closes a pull, merged or not. s.mu is held.
func (s *Server) closePull(p *pull, by *user) {
	if p.state == "closed" {
		return
	}
	p.state, p.closed, p.updated = "closed", s.opts.Now(), s.opts.Now()
	p.computing, p.queued = false, nil
	if !p.merged {
		s.note(p, by, "closed", "")
	}
	s.emit("pull_request", p.repo, s.pullPayload(p, by, "closed"))
	s.touch()
}

// note adds a line to the pull's page. s.mu is held.
func (s *Server) note(p *pull, by *user, text, sha string) {
	p.updated = s.opts.Now()
	p.timeline = append(p.timeline, entry{at: p.updated, by: by, text: text, sha: sha})
	s.touch()
}

package githubtest

import (
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
)

// revert opens a pull request that takes back what a merged one brought: the
// button "Revert". The branch is revert-N-HEAD and holds one commit. s.mu is
// held; it is let go meanwhile.
func (s *Server) revert(p *pull, by *user, title, body string, draft bool) (*pull, error) {
	if !p.merged {
		return nil, refusal{422, "Pull request is not merged"}
	}
	r, branch, onto := p.repo, fmt.Sprintf("revert-%d-%s", p.number, p.headRef), p.baseRef
	if title == "" {
		title = fmt.Sprintf("Revert %q", p.title)
	}
	if body == "" {
		body = fmt.Sprintf("Reverts %s#%d", r.full(), p.number)
	}
	merged, before := p.mergeSHA, p.mergedOnto
	s.mu.Unlock()
	err := s.pushBranch(r, by, branch, func(g store, have string) (string, error) {
		if have != "" {
			return "", refusal{422, "A branch named " + branch + " exists already"}
		}
		return s.reverted(g, onto, before, merged, by, fmt.Sprintf("%s\n\n%s\n", title, body))
	})
	s.mu.Lock()
	if err != nil {
		return nil, err
	}
	return s.openPull(r, r, by, PullRequest{Title: title, Body: body, Head: branch, Base: onto, Draft: draft})
}

// reverted makes the commit that takes back, on top of a branch, what came
// between before and merged: git's own revert does the same three-way merge,
// with the merged tree as the ancestor. Where before is not known it is the
// merge's first parent. The repository's git lock is held.
func (s *Server) reverted(g store, branch, before, merged string, by *user, message string) (string, error) {
	tip := g.tip("refs/heads/" + branch)
	done, err := g.CommitObject(plumbing.NewHash(merged))
	if err != nil {
		return "", err
	}
	if before == "" && done.NumParents() > 0 {
		before = done.ParentHashes[0].String()
	}
	old, err := g.CommitObject(plumbing.NewHash(before))
	if err != nil {
		return "", err
	}
	now, err := g.CommitObject(plumbing.NewHash(tip))
	if err != nil {
		return "", err
	}
	root, err := s.mergeTrees(g, done.TreeHash, now.TreeHash, old.TreeHash)
	if errors.Is(err, errConflict) {
		return "", refusal{422, "This pull request could not be reverted automatically: later changes conflict with it"}
	}
	if err != nil {
		return "", err
	}
	at := s.opts.Now()
	return g.commit(root, signature(by, at), webFlow(at), message, tip)
}

package githubtest

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

const zeroSHA = "0000000000000000000000000000000000000000"

// refChange is a branch or tag that moved; "" stands for not being there.
type refChange struct{ ref, before, after string }

// whilePushing runs what may move any ref and then does what GitHub does after
// a push.
func (s *Server) whilePushing(r *repo, by *user, move func() error) error {
	r.git.Lock()
	defer r.git.Unlock()
	g, err := open(r.dir)
	if err != nil {
		return err
	}
	before, err := g.refs()
	if err != nil {
		return err
	}
	if err := move(); err != nil {
		return err
	}
	if g, err = open(r.dir); err != nil { // again: new packs may have come
		return err
	}
	after, err := g.refs()
	if err != nil {
		return err
	}
	var changes []refChange
	for ref, sha := range before {
		if after[ref] != sha {
			changes = append(changes, refChange{ref, sha, after[ref]})
		}
	}
	for ref, sha := range after {
		if before[ref] == "" {
			changes = append(changes, refChange{ref, "", sha})
		}
	}
	sort.Slice(changes, func(i, j int) bool { return changes[i].ref < changes[j].ref })
	return s.afterPush(g, r, by, changes)
}

// pushBranch points a branch at the commit that move makes, "" for none, and
// then does what GitHub does after a push.
func (s *Server) pushBranch(r *repo, by *user, branch string, move func(g store, before string) (string, error)) error {
	r.git.Lock()
	defer r.git.Unlock()
	g, err := open(r.dir)
	if err != nil {
		return err
	}
	ref := "refs/heads/" + branch
	before := g.tip(ref)
	after, err := move(g, before)
	if err != nil || after == before {
		return err
	}
	if err := g.setRef(ref, after); err != nil {
		return err
	}
	return s.afterPush(g, r, by, []refChange{{ref, before, after}})
}

// afterPush sends push webhooks and moves the pull requests whose head or base
// has moved. r.git is held.
func (s *Server) afterPush(g store, r *repo, by *user, changes []refChange) error {
	for _, c := range changes {
		if err := s.emitPush(g, r, by, c); err != nil {
			return err
		}
		branch, ok := strings.CutPrefix(c.ref, "refs/heads/")
		if !ok {
			continue
		}
		if c.after != "" {
			s.madeSuite(r, by, c.after)
		}
		if err := s.moveHeads(r, by, branch, c); err != nil {
			return err
		}
		s.moveBases(g, r, by, branch, c)
	}
	return nil
}

// moveHeads follows a push to a branch from which pull requests come, to this
// repository or from a fork to its parent.
func (s *Server) moveHeads(r *repo, by *user, branch string, c refChange) error {
	s.mu.Lock()
	var mine []*pull
	for _, target := range []*repo{r, r.parent} {
		if target == nil {
			continue
		}
		for _, p := range target.pulls {
			if p.state == "open" && p.head == r && p.headRef == branch {
				mine = append(mine, p)
			}
		}
	}
	s.mu.Unlock()
	for _, p := range mine {
		if c.after == "" {
			s.mu.Lock()
			s.closePull(p, by)
			s.mu.Unlock()
			continue
		}
		g, err := s.publishHead(p, c.after)
		if err != nil {
			return err
		}
		base := g.tip("refs/heads/" + p.baseRef)
		s.mu.Lock()
		before := p.headSHA
		p.headSHA, p.updated = c.after, s.opts.Now()
		if base != "" {
			p.baseSHA = base
		}
		p.mergeable, p.computing = nil, false
		verb := "pushed"
		if before != "" && !g.ancestor(before, c.after) {
			verb = "force-pushed"
		}
		s.note(p, by, verb, c.after)
		payload := s.pullPayload(p, by, "synchronize")
		payload["before"], payload["after"] = before, c.after
		s.emit("pull_request", p.repo, payload)
		s.dismissStale(p, by)
		s.mu.Unlock()
		s.compute(p)
	}
	return nil
}

// publishHead puts a pull's head into its repository as refs/pull/N/head. The
// git lock of the head's repository is held; a fork's parent is locked here.
func (s *Server) publishHead(p *pull, sha string) (store, error) {
	ref := fmt.Sprintf("refs/pull/%d/head", p.number)
	if p.head != p.repo {
		p.repo.git.Lock()
		defer p.repo.git.Unlock()
		if _, err := s.git(s.ctx, p.repo.dir, "fetch", "-q", "--no-tags", p.head.dir, "+"+sha+":"+ref); err != nil {
			return store{}, err
		}
		return open(p.repo.dir)
	}
	g, err := open(p.repo.dir)
	if err != nil {
		return store{}, err
	}
	return g, g.setRef(ref, sha)
}

// moveBases follows a push to a branch into which pull requests ask to be
// merged: whether they can be merged is to be computed again, and those whose
// head has got in are merged.
func (s *Server) moveBases(g store, r *repo, by *user, branch string, c refChange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var came map[string]bool
	for _, p := range r.pulls {
		if p.state != "open" || p.baseRef != branch {
			continue
		}
		p.mergeable, p.computing = nil, false
		if c.before == "" || c.after == "" {
			continue
		}
		if came == nil {
			came = map[string]bool{}
			commits, err := g.between(c.before, c.after, 10_000)
			if err != nil {
				continue
			}
			for _, commit := range commits {
				came[commit.Hash.String()] = true
			}
		}
		if came[p.headSHA] {
			s.markMerged(p, by, c.after)
		}
	}
}

// emitPush sends the push webhook.
func (s *Server) emitPush(g store, r *repo, by *user, c refChange) error {
	var commits []*object.Commit
	if c.after != "" {
		from := c.before
		if from == "" { // a new branch: what the default branch does not have
			from = g.tip("refs/heads/" + r.defaultBranch)
		}
		var err error
		if commits, err = g.between(from, c.after, 20); err != nil {
			commits = nil // a tag of something else than a commit
		}
	}
	list := []any{}
	for _, commit := range commits {
		list = append(list, s.commitJSON(g, commit))
	}
	var head any
	if commit, err := g.CommitObject(plumbing.NewHash(c.after)); c.after != "" && err == nil {
		head = s.commitJSON(g, commit)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	payload := s.envelope(r, by, "")
	delete(payload, "action")
	payload["ref"], payload["base_ref"] = c.ref, nil
	payload["before"], payload["after"] = orZero(c.before), orZero(c.after)
	payload["created"], payload["deleted"] = c.before == "", c.after == ""
	payload["forced"] = c.before != "" && c.after != "" && !g.ancestor(c.before, c.after)
	payload["compare"] = s.URL + "/" + r.full() + "/compare/" + orZero(c.before)[:12] + "..." + orZero(c.after)[:12]
	payload["commits"], payload["head_commit"] = list, head
	payload["pusher"] = fields{"name": by.login, "email": by.login + "@users.noreply.github.invalid"}
	s.emit("push", r, payload)
	s.touch()
	return nil
}

func orZero(sha string) string {
	if sha == "" {
		return zeroSHA
	}
	return sha
}

// commitJSON is a commit in a push webhook.
func (s *Server) commitJSON(g store, c *object.Commit) fields {
	added, modified, removed := []string{}, []string{}, []string{}
	from := plumbing.ZeroHash
	if parent, err := c.Parent(0); err == nil {
		from = parent.TreeHash
	}
	changes, _ := g.diff(from, c.TreeHash, "") // none for what cannot be read
	for _, change := range changes {
		switch {
		case change.from.Hash.IsZero():
			added = append(added, change.path)
		case change.to.Hash.IsZero():
			removed = append(removed, change.path)
		default:
			modified = append(modified, change.path)
		}
	}
	person := func(sig object.Signature) fields {
		return fields{"name": sig.Name, "email": sig.Email, "username": sig.Name}
	}
	return fields{
		"id": c.Hash.String(), "tree_id": c.TreeHash.String(), "distinct": true, "message": strings.TrimSpace(c.Message),
		"timestamp": c.Committer.When.Format(time.RFC3339), "url": s.URL + "/commit/" + c.Hash.String(),
		"author": person(c.Author), "committer": person(c.Committer), "added": added, "modified": modified, "removed": removed,
	}
}

package githubtest

import "time"

// queueEntry is a pull request's place in the merge queue of its base branch.
type queueEntry struct {
	id       int64
	by       *user
	at       time.Time
	position int    // from 1
	state    string // QUEUED, AWAITING_CHECKS, MERGEABLE, UNMERGEABLE or LOCKED
	jump     bool   // asked to be merged before the others
}

// enqueue puts a pull into the merge queue of its base branch. want is the head
// that the caller expects, "" for whichever it is. What GitHub refuses is a
// refusal. s.mu is held.
func (s *Server) enqueue(p *pull, by *user, want string, jump bool) (*queueEntry, error) {
	_, queue := p.repo.guarded(p.baseRef)
	switch {
	case !queue:
		return nil, refusal{422, "The base branch has no merge queue"}
	case p.state != "open":
		return nil, refusal{422, "Pull request is closed"}
	case want != "" && want != p.headSHA:
		return nil, refusal{422, "Head branch was modified. Review and try the merge again."}
	case p.draft:
		return nil, refusal{422, "Pull request is in draft state"}
	case p.queued != nil:
		return nil, refusal{422, "Pull request is already in the queue"}
	}
	position := 1
	for _, other := range p.repo.pulls {
		if other.queued != nil && other.baseRef == p.baseRef {
			if jump {
				other.queued.position++
			} else {
				position++
			}
		}
	}
	p.queued = &queueEntry{id: s.nextID(), by: by, at: s.opts.Now(), position: position, state: "QUEUED", jump: jump}
	s.note(p, by, "added this to the merge queue", "")
	s.emit("pull_request", p.repo, s.pullPayload(p, by, "enqueued"))
	return p.queued, nil
}

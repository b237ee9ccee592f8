package githubtest

import (
	"sort"
	"time"
)

// Pull is a pull request as a person handles it.
type Pull struct {
	s *Server
	p *pull
}

// PullState is how a pull request stands.
type PullState struct {
	Number           int
	Title, State     string // "open" or "closed"
	Merged           bool
	MergeSHA         string
	HeadSHA, HeadRef string
	BaseSHA, BaseRef string
	Draft            bool
	Queued           bool // in the merge queue
	Labels           []string
	Mergeable        *bool  // as computed, whether the API has told or not
	MergeableState   string // clean, dirty, blocked, unstable, draft, unknown
}

// Comment is a comment in a pull request's conversation.
type Comment struct {
	ID        int64
	Author    string
	ByApp     bool
	Body      string
	Edits     int
	Reactions []string
	Minimized string // why it is folded away: "outdated", …; "": it is not
	Created   time.Time
}

// Check is a check run on a pull request's head.
type Check struct {
	ID                   int64
	Name, SHA            string
	Status, Conclusion   string
	Title, Summary, Text string
	DetailsURL           string
	ExternalID           string
	Annotations          int
	Updates              int // how often it was changed since it was made
}

// Number returns the pull request's number.
func (p *Pull) Number() int { return p.p.number }

// State returns how the pull request stands.
func (p *Pull) State() PullState {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	x := p.p
	return PullState{
		Number: x.number, Title: x.title, State: x.state, Merged: x.merged, MergeSHA: x.mergeSHA, HeadSHA: x.headSHA, HeadRef: x.headRef,
		BaseSHA: x.baseSHA, BaseRef: x.baseRef, Draft: x.draft, Queued: x.queued != nil, Labels: append([]string(nil), x.labels...), Mergeable: x.mergeable,
		MergeableState: p.s.standing(x),
	}
}

// HTMLURL is the pull request's page.
func (p *Pull) HTMLURL() string {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.pullJSON(p.p, false)["html_url"].(string)
}

// Comments returns the conversation, oldest first.
func (p *Pull) Comments() []Comment {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	var out []Comment
	for _, c := range p.p.comments {
		k := Comment{ID: c.id, Author: c.author.login, ByApp: c.app, Body: c.body, Edits: c.edits, Minimized: c.minimized, Created: c.created}
		for _, r := range c.reactions {
			k.Reactions = append(k.Reactions, r.content)
		}
		out = append(out, k)
	}
	return out
}

// Checks returns the newest check of each name on the pull request's head.
func (p *Pull) Checks() []Check { return p.ChecksAt(p.State().HeadSHA) }

// ChecksAt returns the newest check of each name on a commit, the merge commit
// for example.
func (p *Pull) ChecksAt(sha string) []Check {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	var out []Check
	for _, c := range p.p.repo.latestChecks(sha) {
		out = append(out, Check{ID: c.id, Name: c.name, SHA: c.sha, Status: c.status, Conclusion: c.conclusion, Title: c.title, Summary: c.summary,
			Text: c.text, DetailsURL: c.details, ExternalID: c.external, Annotations: len(c.annotations), Updates: c.updates})
	}
	return out
}

// act does something to the pull request as a person.
func (p *Pull) act(by string, f func(u *user)) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	f(p.s.person(by))
}

// Comment writes a comment and returns its ID.
func (p *Pull) Comment(by, body string) (id int64) {
	p.act(by, func(u *user) { id = p.s.comment(p.p, u, body, false).id })
	return id
}

// comment adds a comment. s.mu is held.
func (s *Server) comment(p *pull, by *user, body string, app bool) *comment {
	now := s.opts.Now()
	c := &comment{id: s.nextID(), pull: p, author: by, app: app, body: body, created: now, updated: now}
	p.comments = append(p.comments, c)
	p.repo.comments[c.id] = c
	p.timeline = append(p.timeline, entry{at: now, by: by, comm: c})
	p.updated = now
	s.emit("issue_comment", p.repo, s.commentPayload(c, by, "created"))
	s.touch()
	return c
}

// editComment changes a comment. s.mu is held.
func (s *Server) editComment(c *comment, by *user, body string) {
	from := c.body
	c.body, c.updated = body, s.opts.Now()
	c.edits++
	payload := s.commentPayload(c, by, "edited")
	payload["changes"] = fields{"body": fields{"from": from}}
	s.emit("issue_comment", c.pull.repo, payload)
	s.touch()
}

// removeComment deletes a comment. s.mu is held.
func (s *Server) removeComment(c *comment, by *user) {
	p := c.pull
	delete(p.repo.comments, c.id)
	for i, x := range p.comments {
		if x == c {
			p.comments = append(p.comments[:i:i], p.comments[i+1:]...)
			break
		}
	}
	for i, e := range p.timeline {
		if e.comm == c {
			p.timeline = append(p.timeline[:i:i], p.timeline[i+1:]...)
			break
		}
	}
	s.emit("issue_comment", p.repo, s.commentPayload(c, by, "deleted"))
	s.touch()
}

// EditComment and DeleteComment do so to a comment of this pull request.
func (p *Pull) EditComment(by string, id int64, body string) {
	p.act(by, func(u *user) { p.s.editComment(p.find(id), u, body) })
}

// DeleteComment deletes a comment.
func (p *Pull) DeleteComment(by string, id int64) {
	p.act(by, func(u *user) { p.s.removeComment(p.find(id), u) })
}

func (p *Pull) find(id int64) *comment {
	c := p.p.repo.comments[id]
	if c == nil {
		panic("githubtest: no such comment")
	}
	return c
}

// Review reviews the pull request's head: state is APPROVED,
// CHANGES_REQUESTED or COMMENTED. It returns the review's ID.
func (p *Pull) Review(by, state, body string) (id int64) {
	p.act(by, func(u *user) {
		v := &review{id: p.s.nextID(), author: u, state: state, body: body, commit: p.p.headSHA, at: p.s.opts.Now()}
		id = v.id
		p.p.reviews = append(p.p.reviews, v)
		p.p.timeline = append(p.p.timeline, entry{at: v.at, by: u, rev: v})
		p.s.emit("pull_request_review", p.p.repo, p.s.reviewPayload(p.p, v, u, "submitted"))
		p.s.touch()
	})
	return id
}

// Dismiss dismisses a review.
func (p *Pull) Dismiss(by string, id int64) {
	p.act(by, func(u *user) {
		for _, v := range p.p.reviews {
			if v.id == id {
				v.state = "DISMISSED"
				p.s.emit("pull_request_review", p.p.repo, p.s.reviewPayload(p.p, v, u, "dismissed"))
			}
		}
		p.s.touch()
	})
}

// Merge merges the pull request by method merge, squash or rebase, as the
// button does, and returns the commit. The error is GitHub's refusal.
func (p *Pull) Merge(by, method string) (sha string, err error) {
	p.s.mu.Lock()
	u := p.s.person(by)
	p.s.mu.Unlock()
	return p.s.merge(p.p, u, method, "", "", "")
}

// Close closes the pull request without merging it.
func (p *Pull) Close(by string) { p.act(by, func(u *user) { p.s.closePull(p.p, u) }) }

// Reopen opens it again.
func (p *Pull) Reopen(by string) {
	p.act(by, func(u *user) {
		if p.p.state == "open" || p.p.merged {
			return
		}
		p.p.state, p.p.closed, p.p.mergeable, p.p.computing = "open", time.Time{}, nil, false
		if g, err := open(p.p.head.dir); err == nil { // what was pushed meanwhile
			if tip := g.tip("refs/heads/" + p.p.headRef); tip != "" {
				p.p.headSHA = tip
			}
		}
		p.s.note(p.p, u, "reopened", "")
		p.s.emit("pull_request", p.p.repo, p.s.pullPayload(p.p, u, "reopened"))
	})
}

// Label puts labels on the pull request; Unlabel takes them off.
func (p *Pull) Label(by string, names ...string) {
	p.act(by, func(u *user) { p.s.label(p.p, u, names, true) })
}

// Unlabel takes labels off.
func (p *Pull) Unlabel(by string, names ...string) {
	p.act(by, func(u *user) { p.s.label(p.p, u, names, false) })
}

// label changes labels, one webhook each. s.mu is held.
func (s *Server) label(p *pull, by *user, names []string, on bool) {
	for _, name := range names {
		if contains(p.labels, name) == on {
			continue
		}
		action := "unlabeled"
		if on {
			action = "labeled"
			p.labels = append(append([]string(nil), p.labels...), name)
			s.note(p, by, "added the label "+name, "")
		} else {
			kept := []string{}
			for _, l := range p.labels {
				if l != name {
					kept = append(kept, l)
				}
			}
			p.labels = kept
			s.note(p, by, "removed the label "+name, "")
		}
		payload := s.pullPayload(p, by, action)
		payload["label"] = s.labelJSON(p.repo, name)
		s.emit("pull_request", p.repo, payload)
	}
	sort.Strings(p.labels)
}

// Edit changes the title.
func (p *Pull) Edit(by, title string) {
	p.act(by, func(u *user) {
		from := p.p.title
		p.p.title = title
		payload := p.s.pullPayload(p.p, u, "edited")
		payload["changes"] = fields{"title": fields{"from": from}}
		p.s.emit("pull_request", p.p.repo, payload)
		p.s.note(p.p, u, "changed the title", "")
	})
}

// Retarget asks for the merge into another branch.
func (p *Pull) Retarget(by, base string) {
	g, err := open(p.p.repo.dir)
	must(err)
	tip := g.tip("refs/heads/" + base)
	if tip == "" {
		panic("githubtest: no branch " + base)
	}
	p.act(by, func(u *user) {
		ref, sha := p.p.baseRef, p.p.baseSHA
		p.p.baseRef, p.p.baseSHA, p.p.mergeable, p.p.computing = base, tip, nil, false
		payload := p.s.pullPayload(p.p, u, "edited")
		payload["changes"] = fields{"base": fields{"ref": fields{"from": ref}, "sha": fields{"from": sha}}}
		p.s.emit("pull_request", p.p.repo, payload)
		p.s.note(p.p, u, "changed the base branch from "+ref+" to "+base, "")
	})
	p.s.compute(p.p)
}

// Draft marks the pull request a draft or ready for review.
func (p *Pull) Draft(by string, draft bool) {
	p.act(by, func(u *user) {
		action := "ready_for_review"
		if draft {
			action = "converted_to_draft"
		}
		p.p.draft = draft
		p.s.emit("pull_request", p.p.repo, p.s.pullPayload(p.p, u, action))
		p.s.note(p.p, u, "marked this "+map[bool]string{true: "a draft", false: "ready for review"}[draft], "")
	})
}

// Rerun presses "re-run" on a check.
func (p *Pull) Rerun(by string, check int64) { p.repo().RerunCheck(by, check) }

// Press presses one of a check's own buttons.
func (p *Pull) Press(by string, check int64, identifier string) {
	p.repo().PressButton(by, check, identifier)
}

func (p *Pull) repo() *Repo { return &Repo{p.s, p.p.repo} }

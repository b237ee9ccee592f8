package githubtest

import (
	"fmt"
	"slices"
)

// Guard gives a branch a classic protection; nil takes it away. Protect is the
// short form where only checks matter.
func (r *Repo) Guard(branch string, p *Protection) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if p == nil {
		delete(r.r.protected, branch)
		delete(r.r.required, branch)
		return
	}
	kept := *p
	r.r.protected[branch], r.r.required[branch] = &kept, p.Checks
}

// AddRuleset adds a ruleset and returns its ID.
func (r *Repo) AddRuleset(rule Ruleset) int64 {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	kept := &ruleset{rule, r.s.nextID()}
	r.r.rulesets = append(r.r.rulesets, kept)
	return kept.id
}

// RemoveRuleset takes a ruleset away.
func (r *Repo) RemoveRuleset(id int64) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.r.rulesets = slices.DeleteFunc(r.r.rulesets, func(rule *ruleset) bool { return rule.id == id })
}

// SetStatus sets a commit status, as some CI with a token does: state is
// success, pending, failure or error.
func (r *Repo) SetStatus(by, sha, context, state string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	_, err := r.s.setStatus(r.r, r.s.person(by), &commitStatus{sha: sha, context: context, state: state})
	must(err)
}

// ForeignCheck makes another App's check run, named by its slug, on a commit
// and returns its ID: one that is under way where conclusion is empty, one that
// has ended otherwise. A run of that name that is under way is ended; one that
// has ended is run again, as a run of its own.
func (r *Repo) ForeignCheck(app, sha, name, conclusion string) int64 {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	third, now := s.third(app), s.opts.Now()
	bot := s.person(app + "[bot]")
	var c *checkRun
	for _, have := range r.r.latestChecks(sha) {
		if have.app == third && have.name == name && have.status != "completed" {
			c = have
		}
	}
	if c == nil {
		c = &checkRun{id: s.nextID(), app: third, suite: s.suiteOf(r.r, sha, third), name: name, sha: sha, status: "in_progress", started: now}
		r.r.checks = append(r.r.checks, c)
		r.r.checkByID[c.id] = c
		s.emit("check_run", r.r, s.checkPayload(r.r, c, bot, "created"))
	}
	if conclusion != "" {
		c.status, c.conclusion, c.completed = "completed", conclusion, now
		s.emit("check_run", r.r, s.checkPayload(r.r, c, bot, "completed"))
		s.endSuite(r.r, c, bot)
	}
	s.touch()
	return c.id
}

// check returns our App's check run. s.mu is held.
func (r *Repo) check(id int64) *checkRun {
	c := r.r.checkByID[id]
	if c == nil || c.app != nil {
		panic("githubtest: the App has no such check run")
	}
	return c
}

// PressButton presses one of the buttons that a check run has.
func (r *Repo) PressButton(by string, check int64, identifier string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	c := r.check(check)
	if !slices.ContainsFunc(c.actions, func(a map[string]string) bool { return a["identifier"] == identifier }) {
		panic(fmt.Sprintf("githubtest: the check %s has no button %s", c.name, identifier))
	}
	payload := r.s.checkPayload(r.r, c, r.s.person(by), "requested_action")
	payload["requested_action"] = fields{"identifier": identifier}
	r.s.emit("check_run", r.r, payload)
}

// RerunCheck presses "re-run" on a check run. The run itself stays as it is:
// what becomes of it is the App's to say.
func (r *Repo) RerunCheck(by string, check int64) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.s.emit("check_run", r.r, r.s.checkPayload(r.r, r.check(check), r.s.person(by), "rerequested"))
}

// RerunSuite presses "re-run all checks" for our App on a commit.
func (r *Repo) RerunSuite(by, sha string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.r.suites[sha] == 0 {
		panic("githubtest: the App has no check suite on " + sha)
	}
	r.s.emitSuite(r.r, sha, nil, r.s.person(by), "rerequested")
}

// RerunAll presses "re-run all checks" on the pull request's head.
func (p *Pull) RerunAll(by string) { p.repo().RerunSuite(by, p.State().HeadSHA) }

// CheckButtons returns the identifiers of a check run's buttons.
func (r *Repo) CheckButtons(check int64) []string {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var out []string
	for _, a := range r.check(check).actions {
		out = append(out, a["identifier"])
	}
	return out
}

// AutoSuites says whether each push makes a check suite, of which the App is
// told, as GitHub has it unless a repository's preferences say otherwise. Here
// it is off at first: it tells nothing that the push does not.
func (r *Repo) AutoSuites(on bool) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.r.suiteEach = on
}

// EditReview changes a review's text.
func (p *Pull) EditReview(by string, id int64, body string) {
	p.act(by, func(u *user) {
		for _, v := range p.p.reviews {
			if v.id == id {
				payload := p.s.reviewPayload(p.p, v, u, "edited")
				payload["changes"] = fields{"body": fields{"from": v.body}}
				v.body = body
				p.s.emit("pull_request_review", p.p.repo, payload)
			}
		}
	})
}

// Archive makes the repository read-only, or ends that.
func (r *Repo) Archive(by string, on bool) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.r.archived = on
	action := "unarchived"
	if on {
		action = "archived"
	}
	r.s.emit("repository", r.r, r.s.envelope(r.r, r.s.person(by), action))
	r.s.touch()
}

// DefaultTo makes another branch the default one.
func (r *Repo) DefaultTo(by, branch string) {
	g, err := open(r.r.dir)
	must(err)
	if g.tip("refs/heads/"+branch) == "" {
		panic("githubtest: no branch " + branch)
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	from := r.r.defaultBranch
	r.r.defaultBranch = branch
	payload := r.s.envelope(r.r, r.s.person(by), "edited")
	payload["changes"] = fields{"default_branch": fields{"from": from}}
	r.s.emit("repository", r.r, payload)
	r.s.touch()
}

// Delete deletes the repository; its ID is never given again.
func (r *Repo) Delete(by string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	s := r.s
	s.emit("repository", r.r, s.envelope(r.r, s.person(by), "deleted"))
	for _, in := range s.installs {
		delete(in.repos, r.r.id)
	}
	for name, id := range s.names {
		if id == r.r.id {
			delete(s.names, name)
		}
	}
	for _, p := range r.r.pulls {
		p.state, p.computing = "closed", false
	}
	delete(s.repos, r.r.id)
	s.touch()
}

// Transfer gives the repository to another account, under the same name and
// ID; requests by the former name are redirected. The App loses it with the
// former owner's installation, and gets it back at once where withApp says that
// the new owner's installation, which must be there, covers it.
func (r *Repo) Transfer(by, to string, withApp bool) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	from, owner := r.r.owner, s.person(to)
	if before := s.installed(r.r); before != nil {
		delete(before.repos, r.r.id)
		s.emit("installation_repositories", nil, s.reposPayload(before, "removed", r.r))
	}
	r.r.owner = owner
	s.names[lower(r.r.full())] = r.r.id
	s.touch()
	if !withApp {
		return
	}
	in := s.installOn(owner)
	if in == nil {
		panic("githubtest: the App is not installed on " + to)
	}
	in.repos[r.r.id] = true
	s.emit("installation_repositories", nil, s.reposPayload(in, "added", r.r))
	payload := s.envelope(r.r, s.person(by), "transferred")
	was := fields{"user": s.userJSON(from)}
	if from.kind == "Organization" {
		was = fields{"organization": s.orgJSON(from)}
	}
	payload["changes"] = fields{"owner": fields{"from": was}}
	s.emit("repository", r.r, payload)
}

// reposPayload is what installation_repositories says of one repository.
func (s *Server) reposPayload(in *installation, action string, r *repo) fields {
	out := fields{"action": action, "installation": s.installationJSON(in), "repositories_added": []any{}, "repositories_removed": []any{},
		"repository_selection": "selected", "requester": nil, "sender": s.userJSON(in.account)}
	out["repositories_"+action] = []any{s.shortRepo(r)}
	return out
}

// RenameAccount gives a person or organisation another login. Repositories are
// found under the former one still.
func (s *Server) RenameAccount(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[lower(from)]
	if u == nil || s.users[lower(to)] != nil {
		panic("githubtest: cannot rename " + from + " to " + to)
	}
	delete(s.users, lower(from))
	u.login = to
	s.users[lower(to)] = u
	for _, r := range s.repos {
		if r.owner == u {
			s.names[lower(r.full())] = r.id
		}
		if role, ok := r.collaborators[lower(from)]; ok {
			delete(r.collaborators, lower(from))
			r.collaborators[lower(to)] = role
		}
	}
	if in := s.installOn(u); in != nil {
		s.emit("installation_target", nil, fields{"action": "renamed", "account": s.userJSON(u), "changes": fields{"login": fields{"from": from}},
			"target_type": u.kind, "sender": s.userJSON(u), "installation": fields{"id": in.id, "node_id": nodeID("MDIz", in.id)}})
	}
	s.touch()
}

package githubtest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
)

// issue is an issue that is no pull request.
type issue struct {
	id               int64
	number           int
	author           *user
	app              bool // written by the App
	title, body      string
	state, reason    string // open or closed; completed, not_planned or reopened
	edits            int
	created, updated time.Time
	closed           time.Time
}

// nextNumber is that of the next pull request or issue. s.mu is held.
func (r *repo) nextNumber() int { return len(r.pulls) + len(r.issues) + 1 }

// pullAt returns the pull request of that number, nil where there is none. s.mu
// is held.
func (r *repo) pullAt(number int) *pull {
	i, ok := slices.BinarySearchFunc(r.pulls, number, func(p *pull, n int) int { return p.number - n })
	if !ok {
		return nil
	}
	return r.pulls[i]
}

func (s *Server) issueRoutes(on func(permission, level, pattern string, h handler)) {
	on("issues", "read", "GET /issues", listIssues)
	on("issues", "write", "POST /issues", createIssue)
	on("issues", "read", "GET /issues/{n:[0-9]+}", getIssue)
	on("issues", "write", "PATCH /issues/{n:[0-9]+}", updateIssue)
	on("pull_requests", "write", "PATCH /pulls/{n:[0-9]+}", updatePull)
	on("contents", "write", "POST /git/refs", createRef)
	on("contents", "write", "PUT /contents/{path:.*}", putContents)
}

// plainIssueJSON is an issue that is no pull request.
func (s *Server) plainIssueJSON(r *repo, i *issue) fields {
	api := fmt.Sprintf("%s/repos/%s/issues/%d", s.APIURL(), r.full(), i.number)
	counts := fields{"url": api + "/reactions", "total_count": 0}
	for _, k := range reactions {
		counts[k] = 0
	}
	var app any
	if i.app {
		app = s.appJSON()
	}
	return fields{
		"url": api, "repository_url": s.APIURL() + "/repos/" + r.full(), "labels_url": api + "/labels{/name}", "comments_url": api + "/comments",
		"events_url": api + "/events", "html_url": fmt.Sprintf("%s/%s/issues/%d", s.URL, r.full(), i.number), "id": i.id, "node_id": nodeID("I", i.id),
		"number": i.number, "title": i.title, "user": s.userJSON(i.author), "labels": []any{}, "state": i.state, "locked": false, "assignee": nil,
		"assignees": []any{}, "milestone": nil, "comments": 0, "created_at": stamp(i.created), "updated_at": stamp(i.updated), "closed_at": stamp(i.closed),
		"author_association": association(r, i.author), "active_lock_reason": nil, "body": orNil(i.body), "reactions": counts, "timeline_url": api + "/timeline",
		"performed_via_github_app": app, "state_reason": orNil(i.reason),
	}
}

// listIssues lists pull requests too, as GitHub does. Of its filters there are
// state and creator.
func listIssues(q *request) reply {
	query := q.URL.Query()
	state := query.Get("state")
	if state == "" {
		state = "open"
	}
	type entry struct {
		number int
		json   fields
	}
	var all []entry
	take := func(number int, by *user, have string, json func() fields) {
		if (state == "all" || state == have) && (query.Get("creator") == "" || strings.EqualFold(query.Get("creator"), by.login)) {
			all = append(all, entry{number, json()})
		}
	}
	for _, p := range q.repo.pulls {
		take(p.number, p.author, p.state, func() fields { return q.s.issueJSON(p) })
	}
	for _, i := range q.repo.issues {
		take(i.number, i.author, i.state, func() fields { return q.s.plainIssueJSON(q.repo, i) })
	}
	slices.SortFunc(all, func(a, b entry) int { return b.number - a.number })
	if query.Get("direction") == "asc" {
		slices.Reverse(all)
	}
	out := []any{}
	for _, e := range page(q, all) {
		out = append(out, e.json)
	}
	return reply{http.StatusOK, out}
}

// switchedOff is GitHub's answer where a repository has no issues.
func switchedOff() reply {
	return fail(http.StatusGone, "Issues has been disabled in this repository.")
}

type issueAsk struct {
	Title  *string `json:"title"`
	Body   *string `json:"body"`
	State  *string `json:"state"`
	Reason *string `json:"state_reason"`
}

func (a issueAsk) broken() *reply {
	var no reply
	switch {
	case a.Title != nil && (strings.TrimSpace(*a.Title) == "" || utf8.RuneCountInString(*a.Title) > 256):
		no = invalid("Issue", "title", "title is missing or too long (maximum is 256 characters)")
	case a.Body != nil && utf8.RuneCountInString(*a.Body) > maxBody:
		no = invalid("Issue", "body", fmt.Sprintf("body is too long (maximum is %d characters)", maxBody))
	case a.State != nil && *a.State != "open" && *a.State != "closed":
		no = invalid("Issue", "state", "state is not one of open and closed")
	default:
		return nil
	}
	return &no
}

func createIssue(q *request) reply {
	if q.repo.noIssues {
		return switchedOff()
	}
	var ask issueAsk
	if !q.decode(&ask) || ask.Title == nil {
		return invalid("Issue", "title", "title is missing")
	}
	if no := ask.broken(); no != nil {
		return *no
	}
	now := q.s.opts.Now()
	i := &issue{id: q.s.nextID(), number: q.repo.nextNumber(), author: q.actor(), app: q.byApp(), title: *ask.Title, state: "open", created: now, updated: now}
	if ask.Body != nil {
		i.body = *ask.Body
	}
	q.repo.issues = append(q.repo.issues, i)
	q.s.touch()
	return reply{http.StatusCreated, q.s.plainIssueJSON(q.repo, i)}
}

func (q *request) issueOf() (*issue, *reply) {
	for _, i := range q.repo.issues {
		if i.number == int(q.int("n")) {
			return i, nil
		}
	}
	no := fail(http.StatusNotFound, "Not Found")
	if q.repo.pullAt(int(q.int("n"))) == nil && q.int("n") < int64(q.repo.nextNumber()) {
		no = fail(http.StatusGone, "This issue was deleted")
	}
	return nil, &no
}

func getIssue(q *request) reply {
	if p := q.pullOf(); p != nil {
		return reply{http.StatusOK, q.s.issueJSON(p)}
	}
	i, no := q.issueOf()
	if no != nil {
		return *no
	}
	return reply{http.StatusOK, q.s.plainIssueJSON(q.repo, i)}
}

func updateIssue(q *request) reply {
	if q.repo.noIssues {
		return switchedOff()
	}
	i, no := q.issueOf()
	if no != nil {
		return *no
	}
	var ask issueAsk
	if !q.decode(&ask) {
		return fail(http.StatusUnprocessableEntity, "Problems parsing JSON")
	}
	if no := ask.broken(); no != nil {
		return *no
	}
	if ask.Title != nil {
		i.title = *ask.Title
	}
	if ask.Body != nil {
		i.body = *ask.Body
	}
	reason := ""
	if ask.Reason != nil {
		reason = *ask.Reason
	}
	i.edits++
	if ask.State != nil {
		q.s.setIssue(i, *ask.State, reason)
	}
	i.updated = q.s.opts.Now()
	q.s.touch()
	return reply{http.StatusOK, q.s.plainIssueJSON(q.repo, i)}
}

func (s *Server) setIssue(i *issue, state, reason string) {
	if i.state == state {
		return
	}
	i.state = state
	if state == "closed" {
		i.closed, i.reason = s.opts.Now(), "completed"
	} else {
		i.closed, i.reason = time.Time{}, "reopened"
	}
	if reason != "" {
		i.reason = reason
	}
	s.touch()
}

// updatePull closes and opens a pull request, and changes its title and body.
func updatePull(q *request) reply {
	p := q.pullOf()
	if p == nil {
		return fail(http.StatusNotFound, "Not Found")
	}
	var ask issueAsk
	if !q.decode(&ask) {
		return fail(http.StatusUnprocessableEntity, "Problems parsing JSON")
	}
	if no := ask.broken(); no != nil {
		return *no
	}
	if ask.Title != nil {
		p.title = *ask.Title
	}
	if ask.Body != nil {
		p.body = *ask.Body
	}
	p.updated = q.s.opts.Now()
	if ask.State != nil && *ask.State == "closed" && p.state == "open" {
		q.s.closePull(p, q.actor())
	}
	q.s.touch()
	return reply{http.StatusOK, q.s.pullJSON(p, true)}
}

// createRef makes a branch at a commit that is there.
func createRef(q *request) reply {
	var ask struct{ Ref, SHA string }
	if !q.decode(&ask) {
		return fail(http.StatusUnprocessableEntity, "Problems parsing JSON")
	}
	branch, ok := strings.CutPrefix(ask.Ref, "refs/heads/")
	if !ok || branch == "" {
		return fail(http.StatusUnprocessableEntity, "Reference name must start with 'refs/heads/'")
	}
	s, r, by := q.s, q.repo, q.actor()
	s.mu.Unlock() // the git lock comes first
	err := s.pushBranch(r, by, branch, func(g store, before string) (string, error) {
		switch {
		case before != "":
			return "", refusal{http.StatusUnprocessableEntity, "Reference already exists"}
		case !g.has(ask.SHA):
			return "", refusal{http.StatusUnprocessableEntity, "Object does not exist"}
		}
		return ask.SHA, nil
	})
	s.mu.Lock()
	if no := refused(err); no != nil {
		return *no
	}
	api := s.APIURL() + "/repos/" + r.full() + "/git/"
	return reply{http.StatusCreated, fields{"ref": ask.Ref, "node_id": nodeID("REF", r.id), "url": api + "refs/heads/" + branch,
		"object": fields{"type": "commit", "sha": ask.SHA, "url": api + "commits/" + ask.SHA}}}
}

func refused(err error) *reply {
	var no refusal
	var out reply
	switch {
	case err == nil:
		return nil
	case errors.As(err, &no):
		out = fail(no.status, no.message)
	default:
		out = fail(http.StatusInternalServerError, err.Error())
	}
	return &out
}

// putContents writes one file to a branch, with a commit of its own. A file
// that is there must be named by its hash.
func putContents(q *request) reply {
	var ask struct{ Message, Content, SHA, Branch string }
	if !q.decode(&ask) || ask.Message == "" {
		return fail(http.StatusUnprocessableEntity, "Invalid request.\n\n\"message\" wasn't supplied.")
	}
	content, err := base64.StdEncoding.DecodeString(ask.Content)
	if err != nil {
		return fail(http.StatusUnprocessableEntity, "content is not valid Base64")
	}
	path := strings.Trim(q.PathValue("path"), "/")
	s, r, by := q.s, q.repo, q.actor()
	branch := ask.Branch
	if branch == "" {
		branch = r.defaultBranch
	}
	var sha, blob, tree string
	created := true
	s.mu.Unlock() // the git lock comes first
	err = s.pushBranch(r, by, branch, func(g store, before string) (string, error) {
		if before == "" {
			return "", refusal{http.StatusNotFound, "Branch " + branch + " not found"}
		}
		c, err := g.CommitObject(plumbing.NewHash(before))
		if err != nil {
			return "", err
		}
		if f, err := c.File(path); err == nil {
			created = false
			switch ask.SHA {
			case f.Hash.String():
			case "":
				return "", refusal{http.StatusUnprocessableEntity, "Invalid request.\n\n\"sha\" wasn't supplied."}
			default:
				return "", refusal{http.StatusConflict, path + " does not match " + ask.SHA}
			}
		}
		root, err := g.edit(c.TreeHash, Files{path: string(content)})
		if err != nil {
			return "", err
		}
		sig := signature(by, s.opts.Now())
		if sha, err = g.commit(root, sig, sig, ask.Message+"\n", before); err != nil {
			return "", err
		}
		blob, tree = plumbing.ComputeHash(plumbing.BlobObject, content).String(), root.String()
		return sha, nil
	})
	s.mu.Lock()
	if no := refused(err); no != nil {
		return *no
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	api, html := s.APIURL()+"/repos/"+r.full(), s.URL+"/"+r.full()
	self := api + "/contents/" + path + "?ref=" + branch
	at := stamp(s.opts.Now())
	person := fields{"name": by.login, "email": by.login + "@users.noreply.github.invalid", "date": at}
	return reply{status, fields{
		"content": fields{"name": path[strings.LastIndex(path, "/")+1:], "path": path, "sha": blob, "size": len(content), "url": self, "html_url": html + "/blob/" + branch + "/" + path,
			"git_url": api + "/git/blobs/" + blob, "download_url": html + "/raw/" + branch + "/" + path, "type": "file",
			"_links": fields{"self": self, "git": api + "/git/blobs/" + blob, "html": html + "/blob/" + branch + "/" + path}},
		"commit": fields{"sha": sha, "node_id": nodeID("C", r.id), "url": api + "/git/commits/" + sha, "html_url": html + "/commit/" + sha, "author": person, "committer": person,
			"message": ask.Message, "tree": fields{"sha": tree, "url": api + "/git/trees/" + tree}, "parents": []any{},
			"verification": fields{"verified": true, "reason": "valid", "signature": nil, "payload": nil, "verified_at": at}},
	}}
}

// Issue is an issue as a person sees it.
type Issue struct {
	Number        int
	Title, Body   string
	Author        string
	Open          bool
	Reason        string // completed, not_planned, reopened; "" where it is open since it was made
	Edits         int    // through the API
	Created, Seen time.Time
}

// Issues returns the repository's issues that are no pull requests, oldest
// first.
func (r *Repo) Issues() []Issue {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var out []Issue
	for _, i := range r.r.issues {
		out = append(out, Issue{Number: i.number, Title: i.title, Body: i.body, Author: i.author.login, Open: i.state == "open", Reason: i.reason, Edits: i.edits, Created: i.created, Seen: i.updated})
	}
	return out
}

// OpenIssue opens an issue as a person and returns its number.
func (r *Repo) OpenIssue(by, title, body string) int {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	now := r.s.opts.Now()
	i := &issue{id: r.s.nextID(), number: r.r.nextNumber(), author: r.s.person(by), title: title, body: body, state: "open", created: now, updated: now}
	r.r.issues = append(r.r.issues, i)
	r.s.touch()
	return i.number
}

// SetIssue closes an issue, or opens it again, as a person does.
func (r *Repo) SetIssue(number int, open bool) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	for _, i := range r.r.issues {
		if i.number == number {
			r.s.setIssue(i, map[bool]string{true: "open", false: "closed"}[open], "")
			return
		}
	}
	panic(fmt.Sprintf("githubtest: %s has no issue %d", r.r.full(), number))
}

// SwitchIssues switches the repository's issues off or on.
func (r *Repo) SwitchIssues(on bool) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.r.noIssues = !on
	r.s.touch()
}

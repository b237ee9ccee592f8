package githubtest

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// suiteOf returns the check suite of a commit and an App, nil for ours, made if
// it is not there. s.mu is held.
func (s *Server) suiteOf(r *repo, sha string, app *thirdApp) int64 {
	key := suiteKey(sha, app)
	if r.suites[key] == 0 {
		r.suites[key] = s.nextID()
	}
	return r.suites[key]
}

func suiteKey(sha string, app *thirdApp) string {
	if app == nil {
		return sha
	}
	return sha + "/" + app.slug
}

// third returns an App that is not ours, made if it is not there. s.mu is held.
func (s *Server) third(slug string) *thirdApp {
	a := s.thirds[slug]
	if a == nil {
		a = &thirdApp{id: s.nextID(), slug: slug}
		s.thirds[slug] = a
	}
	return a
}

// appOf is the App that made a check run.
func (s *Server) appOf(c *checkRun) fields { return s.anApp(c.app) }

func (s *Server) anApp(app *thirdApp) fields {
	out := s.appJSON()
	if app != nil {
		out["id"], out["slug"], out["name"], out["node_id"] = app.id, app.slug, app.slug, nodeID("A", app.id)
		out["html_url"], out["client_id"] = s.URL+"/apps/"+app.slug, fmt.Sprintf("Iv23%d", app.id)
	}
	return out
}

// pullsAt are the open pull requests whose head is that commit, as checks name
// them: none from forks, as at GitHub.
func (s *Server) pullsAt(r *repo, sha string) []any {
	out := []any{}
	for _, p := range r.pulls {
		if p.headSHA != sha || p.head != r || p.state != "open" {
			continue
		}
		side := func(ref, sha string) fields {
			return fields{"ref": ref, "sha": sha, "repo": fields{"id": r.id, "url": s.APIURL() + "/repos/" + r.full(), "name": r.name}}
		}
		out = append(out, fields{"id": p.id, "number": p.number, "url": fmt.Sprintf("%s/repos/%s/pulls/%d", s.APIURL(), r.full(), p.number),
			"head": side(p.headRef, p.headSHA), "base": side(p.baseRef, p.baseSHA)})
	}
	return out
}

// suiteJSON is a check suite: how its newest runs stand.
func (s *Server) suiteJSON(r *repo, sha string, app *thirdApp) fields {
	id := s.suiteOf(r, sha, app)
	api := fmt.Sprintf("%s/repos/%s/check-suites/%d", s.APIURL(), r.full(), id)
	status, conclusion, count := "queued", "", 0
	open := false
	for _, c := range r.latestChecks(sha) {
		if c.suite != id {
			continue
		}
		count++
		switch {
		case c.status != "completed":
			open = true
		case conclusion == "" || conclusion == "success":
			conclusion = c.conclusion
		}
	}
	switch {
	case open:
		status, conclusion = "in_progress", ""
	case count > 0:
		status = "completed"
	}
	var branch any
	var head fields
	before := zeroSHA
	if g, err := openStore(r); err == nil {
		refs, _ := g.refs()
		sorted := make([]string, 0, len(refs))
		for name := range refs {
			sorted = append(sorted, name)
		}
		sort.Strings(sorted)
		for _, name := range sorted {
			if b, ok := strings.CutPrefix(name, "refs/heads/"); ok && refs[name] == sha {
				branch = b
			}
		}
		if c, err := g.CommitObject(plumbing.NewHash(sha)); err == nil {
			head = headCommit(c)
			if len(c.ParentHashes) > 0 {
				before = c.ParentHashes[0].String()
			}
		}
	}
	return fields{"id": id, "node_id": nodeID("CS", id), "head_branch": branch, "head_sha": sha, "status": status, "conclusion": orNil(conclusion), "url": api,
		"before": before, "after": sha, "pull_requests": s.pullsAt(r, sha), "app": s.anApp(app), "created_at": stamp(s.started), "updated_at": stamp(s.opts.Now()),
		"latest_check_runs_count": count, "check_runs_url": api + "/check-runs", "head_commit": head, "rerequestable": true, "runs_rerequestable": true}
}

// openStore opens a repository that has a folder already: a suite may be made
// in one that has none.
func openStore(r *repo) (store, error) {
	if r.dir == "" {
		return store{}, errors.New("no folder")
	}
	return open(r.dir)
}

// headCommit is a commit as suites and merge groups name it.
func headCommit(c *object.Commit) fields {
	who := func(sig object.Signature) fields { return fields{"name": sig.Name, "email": sig.Email} }
	return fields{"id": c.Hash.String(), "tree_id": c.TreeHash.String(), "message": strings.TrimSpace(c.Message), "timestamp": stamp(c.Committer.When),
		"author": who(c.Author), "committer": who(c.Committer)}
}

// emitSuite tells of a check suite. s.mu is held.
func (s *Server) emitSuite(r *repo, sha string, app *thirdApp, by *user, action string) {
	if !contains(s.opts.Events, "check_suite") {
		return
	}
	payload := s.envelope(r, by, action)
	payload["check_suite"] = s.suiteJSON(r, sha, app)
	s.emit("check_suite", r, payload)
}

// endSuite tells of a check suite whose last run has ended with c. s.mu is
// held.
func (s *Server) endSuite(r *repo, c *checkRun, by *user) {
	for _, other := range r.latestChecks(c.sha) {
		if other.suite == c.suite && other.status != "completed" {
			return
		}
	}
	s.emitSuite(r, c.sha, c.app, by, "completed")
}

// listSuites lists the check suites of a commit.
func listSuites(q *request) reply {
	_, sha, no := q.commitOf("ref")
	if no != nil {
		return *no
	}
	var apps []*thirdApp
	for key := range q.repo.suites {
		at, slug, other := strings.Cut(key, "/")
		switch {
		case at != sha:
		case other:
			apps = append(apps, q.s.third(slug))
		default:
			apps = append(apps, nil)
		}
	}
	sort.Slice(apps, func(i, j int) bool {
		return q.repo.suites[suiteKey(sha, apps[i])] < q.repo.suites[suiteKey(sha, apps[j])]
	})
	list := []any{}
	for _, app := range page(q, apps) {
		out := q.s.suiteJSON(q.repo, sha, app)
		out["repository"] = q.s.repoJSON(q.repo)
		list = append(list, out)
	}
	return reply{200, fields{"total_count": len(apps), "check_suites": list}}
}

// statusJSON is a commit status.
func (s *Server) statusJSON(r *repo, st *commitStatus) fields {
	return fields{"url": s.APIURL() + "/repos/" + r.full() + "/statuses/" + st.sha, "avatar_url": s.URL + "/avatars/" + st.by.login, "id": st.id,
		"node_id": nodeID("SC", st.id), "state": st.state, "description": orNil(st.description), "target_url": orNil(st.target), "context": st.context,
		"created_at": stamp(st.at), "updated_at": stamp(st.at)}
}

// errTooManyStatuses is told in GitHub's own words where it is answered.
var errTooManyStatuses = errors.New("this SHA and context has reached the maximum number of statuses")

// setStatus adds a status to a commit. s.mu is held.
func (s *Server) setStatus(r *repo, by *user, st *commitStatus) (*commitStatus, error) {
	count := 0
	for _, have := range r.statuses {
		if have.sha == st.sha && have.context == st.context {
			count++
		}
	}
	if count >= maxStatuses {
		return nil, errTooManyStatuses
	}
	st.id, st.by, st.at = s.nextID(), by, s.opts.Now()
	r.statuses = append(r.statuses, st)
	s.touch()
	if !contains(s.opts.Events, "status") {
		return st, nil
	}
	g, err := open(r.dir)
	if err != nil {
		return nil, err
	}
	c, err := g.CommitObject(plumbing.NewHash(st.sha))
	if err != nil {
		return nil, err
	}
	refs, err := g.refs()
	if err != nil {
		return nil, err
	}
	branches := []any{}
	for ref, sha := range refs {
		if name, ok := strings.CutPrefix(ref, "refs/heads/"); ok && sha == st.sha {
			branches = append(branches, fields{"name": name, "protected": false, "commit": fields{"sha": sha, "url": s.APIURL() + "/repos/" + r.full() + "/commits/" + sha}})
		}
	}
	payload := s.envelope(r, by, "")
	delete(payload, "action")
	for k, v := range s.statusJSON(r, st) {
		payload[k] = v
	}
	delete(payload, "url")
	delete(payload, "node_id")
	payload["sha"], payload["name"], payload["branches"], payload["commit"] = st.sha, r.full(), branches, s.restCommit(r, c)
	s.emit("status", r, payload)
	return st, nil
}

// restCommit is a commit as REST shows it.
func (s *Server) restCommit(r *repo, c *object.Commit) fields {
	sha := c.Hash.String()
	api, html := s.APIURL()+"/repos/"+r.full(), s.URL+"/"+r.full()+"/commit/"
	who := func(sig object.Signature) fields {
		return fields{"name": sig.Name, "email": sig.Email, "date": stamp(sig.When)}
	}
	account := func(sig object.Signature) any {
		if u := s.users[lower(sig.Name)]; u != nil {
			return s.userJSON(u)
		}
		return nil
	}
	parents := []any{}
	for _, p := range c.ParentHashes {
		parents = append(parents, fields{"sha": p.String(), "url": api + "/commits/" + p.String(), "html_url": html + p.String()})
	}
	return fields{"sha": sha, "node_id": nodeID("C", 1), "url": api + "/commits/" + sha, "html_url": html + sha, "comments_url": api + "/commits/" + sha + "/comments",
		"commit": fields{"author": who(c.Author), "committer": who(c.Committer), "message": strings.TrimSpace(c.Message), "comment_count": 0,
			"tree": fields{"sha": c.TreeHash.String(), "url": api + "/git/trees/" + c.TreeHash.String()}, "url": api + "/git/commits/" + sha,
			"verification": fields{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil}},
		"author": account(c.Author), "committer": account(c.Committer), "parents": parents}
}

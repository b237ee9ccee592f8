package githubtest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// gateRoutes registers what is asked before something is merged or applied.
func (s *Server) gateRoutes(on func(permission, level, pattern string, h handler)) {
	on("checks", "read", "GET /commits/{ref:.+}/check-runs", listChecks)
	on("checks", "read", "GET /commits/{ref:.+}/check-suites", listSuites)
	on("statuses", "read", "GET /commits/{ref:.+}/status", combinedStatus)
	on("contents", "read", "GET /commits/{ref:.+}", getCommit)
	on("statuses", "write", "POST /statuses/{sha}", createStatus)
	on("checks", "write", "POST /check-runs/{id:[0-9]+}/rerequest", rerequestRun)
	on("checks", "write", "POST /check-suites/{id:[0-9]+}/rerequest", rerequestSuite)
	on("contents", "read", "GET /compare/{basehead:.+}", compareCommits)
	on("contents", "read", "GET /codeowners/errors", ownersErrors)
	on("metadata", "read", "GET /rules/branches/{branch:.+}", branchRules)
	on("administration", "read", "GET /branches/{branch:.+}/protection", branchProtection)
	on("contents", "read", "GET /branches/{branch:.+}", getBranch)
	on("contents", "read", "GET /git/ref/{ref:.+}", getRef)
	on("contents", "read", "GET /contents/{path:.*}", getContents)
	on("pull_requests", "read", "GET /pulls/{n:[0-9]+}/files", listFiles)
}

// resolve returns the commit that a branch, tag, ref or hash names, "" for
// none.
func (g store) resolve(ref string) string {
	for _, name := range []string{"refs/heads/" + ref, "refs/tags/" + ref, "refs/" + ref, ref} {
		if tip := g.tip(name); tip != "" {
			return tip
		}
	}
	if plumbing.IsHash(ref) && g.has(ref) {
		return ref
	}
	return ""
}

// file returns a file's content at a commit.
func (g store) file(sha, path string) (string, bool) {
	c, err := g.CommitObject(plumbing.NewHash(sha))
	if err != nil {
		return "", false
	}
	f, err := c.File(path)
	if err != nil {
		return "", false
	}
	text, err := f.Contents()
	return text, err == nil
}

// commitOf returns the commit that the route names, or GitHub's answer to one
// that is not there.
func (q *request) commitOf(name string) (store, string, *reply) {
	g, err := open(q.repo.dir)
	if err != nil {
		no := fail(500, err.Error())
		return g, "", &no
	}
	ref := q.PathValue(name)
	sha := g.resolve(ref)
	if sha == "" {
		no := fail(http.StatusUnprocessableEntity, "No commit found for SHA: "+ref)
		return g, "", &no
	}
	return g, sha, nil
}

// listChecks lists the check runs of a commit; unlike most lists of GitHub it
// names the newest of each name only, unless asked for all.
func listChecks(q *request) reply {
	_, sha, no := q.commitOf("ref")
	if no != nil {
		return *no
	}
	query := q.URL.Query()
	all := q.repo.latestChecks(sha)
	if query.Get("filter") == "all" {
		all = nil
		for _, c := range q.repo.checks {
			if c.sha == sha {
				all = append(all, c)
			}
		}
	}
	if name := query.Get("check_name"); name != "" {
		all = slices.DeleteFunc(all, func(c *checkRun) bool { return c.name != name })
	}
	list := []any{}
	for _, c := range page(q, all) {
		list = append(list, q.s.checkJSON(q.repo, c))
	}
	return reply{200, fields{"total_count": len(all), "check_runs": list}}
}

// combinedStatus is a commit's statuses, the newest of each context.
func combinedStatus(q *request) reply {
	_, sha, no := q.commitOf("ref")
	if no != nil {
		return *no
	}
	all := q.repo.latestStatuses(sha)
	state := "success"
	for _, st := range all {
		switch {
		case st.state == "failure" || st.state == "error":
			state = "failure"
		case st.state == "pending" && state == "success":
			state = "pending"
		}
	}
	if len(all) == 0 {
		state = "pending"
	}
	list := []any{}
	for _, st := range page(q, all) {
		list = append(list, q.s.statusJSON(q.repo, st))
	}
	api := q.s.APIURL() + "/repos/" + q.repo.full() + "/commits/" + sha
	return reply{200, fields{"state": state, "sha": sha, "total_count": len(all), "statuses": list, "repository": q.s.repoJSON(q.repo),
		"commit_url": api, "url": api + "/status"}}
}

// maxStatuses is how many statuses a commit takes for one context.
const maxStatuses = 1000

func createStatus(q *request) reply {
	_, sha, no := q.commitOf("sha")
	if no != nil {
		return *no
	}
	var ask struct {
		State       string `json:"state"`
		Context     string `json:"context"`
		Description string `json:"description"`
		Target      string `json:"target_url"`
	}
	if !q.decode(&ask) || !contains([]string{"error", "failure", "pending", "success"}, ask.State) {
		return invalid("Status", "state", "state is not one of GitHub's four")
	}
	if len(ask.Description) > 140 {
		return invalid("Status", "description", "description is too long (maximum is 140 characters)")
	}
	if ask.Context == "" {
		ask.Context = "default"
	}
	st, err := q.s.setStatus(q.repo, q.actor(), &commitStatus{sha: sha, context: ask.Context, state: ask.State, description: ask.Description, target: ask.Target})
	if err != nil {
		return invalid("Status", "context", "This SHA and context has reached the maximum number of statuses.")
	}
	out := q.s.statusJSON(q.repo, st)
	out["creator"] = q.s.userJSON(st.by)
	return reply{201, out}
}

func getCommit(q *request) reply {
	g, sha, no := q.commitOf("ref")
	if no != nil {
		return *no
	}
	c, err := g.CommitObject(plumbing.NewHash(sha))
	if err != nil {
		return fail(500, err.Error())
	}
	return reply{200, q.s.restCommit(q.repo, c)}
}

// compareCommits says how far two commits are from each other. Both are in the
// repository's network: a fork's are found by their hashes.
func compareCommits(q *request) reply {
	base, head, ok := strings.Cut(q.PathValue("basehead"), "...")
	g, err := open(q.repo.dir)
	if err != nil {
		return fail(500, err.Error())
	}
	from, to := g.resolve(base), g.resolve(head)
	if !ok || from == "" || to == "" {
		return fail(404, "Not Found")
	}
	fork, h, err := g.since(from, to)
	if err != nil {
		return fail(404, "No common ancestor between "+base+" and "+head+".")
	}
	b, err := g.CommitObject(plumbing.NewHash(from))
	if err != nil {
		return fail(500, err.Error())
	}
	ahead, err := g.between(from, to, 10_000)
	if err != nil {
		return fail(500, err.Error())
	}
	behind, err := g.between(to, from, 10_000)
	if err != nil {
		return fail(500, err.Error())
	}
	status := "identical"
	switch {
	case len(ahead) > 0 && len(behind) > 0:
		status = "diverged"
	case len(ahead) > 0:
		status = "ahead"
	case len(behind) > 0:
		status = "behind"
	}
	commits := []any{}
	for _, c := range page(q, ahead) {
		commits = append(commits, q.s.restCommit(q.repo, c))
	}
	changed := g.changedFiles(fork, h)
	html := q.s.URL + "/" + q.repo.full() + "/compare/" + base + "..." + head
	return reply{200, fields{"url": q.s.APIURL() + "/repos/" + q.repo.full() + "/compare/" + base + "..." + head, "html_url": html, "permalink_url": html,
		"diff_url": html + ".diff", "patch_url": html + ".patch", "base_commit": q.s.restCommit(q.repo, b), "merge_base_commit": q.s.restCommit(q.repo, fork),
		"status": status, "ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead), "commits": commits,
		"files": q.s.filesJSON(q.repo, g, to, changed[:min(len(changed), 300)])}}
}

// changedFile is a change of a pull request; from is a file's former name.
type changedFile struct {
	change
	former string
}

// changedFiles is what a commit changes since another. A file that went under
// one name and came under another, the same, was renamed.
func (g store) changedFiles(from, to *object.Commit) []changedFile {
	changes, err := g.diff(from.TreeHash, to.TreeHash, "")
	if err != nil {
		return nil
	}
	gone := map[plumbing.Hash]string{}
	for _, c := range changes {
		if c.to.Hash.IsZero() {
			gone[c.from.Hash] = c.path
		}
	}
	renamed := map[string]bool{}
	var out []changedFile
	for _, c := range changes {
		f := changedFile{change: c}
		if former := gone[c.to.Hash]; c.from.Hash.IsZero() && former != "" && !renamed[former] {
			f.former = former
			renamed[former] = true
		}
		out = append(out, f)
	}
	return slices.DeleteFunc(out, func(f changedFile) bool { return f.to.Hash.IsZero() && renamed[f.path] })
}

func (s *Server) filesJSON(r *repo, g store, sha string, files []changedFile) []any {
	out := []any{}
	for _, f := range files {
		status, blob := "modified", f.to.Hash
		switch {
		case f.former != "":
			status = "renamed"
		case f.from.Hash.IsZero():
			status = "added"
		case f.to.Hash.IsZero():
			status, blob = "removed", f.from.Hash
		}
		added, removed := 0, 0
		if f.former == "" {
			added, removed = g.lines(f.change)
		}
		at := sha + "/" + f.path
		one := fields{"sha": blob.String(), "filename": f.path, "status": status, "additions": added, "deletions": removed, "changes": added + removed,
			"blob_url": s.URL + "/" + r.full() + "/blob/" + at, "raw_url": s.URL + "/" + r.full() + "/raw/" + at,
			"contents_url": s.APIURL() + "/repos/" + r.full() + "/contents/" + f.path + "?ref=" + sha}
		if f.former != "" {
			one["previous_filename"] = f.former
		}
		out = append(out, one)
	}
	return out
}

// maxFiles is where GitHub's list of a pull's files ends.
const maxFiles = 3000

func listFiles(q *request) reply {
	p := q.pullOf()
	if p == nil {
		return fail(404, "Not Found")
	}
	g, err := open(q.repo.dir)
	if err != nil {
		return fail(500, err.Error())
	}
	base := p.baseSHA
	if !p.merged {
		base = g.tip("refs/heads/" + p.baseRef)
	}
	fork, head, err := g.since(base, p.headSHA)
	if err != nil {
		return fail(422, err.Error())
	}
	files := g.changedFiles(fork, head)
	return reply{200, q.s.filesJSON(q.repo, g, p.headSHA, page(q, files[:min(len(files), maxFiles)]))}
}

// branchRules lists the rules that rulesets have for a branch, be it there or
// not; classic protection is not among them.
func branchRules(q *request) reply {
	all := []any{}
	add := func(rule *ruleset, kind string, parameters fields) {
		out := fields{"type": kind, "ruleset_id": rule.id, "ruleset_source": q.repo.full(), "ruleset_source_type": "Repository"}
		if rule.Organization {
			out["ruleset_source"], out["ruleset_source_type"] = q.repo.owner.login, "Organization"
		}
		if parameters != nil {
			out["parameters"] = parameters
		}
		all = append(all, out)
	}
	for _, rule := range q.repo.rulesFor(q.PathValue("branch")) {
		add(rule, "deletion", nil) // what nobody asks for is in the list too
		if rule.Approvals > 0 || rule.CodeOwners || rule.LastPush || rule.DismissStale {
			add(rule, "pull_request", fields{"required_approving_review_count": rule.Approvals, "dismiss_stale_reviews_on_push": rule.DismissStale,
				"require_code_owner_review": rule.CodeOwners, "require_last_push_approval": rule.LastPush, "required_review_thread_resolution": false})
		}
		if len(rule.Checks) > 0 {
			checks := []any{}
			for _, c := range rule.Checks {
				checks = append(checks, fields{"context": c})
			}
			add(rule, "required_status_checks", fields{"required_status_checks": checks, "strict_required_status_checks_policy": rule.UpToDate})
		}
		if rule.MergeQueue {
			add(rule, "merge_queue", fields{"check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN", "max_entries_to_build": 5,
				"max_entries_to_merge": 5, "merge_method": "MERGE", "min_entries_to_merge": 1, "min_entries_to_merge_wait_minutes": 5})
		}
	}
	return reply{200, page(q, all)}
}

func branchProtection(q *request) reply {
	branch := q.PathValue("branch")
	p := q.repo.classic(branch)
	g, err := open(q.repo.dir)
	switch {
	case err != nil:
		return fail(500, err.Error())
	case g.tip("refs/heads/"+branch) == "":
		return fail(404, "Branch not found")
	case p == nil:
		return fail(404, "Branch not protected")
	}
	self := q.s.APIURL() + "/repos/" + q.repo.full() + "/branches/" + url.PathEscape(branch) + "/protection"
	out := fields{"url": self, "enforce_admins": fields{"url": self + "/enforce_admins", "enabled": false}, "allow_force_pushes": fields{"enabled": false},
		"allow_deletions": fields{"enabled": false}, "required_linear_history": fields{"enabled": false}}
	if len(p.Checks) > 0 || p.UpToDate {
		out["required_status_checks"] = fields{"url": self + "/required_status_checks", "contexts_url": self + "/required_status_checks/contexts",
			"strict": p.UpToDate, "contexts": names(p.Checks), "checks": contexts(p.Checks)}
	}
	if p.Approvals > 0 || p.CodeOwners || p.DismissStale || p.LastPush {
		out["required_pull_request_reviews"] = fields{"url": self + "/required_pull_request_reviews", "dismiss_stale_reviews": p.DismissStale,
			"require_code_owner_reviews": p.CodeOwners, "required_approving_review_count": p.Approvals, "require_last_push_approval": p.LastPush}
	}
	return reply{200, out}
}

func names(list []string) []string { return append([]string{}, list...) }

func contexts(list []string) []any {
	out := []any{}
	for _, c := range list {
		out = append(out, fields{"context": c, "app_id": nil})
	}
	return out
}

// getBranch is a branch and, for whoever may read contents, the little that it
// says of its classic protection.
func getBranch(q *request) reply {
	branch := q.PathValue("branch")
	g, err := open(q.repo.dir)
	if err != nil {
		return fail(500, err.Error())
	}
	c, err := g.CommitObject(plumbing.NewHash(g.tip("refs/heads/" + branch)))
	if err != nil {
		return fail(404, "Branch not found")
	}
	self := q.s.APIURL() + "/repos/" + q.repo.full() + "/branches/" + url.PathEscape(branch)
	classic := q.repo.classic(branch)
	guard := fields{"enabled": false, "required_status_checks": fields{"enforcement_level": "off", "contexts": []string{}, "checks": []any{}}}
	if classic != nil {
		level := "off"
		if len(classic.Checks) > 0 {
			level = "non_admins"
		}
		guard = fields{"enabled": true, "required_status_checks": fields{"enforcement_level": level, "contexts": names(classic.Checks), "checks": contexts(classic.Checks)}}
	}
	return reply{200, fields{"name": branch, "commit": q.s.restCommit(q.repo, c), "protected": classic != nil || len(q.repo.rulesFor(branch)) > 0,
		"protection": guard, "protection_url": self + "/protection",
		"_links": fields{"self": self, "html": q.s.URL + "/" + q.repo.full() + "/tree/" + url.PathEscape(branch)}}}
}

func getRef(q *request) reply {
	g, err := open(q.repo.dir)
	if err != nil {
		return fail(500, err.Error())
	}
	ref := "refs/" + q.PathValue("ref")
	sha := g.tip(ref)
	if sha == "" {
		return fail(404, "Not Found")
	}
	api := q.s.APIURL() + "/repos/" + q.repo.full() + "/git/"
	return reply{200, fields{"ref": ref, "node_id": nodeID("REF", q.repo.id), "url": api + ref, "object": fields{"type": "commit", "sha": sha, "url": api + "commits/" + sha}}}
}

// getContents is a file or a folder at a commit.
func getContents(q *request) reply {
	g, err := open(q.repo.dir)
	if err != nil {
		return fail(500, err.Error())
	}
	ref := q.URL.Query().Get("ref")
	if ref == "" {
		ref = q.repo.defaultBranch
	}
	path := strings.Trim(q.PathValue("path"), "/")
	c, err := g.CommitObject(plumbing.NewHash(g.resolve(ref)))
	if err != nil {
		return fail(404, "No commit found for the ref "+ref)
	}
	describe := func(path string, e object.TreeEntry) fields {
		api := q.s.APIURL() + "/repos/" + q.repo.full()
		self, html := api+"/contents/"+path+"?ref="+url.QueryEscape(ref), q.s.URL+"/"+q.repo.full()+"/blob/"+ref+"/"+path
		kind, blob := "file", api+"/git/blobs/"+e.Hash.String()
		size := int64(0)
		switch e.Mode {
		case filemode.Dir:
			kind, blob = "dir", api+"/git/trees/"+e.Hash.String()
		case filemode.Symlink:
			kind = "symlink"
		}
		if b, err := g.BlobObject(e.Hash); err == nil {
			size = b.Size
		}
		return fields{"type": kind, "size": size, "name": path[strings.LastIndex(path, "/")+1:], "path": path, "sha": e.Hash.String(), "url": self,
			"html_url": html, "git_url": blob, "download_url": nil, "_links": fields{"self": self, "git": blob, "html": html}}
	}
	root := object.TreeEntry{Mode: filemode.Dir, Hash: c.TreeHash}
	if path != "" {
		t, err := g.TreeObject(c.TreeHash)
		if err != nil {
			return fail(500, err.Error())
		}
		e, err := t.FindEntry(path)
		if err != nil {
			return fail(404, "Not Found")
		}
		root = *e
	}
	if root.Mode == filemode.Dir {
		entries, err := g.tree(root.Hash)
		if err != nil {
			return fail(500, err.Error())
		}
		list := []any{}
		sorted := make([]string, 0, len(entries))
		for name := range entries {
			sorted = append(sorted, name)
		}
		sort.Strings(sorted)
		for _, name := range sorted {
			list = append(list, describe(strings.Trim(path+"/"+name, "/"), entries[name]))
		}
		return reply{200, list}
	}
	out := describe(path, root)
	text, err := g.content(root.Hash)
	if err != nil {
		return fail(500, err.Error())
	}
	if root.Mode == filemode.Symlink {
		out["target"] = text
		return reply{200, out}
	}
	out["encoding"], out["content"] = "base64", base64.StdEncoding.EncodeToString([]byte(text))
	if len(text) > 1<<20 { // beyond a megabyte GitHub gives the raw form only
		out["encoding"], out["content"] = "none", ""
	}
	return reply{200, out}
}

func rerequestRun(q *request) reply {
	c := q.repo.checkByID[q.int("id")]
	if c == nil {
		return fail(404, "Not Found")
	}
	if c.app != nil {
		return fail(403, fmt.Sprintf("This check run was not created by the %s app.", q.s.opts.Slug))
	}
	q.s.emit("check_run", q.repo, q.s.checkPayload(q.repo, c, q.actor(), "rerequested"))
	return reply{201, fields{}}
}

func rerequestSuite(q *request) reply {
	for key, id := range q.repo.suites {
		if id == q.int("id") && !strings.Contains(key, "/") {
			q.s.emitSuite(q.repo, key, nil, q.actor(), "rerequested")
			return reply{201, fields{}}
		}
	}
	return fail(404, "Not Found")
}

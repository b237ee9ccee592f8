package githubtest

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// fields is a JSON object.
type fields = map[string]any

// stamp is a time as GitHub writes it, nil for none.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

func nodeID(kind string, id int64) string {
	return kind + "_" + base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(id, 10)))
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// userJSON is a simple-user.
func (s *Server) userJSON(u *user) any {
	if u == nil {
		return nil
	}
	api := s.APIURL() + "/users/" + url.PathEscape(u.login)
	return fields{
		"login": u.login, "id": u.id, "node_id": nodeID("U", u.id), "type": u.kind, "site_admin": false, "gravatar_id": "",
		"avatar_url": s.URL + "/avatars/" + url.PathEscape(u.login), "html_url": s.URL + "/" + url.PathEscape(u.login), "url": api,
		"events_url": api + "/events{/privacy}", "followers_url": api + "/followers", "following_url": api + "/following{/other_user}",
		"gists_url": api + "/gists{/gist_id}", "organizations_url": api + "/orgs", "received_events_url": api + "/received_events",
		"repos_url": api + "/repos", "starred_url": api + "/starred{/owner}{/repo}", "subscriptions_url": api + "/subscriptions",
		"user_view_type": "public",
	}
}

// repoLinks are the address fields of a repository that name a collection
// below it.
var repoLinks = map[string]string{
	"archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
	"branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}", "comments_url": "/comments{/number}",
	"commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}", "contents_url": "/contents/{+path}",
	"contributors_url": "/contributors", "deployments_url": "/deployments", "downloads_url": "/downloads", "events_url": "/events",
	"forks_url": "/forks", "git_commits_url": "/git/commits{/sha}", "git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}",
	"hooks_url": "/hooks", "issue_comment_url": "/issues/comments{/number}", "issue_events_url": "/issues/events{/number}",
	"issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}", "languages_url": "/languages",
	"merges_url": "/merges", "milestones_url": "/milestones{/number}", "notifications_url": "/notifications{?since,all,participating}",
	"pulls_url": "/pulls{/number}", "releases_url": "/releases{/id}", "stargazers_url": "/stargazers", "statuses_url": "/statuses/{sha}",
	"subscribers_url": "/subscribers", "subscription_url": "/subscription", "tags_url": "/tags", "teams_url": "/teams", "trees_url": "/git/trees{/sha}",
}

// repoJSON is a repository with the fields of a full one.
func (s *Server) repoJSON(r *repo) any {
	if r == nil {
		return nil
	}
	api, html := s.APIURL()+"/repos/"+r.full(), s.URL+"/"+r.full()
	open := 0
	for _, p := range r.pulls {
		if p.state == "open" {
			open++
		}
	}
	visibility := "public"
	if r.private {
		visibility = "private"
	}
	out := fields{
		"id": r.id, "node_id": nodeID("R", r.id), "name": r.name, "full_name": r.full(), "private": r.private, "owner": s.userJSON(r.owner),
		"html_url": html, "url": api, "description": nil, "fork": r.parent != nil, "created_at": stamp(r.created), "updated_at": stamp(r.created),
		"pushed_at": stamp(r.created), "git_url": "git://" + s.URL[len("http://"):] + "/" + r.full() + ".git", "ssh_url": "git@localhost:" + r.full() + ".git",
		"clone_url": html + ".git", "svn_url": html, "homepage": nil, "size": 1, "stargazers_count": 0, "watchers_count": 0, "language": "HCL",
		"has_issues": !r.noIssues, "has_projects": false, "has_downloads": false, "has_wiki": false, "has_pages": false, "has_discussions": false,
		"forks_count": 0, "mirror_url": nil, "archived": r.archived, "disabled": false, "open_issues_count": open, "license": nil, "allow_forking": true,
		"is_template": false, "topics": []string{}, "visibility": visibility, "forks": 0, "open_issues": open, "watchers": 0,
		"default_branch": r.defaultBranch, "network_count": 0, "subscribers_count": 0, "web_commit_signoff_required": false,
	}
	for name, rest := range repoLinks {
		out[name] = api + rest
	}
	return out
}

// pullJSON is a pull request in full; lists leave the last block out.
func (s *Server) pullJSON(p *pull, full bool) fields {
	r := p.repo
	api := fmt.Sprintf("%s/repos/%s/pulls/%d", s.APIURL(), r.full(), p.number)
	issue := fmt.Sprintf("%s/repos/%s/issues/%d", s.APIURL(), r.full(), p.number)
	html := fmt.Sprintf("%s/%s/pull/%d", s.URL, r.full(), p.number)
	statuses := s.APIURL() + "/repos/" + r.full() + "/statuses/" + p.headSHA
	link := func(href string) fields { return fields{"href": href} }
	labels := []any{}
	for _, l := range p.labels {
		labels = append(labels, s.labelJSON(r, l))
	}
	side := func(label, ref, sha string, in *repo) fields {
		out := fields{"label": label, "ref": ref, "sha": sha, "user": nil, "repo": nil}
		if in != nil {
			out["user"], out["repo"] = s.userJSON(in.owner), s.repoJSON(in)
		}
		return out
	}
	// Before the merge this is the test commit, as GitHub has it.
	commit := orNil(p.testCommit)
	if p.mergeable == nil {
		commit = nil
	}
	if p.merged {
		commit = p.mergeSHA
	}
	out := fields{
		"url": api, "id": p.id, "node_id": nodeID("PR", p.id), "html_url": html, "diff_url": html + ".diff", "patch_url": html + ".patch",
		"issue_url": issue, "number": p.number, "state": p.state, "locked": false, "title": p.title, "user": s.userJSON(p.author), "body": orNil(p.body),
		"created_at": stamp(p.created), "updated_at": stamp(p.updated), "closed_at": stamp(p.closed), "merged_at": stamp(p.mergedAt),
		"merge_commit_sha": commit, "assignee": nil, "assignees": []any{}, "requested_reviewers": []any{}, "requested_teams": []any{},
		"labels": labels, "milestone": nil, "draft": p.draft, "commits_url": api + "/commits", "review_comments_url": api + "/comments",
		"review_comment_url": s.APIURL() + "/repos/" + r.full() + "/pulls/comments{/number}", "comments_url": issue + "/comments", "statuses_url": statuses,
		"head": side(p.headLabel, p.headRef, p.headSHA, p.head), "base": side(r.owner.login+":"+p.baseRef, p.baseRef, p.baseSHA, r),
		"_links": fields{"self": link(api), "html": link(html), "issue": link(issue), "comments": link(issue + "/comments"),
			"review_comments": link(api + "/comments"), "review_comment": link(s.APIURL() + "/repos/" + r.full() + "/pulls/comments{/number}"),
			"commits": link(api + "/commits"), "statuses": link(statuses)},
		"author_association": association(r, p.author), "auto_merge": nil, "active_lock_reason": nil,
	}
	if full {
		out["merged"], out["mergeable"], out["rebaseable"], out["mergeable_state"] = p.merged, nil, nil, s.standing(p)
		if p.mergeable != nil && p.state == "open" {
			out["mergeable"], out["rebaseable"] = *p.mergeable, *p.mergeable
		}
		out["merged_by"], out["comments"], out["review_comments"], out["maintainer_can_modify"] = s.userJSON(p.mergedBy), len(p.comments), 0, false
		out["commits"], out["additions"], out["deletions"], out["changed_files"] = p.commits, p.additions, p.deletions, p.files
	}
	return out
}

// association is what GitHub says of an author. It is a trap and stands here as
// one: private members of an organisation appear as CONTRIBUTOR.
func association(r *repo, u *user) string {
	switch {
	case u == nil || u.kind == "Bot":
		return "NONE"
	case u == r.owner:
		return "OWNER"
	case r.collaborators[lower(u.login)] != "":
		return "CONTRIBUTOR"
	}
	return "NONE"
}

func (s *Server) labelJSON(r *repo, name string) fields {
	var id int64 = 1000
	for _, c := range name {
		id = id*31 + int64(c)
	}
	id &= 1<<40 - 1
	return fields{"id": id, "node_id": nodeID("LA", id), "url": s.APIURL() + "/repos/" + r.full() + "/labels/" + url.PathEscape(name),
		"name": name, "color": "ededed", "default": false, "description": ""}
}

// appJSON is the App.
func (s *Server) appJSON() fields {
	return fields{
		"id": s.opts.AppID, "slug": s.opts.Slug, "node_id": nodeID("A", s.opts.AppID), "client_id": s.clientID, "owner": s.userJSON(s.owner()),
		"name": s.opts.AppName, "description": nil, "external_url": s.URL, "html_url": s.URL + "/apps/" + s.opts.Slug,
		"created_at": stamp(s.started), "updated_at": stamp(s.started), "permissions": s.opts.Permissions, "events": s.opts.Events,
	}
}

func (s *Server) installationJSON(in *installation) fields {
	api := s.APIURL()
	return fields{
		"id": in.id, "account": s.userJSON(in.account), "access_tokens_url": fmt.Sprintf("%s/app/installations/%d/access_tokens", api, in.id),
		"repositories_url": api + "/installation/repositories", "html_url": fmt.Sprintf("%s/settings/installations/%d", s.URL, in.id),
		"app_id": s.opts.AppID, "app_slug": s.opts.Slug, "client_id": s.clientID, "target_id": in.account.id, "target_type": in.account.kind,
		"permissions": s.opts.Permissions, "events": s.opts.Events, "created_at": stamp(in.created), "updated_at": stamp(in.created),
		"single_file_name": nil, "has_multiple_single_files": false, "single_file_paths": []string{}, "repository_selection": "selected",
		"suspended_at": stamp(in.suspended), "suspended_by": nil,
	}
}

func (s *Server) commentJSON(c *comment) fields {
	p := c.pull
	base := s.APIURL() + "/repos/" + p.repo.full() + "/issues"
	self := fmt.Sprintf("%s/comments/%d", base, c.id)
	counts := fields{"url": self + "/reactions", "total_count": len(c.reactions)}
	for _, k := range reactions {
		counts[k] = 0
	}
	for _, r := range c.reactions {
		counts[r.content] = counts[r.content].(int) + 1
	}
	var app any
	if c.app {
		app = s.appJSON()
	}
	return fields{
		"url": self, "html_url": fmt.Sprintf("%s/%s/pull/%d#issuecomment-%d", s.URL, p.repo.full(), p.number, c.id),
		"issue_url": fmt.Sprintf("%s/%d", base, p.number), "id": c.id, "node_id": nodeID("IC", c.id), "user": s.userJSON(c.author),
		"created_at": stamp(c.created), "updated_at": stamp(c.updated), "author_association": association(p.repo, c.author),
		"body": c.body, "reactions": counts, "performed_via_github_app": app,
	}
}

var reactions = []string{"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}

// issueJSON is a pull request as an issue, which is how issue_comment names it.
func (s *Server) issueJSON(p *pull) fields {
	r := p.repo
	api := fmt.Sprintf("%s/repos/%s/issues/%d", s.APIURL(), r.full(), p.number)
	pr := s.pullJSON(p, false)
	counts := fields{"url": api + "/reactions", "total_count": 0}
	for _, k := range reactions {
		counts[k] = 0
	}
	return fields{
		"url": api, "repository_url": s.APIURL() + "/repos/" + r.full(), "labels_url": api + "/labels{/name}", "comments_url": api + "/comments",
		"events_url": api + "/events", "html_url": pr["html_url"], "id": p.id + 1, "node_id": nodeID("PR", p.id), "number": p.number, "title": p.title,
		"user": pr["user"], "labels": pr["labels"], "state": p.state, "locked": false, "assignee": nil, "assignees": []any{}, "milestone": nil,
		"comments": len(p.comments), "created_at": pr["created_at"], "updated_at": pr["updated_at"], "closed_at": pr["closed_at"],
		"author_association": pr["author_association"], "active_lock_reason": nil, "draft": p.draft, "body": pr["body"], "reactions": counts,
		"timeline_url": api + "/timeline", "performed_via_github_app": nil, "state_reason": nil,
		"pull_request": fields{"url": pr["url"], "html_url": pr["html_url"], "diff_url": pr["diff_url"], "patch_url": pr["patch_url"], "merged_at": pr["merged_at"]},
	}
}

// reviewJSON is a review: REST shouts its state, webhooks whisper it.
func (s *Server) reviewJSON(p *pull, v *review, state string) fields {
	html := fmt.Sprintf("%s/%s/pull/%d#pullrequestreview-%d", s.URL, p.repo.full(), p.number, v.id)
	api := fmt.Sprintf("%s/repos/%s/pulls/%d", s.APIURL(), p.repo.full(), p.number)
	return fields{
		"id": v.id, "node_id": nodeID("PRR", v.id), "user": s.userJSON(v.author), "body": v.body, "state": state, "html_url": html,
		"pull_request_url": api, "author_association": association(p.repo, v.author), "submitted_at": stamp(v.at), "commit_id": v.commit,
		"_links": fields{"html": fields{"href": html}, "pull_request": fields{"href": api}},
	}
}

// checkJSON is a check run.
func (s *Server) checkJSON(r *repo, c *checkRun) fields {
	api := fmt.Sprintf("%s/repos/%s/check-runs/%d", s.APIURL(), r.full(), c.id)
	pulls := s.pullsAt(r, c.sha)
	details := c.details
	if details == "" {
		details = s.URL
	}
	return fields{
		"id": c.id, "name": c.name, "node_id": nodeID("CR", c.id), "head_sha": c.sha, "external_id": c.external, "url": api,
		"html_url": fmt.Sprintf("%s/%s/runs/%d", s.URL, r.full(), c.id), "details_url": details, "status": c.status, "conclusion": orNil(c.conclusion),
		"started_at": stamp(c.started), "completed_at": stamp(c.completed), "check_suite": fields{"id": c.suite}, "app": s.appOf(c), "pull_requests": pulls,
		"output": fields{"title": orNil(c.title), "summary": orNil(c.summary), "text": orNil(c.text), "annotations_count": len(c.annotations), "annotations_url": api + "/annotations"},
	}
}

// envelope is what every webhook about a repository has. s.mu is held.
func (s *Server) envelope(r *repo, by *user, action string) fields {
	out := fields{"action": action, "repository": s.repoJSON(r), "sender": s.userJSON(by)}
	if in := s.installed(r); in != nil {
		out["installation"] = fields{"id": in.id, "node_id": nodeID("MDIz", in.id)}
	}
	return out
}

func (s *Server) pullPayload(p *pull, by *user, action string) fields {
	out := s.envelope(p.repo, by, action)
	out["number"], out["pull_request"] = p.number, s.pullJSON(p, true)
	return out
}

func (s *Server) commentPayload(c *comment, by *user, action string) fields {
	out := s.envelope(c.pull.repo, by, action)
	out["issue"], out["comment"] = s.issueJSON(c.pull), s.commentJSON(c)
	return out
}

func (s *Server) reviewPayload(p *pull, v *review, by *user, action string) fields {
	out := s.envelope(p.repo, by, action)
	out["pull_request"], out["review"] = s.pullJSON(p, false), s.reviewJSON(p, v, lower(v.state))
	return out
}

func (s *Server) checkPayload(r *repo, c *checkRun, by *user, action string) fields {
	out := s.envelope(r, by, action)
	out["check_run"] = s.checkJSON(r, c)
	return out
}

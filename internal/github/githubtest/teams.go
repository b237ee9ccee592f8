package githubtest

import (
	"fmt"
	"sort"
)

// team is a group of an organisation's people; teams may stand below others.
type team struct {
	id      int64
	org     *user
	slug    string
	parent  *team
	members map[string]string // login in lower case → active or pending
}

// Team makes an organisation's team, or changes its people: they belong to it
// at once. parent is the slug of the team that it stands below, empty for none;
// whoever belongs to a team belongs to those above it too.
func (s *Server) Team(org, slug, parent string, members ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.teams[lower(org+"/"+slug)]
	if t == nil {
		u := s.person(org)
		u.kind = "Organization"
		t = &team{id: s.nextID(), org: u, slug: slug, members: map[string]string{}}
		s.teams[lower(org+"/"+slug)] = t
	}
	if parent != "" {
		if t.parent = s.teams[lower(org+"/"+parent)]; t.parent == nil {
			panic("githubtest: no team " + parent)
		}
	}
	for _, m := range members {
		s.setMember(t, m, "active")
	}
}

// Invite invites somebody into a team: a membership that is pending until it is
// accepted, by Team.
func (s *Server) Invite(org, slug, login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setMember(s.mustTeam(org, slug), login, "pending")
}

// LeaveTeam takes somebody out of a team.
func (s *Server) LeaveTeam(org, slug, login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setMember(s.mustTeam(org, slug), login, "")
}

func (s *Server) mustTeam(org, slug string) *team {
	t := s.teams[lower(org+"/"+slug)]
	if t == nil {
		panic("githubtest: no team " + org + "/" + slug)
	}
	return t
}

// setMember changes a membership; the webhook speaks of those that hold only.
// s.mu is held.
func (s *Server) setMember(t *team, login, state string) {
	u := s.person(login)
	was := t.members[lower(login)]
	if state == "" {
		delete(t.members, lower(login))
	} else {
		t.members[lower(login)] = state
	}
	action := ""
	switch {
	case state == "active" && was != "active":
		action = "added"
	case was == "active" && state != "active":
		action = "removed"
	}
	in := s.installOn(t.org)
	if action == "" || in == nil {
		return
	}
	s.emit("membership", nil, fields{"action": action, "scope": "team", "member": s.userJSON(u), "sender": s.userJSON(t.org), "team": s.teamJSON(t),
		"organization": s.orgJSON(t.org), "installation": fields{"id": in.id, "node_id": nodeID("MDIz", in.id)}})
	s.touch()
}

// installOn returns the App's installation on an account, nil for none. s.mu is
// held.
func (s *Server) installOn(u *user) *installation {
	for _, in := range s.installs {
		if in.account == u && !in.deleted {
			return in
		}
	}
	return nil
}

// membership is what somebody is in a team, teams below it included. s.mu is
// held.
func (s *Server) membership(t *team, login string) string {
	state := t.members[login]
	for _, below := range s.teams {
		if below.parent == t && state != "active" {
			if deeper := s.membership(below, login); deeper == "active" || state == "" {
				state = deeper
			}
		}
	}
	return state
}

// everyone lists a team's members, teams below it included, in order of their
// logins. s.mu is held.
func (s *Server) everyone(t *team) []*user {
	var out []*user
	for login, u := range s.users {
		if s.membership(t, login) == "active" {
			out = append(out, u)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].login < out[j].login })
	return out
}

// teamOf returns the team that the route names, if the asker may know of it:
// an installation on that organisation with the permission to read members.
func (q *request) teamOf() (*team, *reply) {
	token := q.who.token
	no := fail(404, "Not Found")
	t := q.s.teams[lower(q.PathValue("org")+"/"+q.PathValue("slug"))]
	if token.install.account != q.s.users[lower(q.PathValue("org"))] {
		return nil, &no
	}
	if !covers(token.perms["members"], "read") {
		no = fail(403, "Resource not accessible by integration")
		return nil, &no
	}
	if t == nil {
		return nil, &no
	}
	return t, nil
}

func getTeam(q *request) reply {
	t, no := q.teamOf()
	if no != nil {
		return *no
	}
	out := q.s.teamJSON(t)
	out["created_at"], out["updated_at"] = stamp(q.s.started), stamp(q.s.started)
	out["members_count"], out["repos_count"], out["organization"] = len(q.s.everyone(t)), 0, q.s.fullOrgJSON(t.org)
	return reply{200, out}
}

func listMembers(q *request) reply {
	t, no := q.teamOf()
	if no != nil {
		return *no
	}
	out := []any{}
	for _, u := range page(q, q.s.everyone(t)) {
		out = append(out, q.s.userJSON(u))
	}
	return reply{200, out}
}

func getMembership(q *request) reply {
	t, no := q.teamOf()
	if no != nil {
		return *no
	}
	login := lower(q.PathValue("user"))
	state := q.s.membership(t, login)
	if state == "" {
		return fail(404, "Not Found")
	}
	return reply{200, fields{"url": fmt.Sprintf("%s/organizations/%d/team/%d/memberships/%s", q.s.APIURL(), t.org.id, t.id, login), "role": "member", "state": state}}
}

// teamJSON is a team as it stands within other things.
func (s *Server) teamJSON(t *team) fields {
	api := fmt.Sprintf("%s/organizations/%d/team/%d", s.APIURL(), t.org.id, t.id)
	var parent any
	if t.parent != nil {
		p := s.teamJSON(t.parent)
		delete(p, "parent")
		parent = p
	}
	return fields{"id": t.id, "node_id": nodeID("T", t.id), "name": t.slug, "slug": t.slug, "description": nil, "privacy": "closed",
		"notification_setting": "notifications_enabled", "permission": "pull", "url": api, "html_url": fmt.Sprintf("%s/orgs/%s/teams/%s", s.URL, t.org.login, t.slug),
		"members_url": api + "/members{/member}", "repositories_url": api + "/repos", "parent": parent, "type": "organization", "organization_id": t.org.id}
}

// orgJSON is an organisation as webhooks name it.
func (s *Server) orgJSON(u *user) fields {
	api := s.APIURL() + "/orgs/" + u.login
	return fields{"login": u.login, "id": u.id, "node_id": nodeID("O", u.id), "url": api, "repos_url": api + "/repos", "events_url": api + "/events",
		"hooks_url": api + "/hooks", "issues_url": api + "/issues", "members_url": api + "/members{/member}",
		"public_members_url": api + "/public_members{/member}", "avatar_url": s.URL + "/avatars/" + u.login, "description": nil}
}

func (s *Server) fullOrgJSON(u *user) fields {
	out := s.orgJSON(u)
	more := fields{"html_url": s.URL + "/" + u.login, "type": "Organization", "created_at": stamp(s.started), "updated_at": stamp(s.started),
		"archived_at": nil, "has_organization_projects": true, "has_repository_projects": true, "public_repos": 0, "public_gists": 0,
		"followers": 0, "following": 0}
	for k, v := range more {
		out[k] = v
	}
	return out
}

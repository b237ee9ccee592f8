package githubtest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

func getRepo(q *request) reply { return reply{200, q.s.repoJSON(q.repo)} }

// getPermission answers as GitHub does: permission is the folded role, role_name
// the real one.
func getPermission(q *request) reply {
	u := q.s.users[lower(q.PathValue("user"))]
	if u == nil {
		return fail(404, q.PathValue("user")+" is not a user")
	}
	role := q.repo.role(u.login)
	folded := map[string]string{"triage": "read", "maintain": "write"}
	permission := role
	if f, ok := folded[role]; ok {
		permission = f
	}
	who := q.s.userJSON(u).(fields)
	rank := roleRank[role]
	who["role_name"] = role
	who["permissions"] = fields{"pull": rank >= 1, "triage": rank >= 2, "push": rank >= 3, "maintain": rank >= 4, "admin": rank >= 5}
	return reply{200, fields{"permission": permission, "role_name": role, "user": who}}
}

// pullOf returns the pull that the route names, nil for none.
func (q *request) pullOf() *pull {
	return q.repo.pullAt(int(q.int("n")))
}

func listPulls(q *request) reply {
	query := q.URL.Query()
	state := query.Get("state")
	if state == "" {
		state = "open"
	}
	var all []*pull
	for _, p := range q.repo.pulls {
		if (state == "all" || p.state == state) && (query.Get("base") == "" || p.baseRef == query.Get("base")) &&
			(query.Get("head") == "" || strings.EqualFold(p.headLabel, query.Get("head"))) {
			all = append(all, p)
		}
	}
	if query.Get("sort") == "updated" {
		byUpdate(all)
	}
	if query.Get("direction") != "asc" {
		slices.Reverse(all)
	}
	out := []any{}
	for _, p := range page(q, all) {
		out = append(out, q.s.pullJSON(p, false))
	}
	return reply{200, out}
}

func createPull(q *request) reply {
	var ask struct {
		Title, Body, Head, Base string
		Draft                   bool
	}
	if !q.decode(&ask) || ask.Title == "" {
		return invalid("PullRequest", "title", "title is missing")
	}
	p, err := q.s.openPull(q.repo, q.repo, q.actor(), PullRequest{Title: ask.Title, Body: ask.Body, Head: ask.Head, Base: ask.Base, Draft: ask.Draft})
	if err != nil {
		return invalid("PullRequest", "head", err.Error())
	}
	return reply{201, q.s.pullJSON(p, true)}
}

// getPull answers null for mergeable the first time after head or base moved,
// however fast the answer is known: so does GitHub, as a rule, and whoever
// takes the first answer for the last is wrong.
func getPull(q *request) reply {
	p := q.pullOf()
	if p == nil {
		return fail(404, "Not Found")
	}
	key := p.headSHA + p.baseRef
	first := p.mergeable == nil || p.asked != key
	p.asked = key
	out := q.s.pullJSON(p, true)
	if first && p.state == "open" {
		out["mergeable"], out["rebaseable"], out["mergeable_state"] = nil, nil, "unknown"
		if p.mergeable == nil && !p.computing {
			q.s.mu.Unlock()
			q.s.compute(p)
			q.s.mu.Lock()
		}
	}
	return reply{200, out}
}

func listReviews(q *request) reply {
	p := q.pullOf()
	if p == nil {
		return fail(404, "Not Found")
	}
	out := []any{}
	for _, v := range page(q, p.reviews) {
		out = append(out, q.s.reviewJSON(p, v, v.state))
	}
	return reply{200, out}
}

func mergePull(q *request) reply {
	p := q.pullOf()
	if p == nil {
		return fail(404, "Not Found")
	}
	if !q.who.can(q.repo, "pull_requests", "write") {
		return fail(403, "Resource not accessible by integration")
	}
	var ask struct {
		SHA     string `json:"sha"`
		Method  string `json:"merge_method"`
		Title   string `json:"commit_title"`
		Message string `json:"commit_message"`
	}
	if !q.decode(&ask) {
		return fail(422, "Problems parsing JSON")
	}
	switch ask.Method {
	case "":
		ask.Method = "merge"
	case "merge", "squash", "rebase":
	default:
		return invalid("PullRequest", "merge_method", "Invalid merge_method")
	}
	by := q.actor()
	q.s.mu.Unlock() // merging takes the git lock, which comes first
	sha, err := q.s.merge(p, by, ask.Method, ask.SHA, ask.Title, ask.Message)
	q.s.mu.Lock()
	var no refusal
	switch {
	case errors.As(err, &no):
		return reply{no.status, fields{"message": no.message, "documentation_url": docs}}
	case err != nil:
		return fail(http.StatusInternalServerError, err.Error())
	}
	return reply{200, fields{"sha": sha, "merged": true, "message": "Pull Request successfully merged"}}
}

func addLabels(q *request) reply {
	p := q.pullOf()
	if p == nil {
		return fail(404, "Not Found")
	}
	var ask struct {
		Labels []string `json:"labels"`
	}
	if !q.decode(&ask) {
		return fail(422, "Problems parsing JSON")
	}
	q.s.label(p, q.actor(), ask.Labels, true)
	out := []any{}
	for _, l := range p.labels {
		out = append(out, q.s.labelJSON(q.repo, l))
	}
	return reply{200, out}
}

const maxBody = 65536

// commentBody reads a comment's body, which GitHub limits.
func (q *request) commentBody() (string, *reply) {
	var ask struct {
		Body *string `json:"body"`
	}
	var no reply
	switch {
	case !q.decode(&ask) || ask.Body == nil || strings.TrimSpace(*ask.Body) == "":
		no = invalid("IssueComment", "body", "body cannot be blank")
	case utf8.RuneCountInString(*ask.Body) > maxBody:
		no = invalid("IssueComment", "body", fmt.Sprintf("body is too long (maximum is %d characters)", maxBody))
	default:
		return *ask.Body, nil
	}
	return "", &no
}

func listComments(q *request) reply {
	p := q.pullOf()
	if p == nil {
		return fail(404, "Not Found")
	}
	out := []any{}
	for _, c := range page(q, p.comments) {
		out = append(out, q.s.commentJSON(c))
	}
	return reply{200, out}
}

func createComment(q *request) reply {
	p := q.pullOf()
	if p == nil {
		return fail(404, "Not Found")
	}
	body, no := q.commentBody()
	if no != nil {
		return *no
	}
	return reply{201, q.s.commentJSON(q.s.comment(p, q.actor(), body, q.byApp()))}
}

func getComment(q *request) reply {
	c := q.repo.comments[q.int("id")]
	if c == nil {
		return fail(404, "Not Found")
	}
	return reply{200, q.s.commentJSON(c)}
}

func updateComment(q *request) reply {
	c := q.repo.comments[q.int("id")]
	if c == nil {
		return fail(404, "Not Found")
	}
	body, no := q.commentBody()
	if no != nil {
		return *no
	}
	q.s.editComment(c, q.actor(), body)
	return reply{200, q.s.commentJSON(c)}
}

func deleteComment(q *request) reply {
	c := q.repo.comments[q.int("id")]
	if c == nil {
		return fail(404, "Not Found")
	}
	q.s.removeComment(c, q.actor())
	return reply{http.StatusNoContent, nil}
}

func createReaction(q *request) reply {
	c := q.repo.comments[q.int("id")]
	if c == nil {
		return fail(404, "Not Found")
	}
	var ask struct {
		Content string `json:"content"`
	}
	if !q.decode(&ask) || !contains(reactions, ask.Content) {
		return invalid("Reaction", "content", "content is not one of GitHub's eight")
	}
	status := http.StatusOK
	at := -1
	for i, r := range c.reactions {
		if r.by == q.actor() && r.content == ask.Content {
			at = i
		}
	}
	if at < 0 {
		status, at = http.StatusCreated, len(c.reactions)
		c.reactions = append(c.reactions, reaction{id: q.s.nextID(), by: q.actor(), content: ask.Content, at: q.s.opts.Now()})
		q.s.touch()
	}
	r := c.reactions[at]
	return reply{status, fields{"id": r.id, "node_id": nodeID("REA", r.id), "user": q.s.userJSON(r.by), "content": r.content, "created_at": stamp(r.at)}}
}

// checkAsk is the body of both check run routes.
type checkAsk struct {
	Name       *string    `json:"name"`
	HeadSHA    *string    `json:"head_sha"`
	Details    *string    `json:"details_url"`
	External   *string    `json:"external_id"`
	Status     *string    `json:"status"`
	Conclusion *string    `json:"conclusion"`
	Started    *time.Time `json:"started_at"`
	Completed  *time.Time `json:"completed_at"`
	Output     *struct {
		Title       *string      `json:"title"`
		Summary     *string      `json:"summary"`
		Text        *string      `json:"text"`
		Annotations []annotation `json:"annotations"`
	} `json:"output"`
	Actions []map[string]string `json:"actions"`
}

// broken returns what GitHub refuses in a check, "" where it is fine.
func (a *checkAsk) broken() (field, why string) {
	long := func(s *string, n int) bool { return s != nil && utf8.RuneCountInString(*s) > n }
	switch {
	case len(a.Actions) > 3:
		return "actions", "has more than 3"
	case a.Output != nil && long(a.Output.Summary, 65535):
		return "summary", "is too long (maximum is 65535 characters)"
	case a.Output != nil && long(a.Output.Text, 65535):
		return "text", "is too long (maximum is 65535 characters)"
	case a.Output != nil && len(a.Output.Annotations) > 50:
		return "annotations", "has more than 50"
	case a.Output != nil && (a.Output.Summary == nil || a.Output.Title == nil):
		return "output", "lacks title or summary"
	case a.Status != nil && *a.Status == "completed" && a.Conclusion == nil:
		return "conclusion", "is missing for a completed check"
	}
	if a.Output != nil {
		for _, n := range a.Output.Annotations {
			if why := n.broken(); why != "" {
				return "annotations", why
			}
		}
	}
	for _, x := range a.Actions {
		label, descr, id := x["label"], x["description"], x["identifier"]
		if long(&label, 20) || long(&descr, 40) || long(&id, 20) {
			return "actions", "has a label, description or identifier that is too long"
		}
	}
	return "", ""
}

func (a *checkAsk) apply(c *checkRun, now time.Time) {
	set := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	set(&c.name, a.Name)
	set(&c.details, a.Details)
	set(&c.external, a.External)
	set(&c.status, a.Status)
	if a.Status != nil && *a.Status != "completed" && a.Conclusion == nil {
		c.conclusion, c.completed = "", time.Time{}
	}
	if a.Started != nil {
		c.started = *a.Started
	}
	if a.Conclusion != nil {
		c.status, c.conclusion = "completed", *a.Conclusion
		if c.completed.IsZero() {
			c.completed = now
		}
	}
	if a.Completed != nil {
		c.completed = *a.Completed
	}
	if a.Output != nil {
		set(&c.title, a.Output.Title)
		set(&c.summary, a.Output.Summary)
		set(&c.text, a.Output.Text)
		c.annotations = append(c.annotations, a.Output.Annotations...)
	}
	if a.Actions != nil {
		c.actions = a.Actions
	}
}

func createCheck(q *request) reply {
	var ask checkAsk
	if !q.byApp() {
		return fail(403, "You must authenticate via a GitHub App.")
	}
	if !q.decode(&ask) || ask.Name == nil || ask.HeadSHA == nil {
		return invalid("CheckRun", "name", "name and head_sha are needed")
	}
	if field, why := ask.broken(); field != "" {
		return invalid("CheckRun", field, why)
	}
	g, err := open(q.repo.dir)
	if err != nil || !g.has(*ask.HeadSHA) {
		return fail(422, "No commit found for SHA: "+*ask.HeadSHA)
	}
	s := q.s
	now := s.opts.Now()
	c := &checkRun{id: s.nextID(), sha: *ask.HeadSHA, status: "queued", started: now}
	c.suite = s.suiteOf(q.repo, c.sha, nil)
	ask.apply(c, now)
	q.repo.checks = append(q.repo.checks, c)
	q.repo.checkByID[c.id] = c
	s.emit("check_run", q.repo, s.checkPayload(q.repo, c, q.actor(), "created"))
	if c.status == "completed" {
		s.emit("check_run", q.repo, s.checkPayload(q.repo, c, q.actor(), "completed"))
		s.endSuite(q.repo, c, q.actor())
	}
	s.touch()
	return reply{201, s.checkJSON(q.repo, c)}
}

func updateCheck(q *request) reply {
	c := q.repo.checkByID[q.int("id")]
	if c == nil {
		return fail(404, "Not Found")
	}
	var ask checkAsk
	if !q.byApp() {
		return fail(403, "You must authenticate via a GitHub App.")
	}
	if !q.decode(&ask) {
		return fail(422, "Problems parsing JSON")
	}
	if field, why := ask.broken(); field != "" {
		return invalid("CheckRun", field, why)
	}
	was := c.status
	ask.apply(c, q.s.opts.Now())
	c.updates++
	if c.status == "completed" && was != "completed" {
		q.s.emit("check_run", q.repo, q.s.checkPayload(q.repo, c, q.actor(), "completed"))
		q.s.endSuite(q.repo, c, q.actor())
	}
	q.s.touch()
	return reply{200, q.s.checkJSON(q.repo, c)}
}

func getCheck(q *request) reply {
	c := q.repo.checkByID[q.int("id")]
	if c == nil {
		return fail(404, "Not Found")
	}
	return reply{200, q.s.checkJSON(q.repo, c)}
}

func listAnnotations(q *request) reply {
	c := q.repo.checkByID[q.int("id")]
	if c == nil {
		return fail(404, "Not Found")
	}
	out := []any{}
	for _, a := range page(q, c.annotations) {
		out = append(out, fields{"path": a.Path, "start_line": a.StartLine, "end_line": a.EndLine, "start_column": nil, "end_column": nil,
			"annotation_level": a.Level, "title": a.Title, "message": a.Message, "raw_details": a.Raw,
			"blob_href": q.s.URL + "/" + q.repo.full() + "/blob/" + c.sha + "/" + a.Path})
	}
	return reply{200, out}
}

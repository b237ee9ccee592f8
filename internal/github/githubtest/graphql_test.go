package githubtest

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2"
)

// ask posts to GraphQL with a person's token and returns the answer.
func ask(t *testing.T, s *Server, token, query string, variables map[string]any) (int, map[string]any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, s.GraphQLURL(), strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, out
}

// noted gathers what goes against the contract.
type noted struct {
	mu   sync.Mutex
	list []string
}

func (n *noted) add(s string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, s)
}

func (n *noted) all() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.list, "\n")
}

func TestGraphQLAnswersWhatWasSelected(t *testing.T) {
	s := New(t, Options{})
	r := s.CreateRepo("acme", "infra", RepoOptions{})
	r.Commit("ada", "f", "x", Files{"a": "b"})
	r.Collaborator("ada", "write")
	p := r.Open("ada", PullRequest{Title: "T", Head: "f"})
	id := p.Comment("ada", "hello")
	status, got := ask(t, s, s.Person("ada").Token, `query Q($pull: ID!, $comment: ID!) {
		p: node(id: $pull) { __typename id ... on PullRequest { n: number state mergeQueueEntry { id } ...more } ... on IssueComment { body } }
		c: node(id: $comment) { ... on Minimizable { isMinimized minimizedReason } ... on PullRequest { title } }
		rateLimit { remaining resetAt }
	}
	fragment more on PullRequest { headRefOid isDraft url }`, map[string]any{"pull": nodeID("PR", p.p.id), "comment": nodeID("IC", id)})
	if status != 200 || got["errors"] != nil {
		t.Fatalf("%d %v", status, got)
	}
	data := got["data"].(map[string]any)
	pull, comment := data["p"].(map[string]any), data["c"].(map[string]any)
	if pull["__typename"] != "PullRequest" || pull["n"] != 1. || pull["state"] != "OPEN" || pull["headRefOid"] != p.State().HeadSHA || pull["mergeQueueEntry"] != nil || pull["body"] != nil {
		t.Errorf("pull %v", pull)
	}
	if _, there := comment["title"]; there || comment["isMinimized"] != false || len(comment) != 2 {
		t.Errorf("comment %v", comment)
	}
	if status, got = ask(t, s, "", `{ id }`, nil); status != http.StatusUnauthorized {
		t.Errorf("without a token: %d %v", status, got)
	}
	// Whoever may only read may not fold comments away.
	_, got = ask(t, s, s.Person("eve").Token, `mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: SPAM}) { clientMutationId } }`, map[string]any{"id": nodeID("IC", id)})
	if list, _ := got["errors"].([]any); len(list) != 1 || p.Comments()[0].Minimized != "" {
		t.Errorf("a stranger: %v", got)
	}
}

// What the bot must not send is refused as GitHub refuses it, and reported.
func TestGraphQLRequestsAreHeldAgainstTheSchema(t *testing.T) {
	for name, c := range map[string]struct {
		query string
		vars  map[string]any
	}{
		"no such field":    {`{ viewer { login } }`, nil},
		"no such argument": {`{ node(number: 1) { id } }`, nil},
		"wrong enum":       {`mutation { minimizeComment(input: {subjectId: "x", classifier: OLD}) { clientMutationId } }`, nil},
		"missing input":    {`mutation { minimizeComment(input: {subjectId: "x"}) { clientMutationId } }`, nil},
		"missing variable": {`query($id: ID!) { node(id: $id) { id } }`, nil},
		"wrong variable":   {`query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": []string{"a", "b"}}},
		"no query":         {`mutation {`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var n noted
			s := New(t, Options{Contract: n.add})
			status, got := ask(t, s, s.Person("ada").Token, c.query, c.vars)
			list, _ := got["errors"].([]any)
			if status != 200 || len(list) == 0 || got["data"] != nil {
				t.Errorf("%d %v", status, got)
			}
			if !strings.Contains(n.all(), "GraphQL request") {
				t.Errorf("nothing was reported: %q", n.all())
			}
		})
	}
}

// The check of answers finds what is wrong with them.
func TestGraphQLAnswersAreHeldAgainstTheSchema(t *testing.T) {
	schema, err := graphSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, wrong := gqlparser.LoadQueryWithRules(schema, `query($id: ID!) { node(id: $id) { __typename id ... on PullRequest { number state headRefOid url fullDatabaseId } } rateLimit { resetAt } }`, nil)
	if wrong != nil {
		t.Fatal(wrong)
	}
	good := func() (node fields, data fields) {
		node = fields{"__typename": "PullRequest", "id": "PR_1", "number": 1, "state": "OPEN", "headRefOid": strings.Repeat("a", 40),
			"url": "https://github.test/a/b/pull/1", "fullDatabaseId": "30000000001"}
		return node, fields{"node": node, "rateLimit": fields{"resetAt": "2026-01-02T03:04:05Z"}}
	}
	for name, c := range map[string]struct {
		spoil func(node, data fields)
		says  string
	}{
		"as it should be":   {func(fields, fields) {}, ""},
		"null node":         {func(_, d fields) { d["node"] = nil }, ""},
		"another type":      {func(n, _ fields) { delete(n, "number") }, ""}, // a comment has none
		"missing":           {func(n, _ fields) { delete(n, "id") }, "data.node.id: was asked for and is missing"},
		"not asked for":     {func(n, _ fields) { n["title"] = "x" }, "data.node.title: was not asked for"},
		"null where not":    {func(n, _ fields) { n["number"] = nil }, "data.node.number: is null"},
		"no number":         {func(n, _ fields) { n["number"] = "1" }, "data.node.number: 1 is no Int"},
		"too large":         {func(n, _ fields) { n["number"] = 30_000_000_001 }, "is no Int"},
		"no such state":     {func(n, _ fields) { n["state"] = "open" }, "data.node.state: open is no PullRequestState"},
		"no commit":         {func(n, _ fields) { n["headRefOid"] = "abc" }, "is no GitObjectID"},
		"no address":        {func(n, _ fields) { n["url"] = "/a/b" }, "is no URI"},
		"number for BigInt": {func(n, _ fields) { n["fullDatabaseId"] = 1 }, "is no BigInt"},
		"no time":           {func(_, d fields) { d["rateLimit"] = fields{"resetAt": "soon"} }, "is no DateTime"},
		"no object":         {func(_, d fields) { d["rateLimit"] = "x" }, "not a RateLimit"},
		"no type":           {func(n, _ fields) { n["__typename"] = "Pull" }, "Pull is no type"},
	} {
		node, data := good()
		c.spoil(node, data)
		var n noted
		(&contract{report: n.add}).graph(schema, doc, doc.Operations[0], data)
		if c.says == "" && n.all() != "" || !strings.Contains(n.all(), c.says) {
			t.Errorf("%s: reported %q, want %q", name, n.all(), c.says)
		}
	}
}

func TestMinimizedCommentsAreFoldedOnThePage(t *testing.T) {
	s := New(t, Options{})
	r := s.CreateRepo("acme", "infra", RepoOptions{})
	r.Commit("ada", "f", "x", Files{"a": "b"})
	r.Collaborator("ada", "write")
	p := r.Open("ada", PullRequest{Title: "T", Head: "f"})
	id := p.Comment("ada", "hello")
	if _, got := ask(t, s, s.Person("ada").Token, `mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OFF_TOPIC, clientMutationId: "m"}) {
		clientMutationId minimizedComment { __typename isMinimized minimizedReason viewerCanMinimize } } }`, map[string]any{"id": nodeID("IC", id)}); got["errors"] != nil {
		t.Fatal(got)
	}
	if got := p.Comments()[0].Minimized; got != "off-topic" {
		t.Errorf("minimized as %q", got)
	}
	view, name := s.view("/acme/infra/pull/1")
	var page strings.Builder
	if err := pages.ExecuteTemplate(&page, name, view); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), `<details class="minimized"><summary class="muted">This comment was marked as off-topic.`) {
		t.Error("the page shows it open")
	}
}

package githubtest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	shapes "github.com/tidelock/tidelock/internal/github/githubtest/contract"
)

func init() { Enforce(shapes.New) }

// catch returns a contract and what it reports.
func catch(t *testing.T) (*contract, *[]string) {
	t.Helper()
	var got []string
	c, err := newContract(func(v string) { got = append(got, v) })
	if err != nil {
		t.Fatal(err)
	}
	return c, &got
}

// The contract is worth something only if it fails on what is wrong.
func TestContractFailsOnWrongREST(t *testing.T) {
	s, err := Start(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := s.CreateRepo("acme", "infra", RepoOptions{})
	r.Commit("ada", "f", "x", Files{"a": "1"})
	p := r.Open("ada", PullRequest{Title: "f", Head: "f"})
	p.Comment("ada", "hello")
	s.mu.Lock()
	good := s.commentJSON(p.p.comments[0])
	s.mu.Unlock()
	with := func(change func(fields)) []byte {
		var copied fields
		raw, _ := json.Marshal(good)
		_ = json.Unmarshal(raw, &copied)
		change(copied)
		raw, _ = json.Marshal(copied)
		return raw
	}
	const path = "/repos/acme/infra/issues/1/comments"
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		answer             []byte
		says               string // "" for no violation
	}{
		"as it should be":         {"POST", path, `{"body":"x"}`, 201, with(func(fields) {}), ""},
		"a field is missing":      {"POST", path, `{"body":"x"}`, 201, with(func(f fields) { delete(f, "node_id") }), "node_id"},
		"a field of another type": {"POST", path, `{"body":"x"}`, 201, with(func(f fields) { f["id"] = "7" }), "/id"},
		"a null too many":         {"POST", path, `{"body":"x"}`, 201, with(func(f fields) { f["html_url"] = nil }), "/html_url"},
		"a word not in the list":  {"POST", path, `{"body":"x"}`, 201, with(func(f fields) { f["author_association"] = "FRIEND" }), "/author_association"},
		"a status not listed":     {"POST", path, `{"body":"x"}`, 200, with(func(fields) {}), "status is not supported"},
		"a request without body":  {"POST", path, `{}`, 201, with(func(fields) {}), "/body"},
		"a body of another type":  {"POST", path, `{"body":7}`, 201, with(func(fields) {}), "/body"},
		"a route that is none":    {"POST", path + "/all", `{"body":"x"}`, 201, with(func(fields) {}), "no route"},
		"a method that is none":   {"PUT", path, `{"body":"x"}`, 200, with(func(fields) {}), "no route"},
		"a number that is none":   {"POST", "/repos/acme/infra/issues/one/comments", `{"body":"x"}`, 201, with(func(fields) {}), "invalid integer"},
		"refused for credentials": {"POST", path, `{"body":"x"}`, 401, []byte(`{"message":"Bad credentials"}`), ""},
	} {
		contract, got := catch(t)
		req := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		req.Header.Set("Content-Type", "application/json")
		contract.REST(req, c.path, []byte(c.body), c.status, http.Header{"Content-Type": {"application/json; charset=utf-8"}}, c.answer)
		all := strings.Join(*got, "\n")
		if (c.says == "") != (all == "") || !strings.Contains(all, c.says) {
			t.Errorf("%s: reported %q, want %q", name, all, c.says)
		}
	}
}

func TestContractFailsOnWrongWebhooks(t *testing.T) {
	s, err := Start(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := s.CreateRepo("acme", "infra", RepoOptions{})
	r.Commit("ada", "f", "x", Files{"a": "1"})
	p := r.Open("ada", PullRequest{Title: "f", Head: "f"})
	for name, c := range map[string]struct {
		event, action string
		change        func(fields)
		says          string
	}{
		"as it should be":                      {"pull_request", "opened", func(fields) {}, ""},
		"a field is missing":                   {"pull_request", "opened", func(f fields) { delete(f["pull_request"].(fields), "head") }, "head"},
		"a field of another type":              {"pull_request", "opened", func(f fields) { f["number"] = "one" }, "number"},
		"another action":                       {"pull_request", "opened", func(f fields) { f["action"] = "unlocked" }, "action"},
		"no sender":                            {"pull_request", "opened", func(f fields) { delete(f, "sender") }, "sender"},
		"synchronize without before and after": {"pull_request", "synchronize", func(f fields) { f["action"] = "synchronize" }, "after"},
		"an event that is none":                {"pull_request", "exploded", func(fields) {}, "pull-request-exploded"},
		"a deep one":                           {"pull_request", "opened", func(f fields) { f["pull_request"].(fields)["base"].(fields)["repo"].(fields)["id"] = "x" }, "/pull_request/base/repo/id"},
	} {
		contract, got := catch(t)
		s.mu.Lock()
		raw, _ := json.Marshal(s.pullPayload(p.p, p.p.author, "opened"))
		s.mu.Unlock()
		var payload fields
		_ = json.Unmarshal(raw, &payload)
		c.change(payload)
		raw, _ = json.Marshal(payload)
		contract.Webhook(c.event, c.action, raw)
		all := strings.Join(*got, "\n")
		if (c.says == "") != (all == "") || !strings.Contains(all, c.says) {
			t.Errorf("%s: reported %q, want %q", name, all, c.says)
		}
	}
}

// What the bot must not ask, a test that uses New fails on.
func TestServerReportsUnknownCalls(t *testing.T) {
	var got []string
	s, err := Start(Options{Contract: func(v string) { got = append(got, v) }})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(s.APIURL() + "/repos/acme/infra/stargazers")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 404 || len(got) != 1 || !strings.Contains(got[0], "no route") {
		t.Errorf("%d, reported %q", resp.StatusCode, got)
	}
}

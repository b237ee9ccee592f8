package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

const ownHost = "tidelock.test" // which nobody asks: there is no such host

func cloudCode(organization, workspace, input string) string {
	return "terraform {\n  cloud {\n    hostname     = \"" + ownHost + "\"\n    organization = \"" + organization + "\"\n    workspaces {\n      name = \"" + workspace + "\"\n    }\n  }\n}\n" +
		"resource \"terraform_data\" \"net\" {\n  input = \"" + input + "\"\n}\noutput \"workspace\" {\n  value = terraform.workspace\n}\n"
}

func httpCode(state, input string) string {
	return "terraform {\n  backend \"http\" {\n    address = \"https://" + ownHost + "/state/" + state + "\"\n  }\n}\nresource \"terraform_data\" \"net\" {\n  input = \"" + input + "\"\n}\n"
}

// A repository whose code names the server itself, as that of people does who
// work from laptops, is planned and applied on the state that they have. A block
// that names somebody else's state is refused with its place in the file, and
// nothing is planned on it.
func TestThreat_BlockThatNamesTheServerItself(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_PUBLIC_URL=https://" + ownHost}, files: githubtest.Files{
		"README.md": "# infra\n", "network/main.tf": cloudCode("acme", "net:prod", "v1"), "app/main.tf": httpCode("acme/app", "v1"),
	}})
	p := s.open("feature", githubtest.Files{"network/main.tf": cloudCode("acme", "net:prod", "v2"), "app/main.tf": httpCode("acme/app", "v2")})
	s.says(p, "Plan: 2 to add")
	s.merge(p)
	s.says(p, "Applied")
	var state struct {
		Serial  int64
		Lineage string
		Outputs struct{ Workspace struct{ Value string } }
	}
	s.until("both states", func() bool { return s.stateOf("net/prod") != "" && s.stateOf("app") != "" })
	text := s.pullState("acme/net/prod")
	if err := json.Unmarshal([]byte(text), &state); err != nil || state.Outputs.Workspace.Value != "net:prod" || !strings.Contains(text, `"v2"`) {
		t.Fatalf("%v: %s", err, text)
	}
	for _, st := range s.keptStates() {
		if st.Lock != nil || st.State != "acme/net/prod" && st.State != "acme/app" {
			t.Errorf("states: %+v", st)
		}
	}

	// One that somebody pushed from a laptop, as the same code made it.
	laptop := map[string]any{}
	if err := json.Unmarshal([]byte(text), &laptop); err != nil {
		t.Fatal(err)
	}
	laptop["lineage"] = "0-of-a-laptop"
	pushState(t, s, "acme/laptop/one", laptop)

	q := s.open("foreign", githubtest.Files{
		"network/main.tf": cloudCode("beta", "net:prod", "v3"), "app/main.tf": httpCode("acme/net/prod", "v3"),
		"spy/main.tf": cloudCode("acme", "net:prod", "v3"), "laptop/main.tf": cloudCode("acme", "laptop:one", "v2"),
	})
	body := s.says(q, "laptop/main.tf:2: there is no state acme/laptop/one that is this project's.")
	for _, want := range []string{
		"network/main.tf:2: there is no state beta/net/prod that is this project's. Nothing was read or planned.",
		"app/main.tf:2: the code names the state acme/net/prod, and this project's is acme/app. Name that one.",
		"spy/main.tf:2: there is no state acme/net/prod that is this project's. Nothing was read or planned.",
		"tidelock state bind acme/laptop/one --repo acme/infra --project laptop",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the comment does not say %q:\n%s", want, body)
		}
	}
	if n := s.query("SELECT count(*) FROM events WHERE action = 'state.refused' AND subject = 'state \"beta/net/prod\"' AND detail LIKE '%network/main.tf:2%' AND client_id <> ''"); n != 1 {
		t.Errorf("%d rows of it in the audit trail", n)
	}
	if out, code := s.tidelock("state", "bind", "acme/laptop/one", "--repo", "acme/infra", "--project", "laptop"); code != 0 {
		t.Fatalf("bind: %d\n%s", code, out)
	}
	q.Comment("ada", "plan")
	if body := s.says(q, "No changes"); strings.Contains(body, "laptop/main.tf:2") {
		t.Errorf("after it was bound:\n%s", body)
	}
}

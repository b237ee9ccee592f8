package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// The server dies in mid-apply, and when it is back, what the run has made of
// the state can't be written. It is kept, the lock stays, and a person pushes
// it. Nothing is applied a second time, and nothing lies about in the clear.
func TestFault30_StateThatCouldNotBeWrittenIsKeptAndPushed(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{})
	p := s.open("feature", githubtest.Files{"network/main.tf": g.apply("v2") + "resource \"terraform_data\" \"secret\" {\n  input = sensitive(\"canary-30\")\n}\n"})
	s.says(p, "### 📋 Plan: 2 to add")
	s.merge(p)
	g.reached()
	if all := s.keptStates(); len(all) != 1 || all[0].Lock == nil || all[0].Lock.Run == "" {
		t.Fatalf("the apply holds no lock: %+v", all)
	}
	if out, code := s.tidelock("state", "unlock", "acme/infra/network", "--reason", "I want it"); code == 0 {
		t.Fatalf("the lock was taken from a run that goes on:\n%s", out)
	}
	s.kill()
	s.exec("UPDATE states SET frozen = 'Somebody looks at it.'")
	g.open()
	s.start()
	body := s.says(p, "tidelock state push-errored acme/infra/network 1")
	if !strings.Contains(body, "❌") || !strings.Contains(body, "**The state of what was done is kept and does not count yet.**") || s.stateOf("network") != "" {
		t.Fatalf("it counts all the same:\n%s", body)
	}
	if out, code := s.tidelock("state", "push-errored", "acme/infra/network", "1"); code == 0 || !strings.Contains(out, "frozen") {
		t.Fatalf("pushed what is frozen: %d\n%s", code, out)
	}
	s.exec("UPDATE states SET frozen = ''")
	// By whoever has a token of their own, from anywhere.
	token, code := s.tidelock("token", "create", "carol", "--client", "acme", "--scope", "write", "--json")
	var made struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal([]byte(token), &made); err != nil || code != 0 {
		t.Fatalf("no token: %v\n%s", err, token)
	}
	push := func(token string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.listen+"/api/v1/states/acme/infra/network", strings.NewReader(`{"action":"push_errored","version":1}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	if code, said := push("tlk_guess"); code != http.StatusUnauthorized {
		t.Fatalf("pushed by nobody: %d %s", code, said)
	}
	if code, said := push(made.Token); code != http.StatusOK || strings.Contains(said, "canary") {
		t.Fatalf("not pushed: %d %s", code, said)
	}
	if got := s.stateOf("network"); !strings.Contains(got, "canary-30") {
		t.Errorf("what the run made is not in the state:\n%s", got)
	}
	if all := s.keptStates(); len(all) != 1 || all[0].Lock != nil {
		t.Errorf("the lock is left: %+v", all)
	}
	if files := holding(t, s.data, []string{"mirrors", "trees"}, "canary-30"); len(files) > 0 {
		t.Errorf("the state lies in %v", files)
	}
	if _, err := os.Stat(filepath.Join(s.data, "states")); err == nil {
		t.Error("there is a folder of plain states")
	}
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// keptState is a state that the server keeps, as its command tells.
type keptState struct {
	State  string `json:"state"`
	Exists bool   `json:"exists"`
	Serial int64  `json:"serial"`
	Lock   *struct {
		Run string `json:"run"`
	} `json:"lock"`
}

// keptStates returns the states that the server keeps.
func (s *stage) keptStates() []keptState {
	s.t.Helper()
	out, code := s.tidelock("state", "list", "--json")
	var all struct {
		States []keptState `json:"states"`
	}
	if code != 0 {
		s.t.Fatalf("state list: %d\n%s", code, out)
	}
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	return all.States
}

// pullState returns the content of CLIENT/NAME.
func (s *stage) pullState(address string) string {
	s.t.Helper()
	out, code := s.tidelock("state", "pull", address)
	if code != 0 {
		s.t.Fatalf("state pull %s: %d\n%s", address, code, out)
	}
	return out
}

// stateOf returns the state of a project without a backend; "" while there is
// none.
func (s *stage) stateOf(project string) string {
	s.t.Helper()
	for _, st := range s.keptStates() {
		if strings.HasSuffix(st.State, "/"+project) && st.Exists {
			return s.pullState(st.State)
		}
	}
	return ""
}

// written fails the test unless the project's state holds the text, and nobody
// its lock: what an apply says that it has done is in the state.
func (s *stage) written(project, text string) {
	s.t.Helper()
	if got := s.stateOf(project); !strings.Contains(got, text) {
		s.t.Errorf("the state of %s does not hold %q:\n%s", project, text, got)
	}
	for _, st := range s.keptStates() {
		if st.Lock != nil {
			s.t.Errorf("somebody holds %+v", st)
		}
	}
}

// stateVersions returns which version of the tools wrote each state that the
// server keeps.
func stateVersions(t *testing.T, s *stage) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, st := range s.keptStates() {
		var state struct {
			Version string `json:"terraform_version"`
		}
		if err := json.Unmarshal([]byte(s.pullState(st.State)), &state); err != nil {
			t.Fatal(err)
		}
		out[state.Version] = true
	}
	return out
}

// moveState gives the only state that there is a new serial.
func moveState(t *testing.T, s *stage) {
	t.Helper()
	all := s.keptStates()
	if len(all) != 1 {
		t.Fatalf("states: %+v", all)
	}
	var state map[string]any
	if err := json.Unmarshal([]byte(s.pullState(all[0].State)), &state); err != nil {
		t.Fatal(err)
	}
	state["serial"] = state["serial"].(float64) + 5
	pushState(t, s, all[0].State, state)
}

// pushState writes a state as an administrator does.
func pushState(t *testing.T, s *stage, address string, state any) {
	t.Helper()
	b, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pushed.tfstate")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := s.tidelock("state", "push", address, file); code != 0 {
		t.Fatalf("state push: %d\n%s", code, out)
	}
}

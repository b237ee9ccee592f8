package tfrun

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
	"github.com/tidelock/tidelock/planner"
)

func TestStateOperations(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		for name, declared := range map[string]bool{"managed": false, "declared": true} {
			t.Run(name, func(t *testing.T) {
				backend := ""
				if declared {
					backend = (&stateServer{}).start(t)
				}
				s := newSite(t, b, map[string]string{"main.tf": backend + "variable \"v\" {}\nresource \"terraform_data\" \"a\" {\n  input = var.v\n}\nresource \"terraform_data\" \"b\" {\n}\nresource \"terraform_data\" \"c\" {\n  for_each = { x = 1 }\n}\n", "x.tfvars": "v = \"canary-of-the-state\"\n"})
				spec := func(kind Kind, o planner.Operation) Spec {
					spec := s.spec(".")
					spec.Kind, spec.Operation, spec.VarFiles = kind, o, []string{"x.tfvars"}
					if declared {
						spec.ManagedBackend = ""
					}
					return spec
				}
				plan := spec(KindPlan, planner.Operation{})
				s.must(plan, OutcomePlanned)
				s.must(applyOf(plan), OutcomeApplied)
				serial := int64(0)
				do := func(kind planner.OperationKind, args ...string) Result {
					t.Helper()
					r, log := s.execute(spec(KindState, planner.Operation{Kind: kind, Args: args}))
					if r.Outcome != OutcomeApplied {
						t.Fatalf("%s %v: %+v\n%s", kind, args, r, log)
					}
					if strings.Contains(log, "canary-of-the-state") {
						t.Errorf("%s %v: the state got into the log:\n%s", kind, args, log)
					}
					if !r.Started || r.StateSerial <= r.PriorSerial || r.StateLineage == "" || serial != 0 && r.PriorSerial != serial || r.Warning != "" {
						t.Errorf("%s %v: %+v after serial %d", kind, args, r, serial)
					}
					serial = r.StateSerial
					return r
				}
				refused := func(want string, kind planner.OperationKind, args ...string) {
					t.Helper()
					r := s.must(spec(KindState, planner.Operation{Kind: kind, Args: args}), OutcomeFailed)
					if first, _, _ := strings.Cut(r.Error, "\n"); !strings.Contains(first, want) || r.Started || r.StateSerial != r.PriorSerial || r.StateSerial != serial || strings.Contains(r.Error, s.dir) {
						t.Errorf("%s %v: want %q and nothing started, have %+v", kind, args, want, r)
					}
				}
				do(planner.StateRemove, "terraform_data.b")
				refused("The state has no such object.", planner.StateRemove, "terraform_data.b")
				do(planner.Import, "terraform_data.b", "an id")
				refused("The state has a terraform_data.b already.", planner.Import, "terraform_data.b", "an id")
				if declared { // the rest has nothing to do with where the state is
					return
				}
				refused("The state has no terraform_data.gone. Nothing was removed.", planner.StateRemove, "terraform_data.a", "terraform_data.gone")
				refused("The code has no terraform_data.zz.", planner.Import, "terraform_data.zz", "x")
				refused(`The code has no terraform_data.c["y"].`, planner.Import, `terraform_data.c["y"]`, "x")
				do(planner.StateMove, `terraform_data.c["x"]`, "terraform_data.d")
				refused(`The state has no terraform_data.c["x"].`, planner.StateMove, `terraform_data.c["x"]`, "terraform_data.e")
				refused("The state has a terraform_data.a already.", planner.StateMove, "terraform_data.d", "terraform_data.a")
				do(planner.StateMove, "terraform_data.d", `terraform_data.c["x"]`)
				do(planner.StateRemove, "terraform_data.a", `terraform_data.c["x"]`)
				again := spec(KindPlan, planner.Operation{})
				s.must(again, OutcomePlanned)
				if got := actions(planned(t, again)); got != `create a, create c["x"]` {
					t.Errorf("after all that, a plan would %s", got)
				}
				left, err := filepath.Glob(filepath.Join(s.root, "*tfstate*"))
				if err != nil || len(left) > 0 {
					t.Errorf("left in the work tree: %v, %v", left, err)
				}
			})
		}
	})
}

func TestStateOperationIsCheckedFirst(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": resource})
		for _, o := range []planner.Operation{{}, {Kind: planner.StateRemove, Args: nil}, {Kind: planner.Import, Args: []string{"-allow-missing-config", "x"}}, {Kind: planner.Import, Args: []string{"a.b", "-config=/"}}, {Kind: planner.StateMove, Args: []string{"a.b", "-state=x"}}} {
			spec := s.spec(".")
			spec.Kind, spec.Operation = KindState, o
			if r, log := s.execute(spec); r.Outcome != OutcomeFailed || r.Started || log != "" {
				t.Errorf("%v: %+v\n%s", o, r, log)
			}
		}
	})
}

// TestImportOfAnObject imports what a provider has, and what it has not.
func TestImportOfAnObject(t *testing.T) {
	config := toolchaintest.Mirror(t)
	each(t, func(t *testing.T, b Binary) {
		objects := t.TempDir()
		code := map[string]string{"main.tf": "provider \"aws\" {\n  region = \"eu-west-1\"\n}\nresource \"aws_s3_bucket\" \"b\" {\n  bucket = \"my-bucket\"\n}\n"}
		s := newSite(t, b, code)
		toolchaintest.Write(t, filepath.Join(s.dir, "cli.tfrc"), config)
		spec := func(kind Kind, state string) Spec {
			spec := s.spec(".")
			spec.Kind, spec.Env = kind, map[string]string{"TIDELOCK_STANDIN_DIR": objects}
			spec.ManagedBackend = filepath.Join(s.dir, state)
			return spec
		}
		made := spec(KindPlan, "theirs")
		s.must(made, OutcomePlanned)
		s.must(applyOf(made), OutcomeApplied)
		imported := spec(KindState, "ours")
		imported.Operation = planner.Operation{Kind: planner.Import, Args: []string{"aws_s3_bucket.b", "nobody-s"}}
		if r := s.must(imported, OutcomeFailed); r.Started || !strings.HasPrefix(r.Error, "There is no object with the ID nobody-s that could be imported as aws_s3_bucket.b.") {
			t.Errorf("%+v", r)
		}
		imported = spec(KindState, "ours")
		imported.Operation = planner.Operation{Kind: planner.Import, Args: []string{"aws_s3_bucket.b", "my-bucket"}}
		if r := s.must(imported, OutcomeApplied); r.PriorSerial != 0 || r.StateSerial == 0 || r.StateLineage == "" {
			t.Errorf("%+v", r)
		}
		s.must(spec(KindPlan, "ours"), OutcomeNoChange)
	})
}

func TestFault28_StateOperationBesideAnother(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		// A lock that is held: the server says so to whoever comes.
		server := &stateServer{lock: `{"ID":"0815","Operation":"OperationTypeApply","Who":"ann@laptop","Created":"2026-01-01T00:00:00Z"}`}
		s := newSite(t, b, map[string]string{"main.tf": server.start(t) + resource})
		spec := s.spec(".")
		spec.Kind, spec.Operation, spec.ManagedBackend = KindState, planner.Operation{Kind: planner.StateRemove, Args: []string{"terraform_data.a"}}, ""
		r := s.must(spec, OutcomeFailed)
		if !r.Locked || r.Started || !strings.HasPrefix(r.LockHolder, "ID: 0815") {
			t.Errorf("%+v, want locked by 0815 and nothing started", r)
		}

		// Our own lock, beside a managed state.
		s.lay(map[string]string{"main.tf": resource})
		spec = s.spec(".")
		spec.Kind, spec.Operation, spec.LockTimeout = KindState, planner.Operation{Kind: planner.StateRemove, Args: []string{"terraform_data.a"}}, "1ms"
		e := &execution{spec: spec}
		release, shared, err := e.shareState()
		if err != nil || !shared {
			t.Fatal(shared, err)
		}
		defer release()
		if r := s.must(spec, OutcomeFailed); !r.Locked || r.Started {
			t.Errorf("%+v, want locked and nothing started", r)
		}
	})
}

// stateServer is a state behind HTTP, as Terraform's http backend wants it.
type stateServer struct {
	lock string // of someone else, "" for none

	mu      sync.Mutex
	state   []byte
	refuse  bool // every write is answered by 500
	refused int
	blind   bool // every read is answered by 403
	asked   int  // so many reads were answered so
}

// start returns the backend's block.
func (s *stateServer) start(t *testing.T) string {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return "terraform {\n  backend \"http\" {\n    address = \"" + server.URL + "/s\"\n    lock_address = \"" + server.URL + "/s\"\n    unlock_address = \"" + server.URL + "/s\"\n    retry_max = 0\n  }\n}\n"
}

func (s *stateServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		w.WriteHeader(http.StatusBadRequest)
	case r.Method == "LOCK" && s.lock != "":
		w.WriteHeader(http.StatusLocked)
		_, _ = io.WriteString(w, s.lock)
	case r.Method == http.MethodGet && s.blind:
		s.asked++
		w.WriteHeader(http.StatusForbidden)
	case r.Method == http.MethodGet && s.state == nil:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet:
		_, _ = w.Write(s.state)
	case r.Method == http.MethodPost && s.refuse:
		s.refused++
		w.WriteHeader(http.StatusInternalServerError)
	case r.Method == http.MethodPost:
		s.state = body
	}
}

func TestFault30_StateWriteRefusedAtTheEnd(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		server := &stateServer{}
		s := newSite(t, b, map[string]string{"main.tf": server.start(t) + "resource \"terraform_data\" \"a\" {\n  input = \"kept\"\n}\nresource \"terraform_data\" \"b\" {\n  input = terraform_data.a.id\n}\n"})
		spec := s.spec(".")
		spec.ManagedBackend = ""
		s.must(spec, OutcomePlanned)
		server.mu.Lock()
		server.refuse = true
		server.mu.Unlock()
		r, log := s.execute(applyOf(spec))
		if r.Outcome != OutcomeFailed || !r.Started || server.refused == 0 {
			t.Fatalf("%+v, %d writes refused\n%s", r, server.refused, log)
		}
		if !strings.Contains(r.Error, "Done: terraform_data.a, terraform_data.b.") || !strings.Contains(r.Error, "Failed to save state") {
			t.Errorf("the error does not tell what happened:\n%s", r.Error)
		}
		if r.ErroredState != filepath.Join(filepath.Dir(spec.PlanFile), "errored.tfstate") {
			t.Fatalf("errored state %q", r.ErroredState)
		}
		// What lies there is not what was done: its serial must prove nothing.
		if r.StateSerial != 0 || r.StateLineage != "" {
			t.Errorf("the serial is told as %d of %q", r.StateSerial, r.StateLineage)
		}
		info, err := os.Stat(r.ErroredState)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
		kept, err := os.ReadFile(r.ErroredState)
		if err != nil || strings.Count(string(kept), `"kept"`) < 1 || !strings.Contains(string(kept), `"terraform_data"`) {
			t.Errorf("%v\n%s", err, kept)
		}
		if _, err := os.Stat(filepath.Join(s.root, "errored.tfstate")); err == nil {
			t.Error("the errored state is left in the work tree, too")
		}
		if !strings.Contains(log, "terraform_data.b: Creation complete") {
			t.Errorf("the log was not kept:\n%s", log)
		}
		// It is the state: pushed, it fits what is there.
		server.mu.Lock()
		server.refuse, server.state = false, kept
		server.mu.Unlock()
		again := s.spec(".")
		again.ManagedBackend = ""
		s.must(again, OutcomeNoChange)
	})
}

func TestNoErroredStateWithoutOne(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": resource})
		spec := s.spec(".")
		s.must(spec, OutcomePlanned)
		// An earlier runner was killed here, and nobody has seen to it yet.
		toolchaintest.Write(t, filepath.Join(s.root, erroredName), "an earlier state")
		r := s.must(applyOf(spec), OutcomeApplied)
		if r.ErroredState != "" {
			t.Errorf("errored state %q", r.ErroredState)
		}
		if left, _ := os.ReadFile(filepath.Join(filepath.Dir(spec.PlanFile), "earlier-"+erroredName)); string(left) != "an earlier state" {
			t.Errorf("the earlier one came to be %q", left)
		}
		if _, err := os.Stat(filepath.Join(s.root, erroredName)); err == nil {
			t.Error("the place for one is left in the work tree")
		}
	})
}

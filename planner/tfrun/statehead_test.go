package tfrun

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
)

// TestFault35_AnApplyTellsTheSerialThatItLeft: of a state that the code's own
// backend keeps, whether all was done or a part of it. What can't be told stays
// unknown, and never fails the apply.
func TestFault35_AnApplyTellsTheSerialThatItLeft(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		at := filepath.Join(t.TempDir(), "own", "net.tfstate")
		block := "terraform {\n  backend \"local\" {\n    path          = \"" + at + "\"\n    workspace_dir = \"" + filepath.Dir(at) + "\"\n  }\n}\n"
		s := newSite(t, b, map[string]string{"main.tf": block + resource})
		apply := func(workspace string) Spec {
			plan := s.spec(".")
			plan.ManagedBackend, plan.Workspace = "", workspace
			s.must(plan, OutcomePlanned)
			return applyOf(plan)
		}
		told := func(r Result, path string) {
			t.Helper()
			lineage, serial, err := StateHead(path)
			if err != nil || serial == 0 || r.StateSerial != serial || r.StateLineage != lineage {
				t.Errorf("the apply tells serial %d of %q, and %d of %q lies there, %v", r.StateSerial, r.StateLineage, serial, lineage, err)
			}
		}
		told(s.must(apply(""), OutcomeApplied), at)
		told(s.must(apply("blue"), OutcomeApplied), filepath.Join(filepath.Dir(at), "blue", "terraform.tfstate"))

		// One object is made, another is not.
		s.lay(map[string]string{"main.tf": block + resource + "resource \"terraform_data\" \"b\" {\n  depends_on = [terraform_data.c]\n  provisioner \"local-exec\" {\n    command = \"exit 1\"\n  }\n}\nresource \"terraform_data\" \"c\" {}\n"})
		r := s.must(apply(""), OutcomeFailed)
		if !r.Started {
			t.Fatalf("%+v", r)
		}
		told(r, at)
	})
}

// TestFault35_AnApplyIsStoredBeforeItsSerialIsAskedFor: whoever can't store that
// asks for nothing, and where nothing is answered the serial stays unknown.
func TestFault35_AnApplyIsStoredBeforeItsSerialIsAskedFor(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		for name, full := range map[string]error{"stored": nil, "on a full disk": errors.New("no space left on device")} {
			t.Run(name, func(t *testing.T) {
				server := &stateServer{}
				s := newSite(t, b, map[string]string{"main.tf": server.start(t) + resource})
				plan := s.spec(".")
				plan.ManagedBackend = ""
				s.must(plan, OutcomePlanned)
				spec := applyOf(plan)
				var kept []Result
				spec.Keep = func(r Result) error {
					server.mu.Lock()
					defer server.mu.Unlock()
					server.blind = true
					kept = append(kept, r)
					return full
				}
				r := s.must(spec, OutcomeApplied)
				if len(kept) != 1 || kept[0].Outcome != OutcomeApplied || !kept[0].Started || r.StateSerial != 0 || r.StateLineage != "" || r.Warning != "" || len(r.Diagnostics) > 0 {
					t.Errorf("stored %+v\nand then told %+v", kept, r)
				}
				if asked := server.asked > 0; asked != (full == nil) {
					t.Errorf("asked: %v", asked)
				}
			})
		}
	})
}

// A state of 100 MB is never held: only its beginning counts.
func TestOnlyTheBeginningOfAStateIsKept(t *testing.T) {
	var h head
	for _, part := range []string{`{"version":4,"terraform_version":"1.14.0",`, `"serial":7,"lineage":"l",`, strings.Repeat("x", 2*headRoom), "y"} {
		if n, err := h.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	lineage, serial, err := ReadStateHead(strings.NewReader(string(h.kept)))
	if len(h.kept) != headRoom || lineage != "l" || serial != 7 || err != nil {
		t.Errorf("%d bytes, %q %d, %v", len(h.kept), lineage, serial, err)
	}
}

// What a run's code lays in the place of its state is read if it is a file, and
// the run never waits for it.
func TestThreat_AStateThatIsNoFileIsNotRead(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "other.tfstate")
	toolchaintest.Write(t, secret, victimDoc)
	link, folder, pipe := filepath.Join(dir, "link"), filepath.Join(dir, "folder"), filepath.Join(dir, "pipe")
	mkfifo(t, pipe)
	if err := errors.Join(os.Symlink(secret, link), os.Mkdir(folder, 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, folder, pipe, filepath.Join(dir, "none")} {
		e := &execution{}
		if e.readHead(path); e.result.StateSerial != 0 || e.result.StateLineage != "" {
			t.Errorf("%s: %+v", path, e.result)
		}
	}
	e := &execution{}
	if e.readHead(secret); e.result.StateSerial != 7 {
		t.Errorf("%+v", e.result)
	}
}

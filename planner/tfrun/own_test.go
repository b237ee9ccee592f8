package tfrun

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tidelock/tidelock/planner"
)

// Terraform was killed while it wrote its own records: the next run in the
// directory begins with none.
func TestFault04_HalfWrittenDataIsThrownAway(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": "module \"m\" {\n  source = \"./m\"\n}\n", "m/main.tf": "resource \"terraform_data\" \"a\" {}\n"})
		spec := s.spec(".")
		s.must(spec, OutcomePlanned)
		use := filepath.Join(spec.DataDir, useFile)
		if info, err := os.Stat(use); err != nil || info.Size() != 0 {
			t.Fatalf("after a run that ended: %+v, %v", info, err)
		}
		for name, content := range map[string]string{useFile: "the run before\n", "terraform.tfstate": "{\"version\": 3,", "modules/modules.json": "{\"Mod"} {
			if err := os.WriteFile(filepath.Join(spec.DataDir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s.must(spec, OutcomePlanned)
	})
}

// A run that was superseded may still be ending in the directory where the next
// one begins, and takes its files away last of all: the next one waits.
func TestRunWaitsForTheOneBeforeItInItsDirectory(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": "resource \"terraform_data\" \"a\" {}\n"})
		spec := s.spec(".")
		if err := os.MkdirAll(spec.DataDir, 0o700); err != nil {
			t.Fatal(err)
		}
		before, err := os.Create(filepath.Join(spec.DataDir, "tidelock.use"))
		if err != nil {
			t.Fatal(err)
		}
		defer before.Close()
		if err := syscall.Flock(int(before.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		ended := make(chan Result, 1)
		go func() { ended <- Execute(t.Context(), spec, nil, nil) }()
		select {
		case r := <-ended:
			t.Fatalf("it did not wait: %+v", r)
		case <-time.After(300 * time.Millisecond): // that it does not begin can't be seen any sooner
		}
		if _, err := os.Stat(filepath.Join(spec.Root, planner.BackendOverride)); err == nil {
			t.Error("it wrote into the work tree of another run")
		}
		before.Close()
		if r := <-ended; r.Outcome != OutcomePlanned {
			t.Errorf("then: %+v", r)
		}
	})
}

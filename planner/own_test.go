package planner

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

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
		if _, err := os.Stat(filepath.Join(spec.Root, backendOverride)); err == nil {
			t.Error("it wrote into the work tree of another run")
		}
		before.Close()
		if r := <-ended; r.Outcome != OutcomePlanned {
			t.Errorf("then: %+v", r)
		}
	})
}

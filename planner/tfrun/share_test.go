package tfrun

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
)

// TestPlansShareAState keeps one plan waiting in its middle, on a pipe that
// its code reads.
func TestPlansShareAState(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		quick := map[string]string{"main.tf": "resource \"terraform_data\" \"a\" {\n  input = 1\n}\n"}
		s := newSite(t, b, quick)
		first := s.spec(".")
		s.must(first, OutcomePlanned)

		input := filepath.Join(t.TempDir(), "input")
		mkfifo(t, input)
		s.lay(map[string]string{"main.tf": "resource \"terraform_data\" \"a\" {\n  input = file(\"" + input + "\")\n}\n"})
		ended := make(chan Result, 1)
		slow := s.spec(".")
		go func() { ended <- Execute(t.Context(), slow, nil, nil) }()
		// The pipe opens when Terraform has opened it too; nothing is read
		// from the work tree after that. The file is read more than once:
		// the next time it is there.
		pipe, err := os.OpenFile(input, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		for errors.Is(err, syscall.ENXIO) {
			select {
			case r := <-ended:
				t.Fatalf("the plan that was to be kept waiting: %+v", r)
			case <-time.After(5 * time.Millisecond):
			}
			pipe, err = os.OpenFile(input, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer pipe.Close()
		if err := os.Remove(input); err != nil {
			t.Fatal(err)
		}
		toolchaintest.Write(t, input, "2")
		s.lay(quick)

		s.must(s.spec("."), OutcomePlanned)
		apply := applyOf(first)
		apply.LockTimeout = "1ms"
		if r := s.must(apply, OutcomeFailed); !r.Locked || r.Started {
			t.Errorf("an apply beside a plan: %+v, want locked and nothing started", r)
		}

		if _, err := pipe.WriteString("2"); err != nil {
			t.Fatal(err)
		}
		if err := pipe.Close(); err != nil {
			t.Fatal(err)
		}
		if r := <-ended; r.Outcome != OutcomePlanned {
			t.Errorf("the plan that was kept waiting: %+v", r)
		}
		s.must(applyOf(first), OutcomeApplied)
	})
}

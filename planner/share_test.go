package planner

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// TestPlansShareAState keeps one plan waiting in its middle, on a pipe that
// its code reads.
func TestPlansShareAState(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		quick := map[string]string{"main.tf": "resource \"terraform_data\" \"a\" {\n  input = 1\n}\n"}
		s := newSite(t, b, quick)
		first := s.spec(".")
		s.must(first, OutcomePlanned)

		fifo := filepath.Join(t.TempDir(), "fifo")
		mkfifo(t, fifo)
		s.lay(map[string]string{"main.tf": "resource \"terraform_data\" \"a\" {\n  input = file(\"" + fifo + "\")\n}\n"})
		ended := make(chan Result, 1)
		slow := s.spec(".")
		go func() { ended <- Execute(context.Background(), slow, nil, nil) }()
		// The pipe opens when Terraform has opened it too; nothing is read
		// from the work tree after that.
		pipe, err := os.OpenFile(fifo, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
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

package desk

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSweepTakesWhatWasKilled: what a killed plan left goes, what one at work
// has, or somebody else made, stays.
func TestSweepTakesWhatWasKilled(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	alive, free, err := scratch()
	if err != nil {
		t.Fatal(err)
	}
	killed, foreign := filepath.Join(os.TempDir(), scratchName+"1"), filepath.Join(os.TempDir(), scratchName+"2")
	for _, dir := range []string{filepath.Join(killed, runsFolder, "a-0"), foreign} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(killed, ownerFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	sweep(os.TempDir())
	for dir, want := range map[string]bool{alive: true, foreign: true, killed: false} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s is there: %v", filepath.Base(dir), err == nil)
		}
	}
	if err := free(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(alive); err == nil {
		t.Error("the folder is left")
	}
}

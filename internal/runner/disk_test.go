package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tidelock/tidelock/planner/tfrun"
)

// smallDisk mounts a file system of its own, in memory, which can be filled.
func smallDisk(t *testing.T, megabytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes)); err != nil {
		t.Skipf("this test needs a small disk, and may not mount one here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill leaves not one byte free in the directory.
func fill(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, unix.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestFault24_DiskFullDuringAnApply fills the disk that everything is on while
// an object is being created: the state can't be written any more.
func TestFault24_DiskFullDuringAnApply(t *testing.T) {
	disk := smallDisk(t, 40)
	s := newSiteIn(t, disk, plain)
	g := s.gate()
	large := "join(\"\", [for i in range(1000) : \"" + strings.Repeat("0123456789", 20) + "\"])"
	s.write("tree/main.tf", "resource \"terraform_data\" \"first\" {\n  input = "+large+"\n}\n"+
		strings.Replace(s.code(g), "input = 1\n", "input = "+large+"\n  depends_on = [terraform_data.first]\n", 1))
	apply := s.planned()
	if err := s.runner.Start(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	g.pids()
	fill(t, disk)
	g.open()
	r, err := s.runner.Wait(t.Context(), "apply", nil)
	if err != nil {
		t.Fatalf("the run's end is not known: %v", err)
	}
	if r.Outcome != tfrun.OutcomeFailed || !r.Started || !strings.Contains(r.Error, "Done: terraform_data.first, terraform_data.a.") {
		t.Errorf("%+v", r)
	}
	kept, err := os.ReadFile(r.ErroredState)
	if err != nil {
		t.Fatalf("errored state %q: %v\n%s", r.ErroredState, err, r.Error)
	}
	if n := strings.Count(string(kept), strings.Repeat("0123456789", 20000)); n != 4 { // input and output of two
		t.Errorf("the errored state has %d of 4 values; it is %d bytes", n, len(kept))
	}
	if h, err := readHistory(s.runner.Dir("apply")); err != nil || !h.executing || !h.finished {
		t.Errorf("the journal: %+v, %v", h, err)
	}
	log, err := os.ReadFile(s.runner.LogPath("apply"))
	if err != nil || !strings.Contains(string(log), "terraform_data.first: Creation complete") || !strings.Contains(string(log), "no space left on device") {
		t.Errorf("the log: %v\n%s", err, log)
	}
	if s.effects() != "once " {
		t.Errorf("the effects happened %q", s.effects())
	}
}

// TestFault23_NoRoomForAnApply: nothing is started that could not be recorded.
func TestFault23_NoRoomForAnApply(t *testing.T) {
	for name, free := range map[string]int64{"none for the records": reserved / 2, "none for an errored state": reserved + reserved/2} {
		t.Run(name, func(t *testing.T) {
			disk := smallDisk(t, 40)
			s := newSiteIn(t, disk, plain)
			apply := s.planned()
			if err := os.WriteFile(filepath.Join(disk, "give"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := reserve(filepath.Join(disk, "give"), free); err != nil {
				t.Fatal(err)
			}
			fill(t, disk)
			if err := os.Remove(filepath.Join(disk, "give")); err != nil {
				t.Fatal(err)
			}
			r := s.run(apply)
			if r.Outcome != tfrun.OutcomeFailed || r.Started || !strings.Contains(r.Error, "no room") || !strings.Contains(r.Error, "Nothing was started.") {
				t.Errorf("%+v", r)
			}
			if _, err := os.Stat(s.path("state/s.tfstate")); err == nil {
				t.Error("there is a state")
			}
		})
	}
}

// TestJournalSurvivesAFullDisk: an entry that there is no room for must not
// spoil those before and after it.
func TestJournalSurvivesAFullDisk(t *testing.T) {
	disk := smallDisk(t, 1)
	j, err := openJournal(disk)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.write(entry{Event: eventStarted, PID: 1}, true); err != nil {
		t.Fatal(err)
	}
	fill(t, disk)
	kept := 1
	for ; ; kept++ {
		if err := j.write(entry{Event: eventProgress, Progress: &tfrun.Progress{Address: strings.Repeat("x", 1000)}}, false); err != nil {
			break
		}
	}
	if kept < journalRoom/2000 {
		t.Errorf("only %d entries had room", kept)
	}
	if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
		t.Fatal(err)
	}
	if err := j.write(entry{Event: eventFinished}, true); err != nil {
		t.Fatal(err)
	}
	f := follower{path: filepath.Join(disk, journalFile)}
	entries, err := f.next()
	if err != nil || len(entries) != kept+1 || entries[kept].Event != eventFinished {
		t.Errorf("%d entries of %d, %v", len(entries), kept+1, err)
	}
}

func TestLogHoldsBackItsEndOnAFullDisk(t *testing.T) {
	disk := smallDisk(t, 1)
	path := filepath.Join(disk, logFile)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	l := &diskLog{f: f}
	say := func(text string) {
		t.Helper()
		if n, err := l.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatal(n, err)
		}
	}
	say("the beginning\n")
	fill(t, disk)
	say(strings.Repeat("y", 8192))
	say(strings.Repeat("z", keptTail))
	say("the end\n")
	if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
		t.Fatal(err)
	}
	l.close()
	b, err := os.ReadFile(path)
	if text := string(b); err != nil || !strings.HasPrefix(text, "the beginning\n") || !strings.HasSuffix(text, "zthe end\n") || !strings.Contains(text, "bytes are missing.)\n") {
		t.Errorf("%d bytes, %v: %.60q … %q", len(b), err, b, b[max(0, len(b)-30):])
	}
}

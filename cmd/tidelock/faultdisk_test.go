package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/run"
)

// ownBinary gives the stage a copy of the server's binary, so that a test may
// put something else in its place. The server is started anew from it.
func (s *stage) ownBinary() {
	s.t.Helper()
	own := filepath.Join(s.t.TempDir(), "tidelock")
	b, err := os.ReadFile(s.binary)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(own, b, 0o700); err != nil {
		s.t.Fatal(err)
	}
	s.stop()
	s.binary = own
	s.start()
}

// The server stores that it is about to apply, starts the runner, and dies
// before that has begun. The next one finds in the runner's journal that
// nothing was started, and starts it; the first runner, awake at last, finds
// that it was superseded.
func TestFault08_KilledBetweenIntentAndRunner(t *testing.T) {
	for name, late := range map[string]bool{"the first runner wakes before the next server": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGate(t) // at which runners stop before they begin
			ran := filepath.Join(t.TempDir(), "ran")
			s := newStage(t, stageOptions{})
			s.ownBinary()
			p := s.open("feature", map[string]string{"network/main.tf": fmt.Sprintf(
				"resource \"terraform_data\" \"net\" {\n  provisioner \"local-exec\" {\n    command = \"echo ran >> '%s'\"\n  }\n}\n", ran)})
			s.says(p, "### 📋 Plan: 1 to add")

			// From now on a runner stops at the gate.
			real := s.binary + ".real"
			if err := os.Rename(s.binary, real); err != nil {
				t.Fatal(err)
			}
			script := fmt.Sprintf("#!/bin/sh\ncase \"$1\" in runner) read line <'%s' ;; esac\nexec '%s' \"$@\"\n", g.path, real)
			if err := os.WriteFile(s.binary, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			s.merge(p)
			g.reached()
			if n := s.query("SELECT COUNT(*) FROM runs WHERE kind='apply' AND status='running'"); n != 1 {
				t.Fatalf("%d applies are intended, not 1", n)
			}
			s.kill()
			s.binary = real
			if !late {
				g.open()
			}
			s.start()
			s.says(p, "✅ Applied 1 project")
			g.open()
			eventually(t, "the runners to be gone", func() bool {
				for _, p := range processes(t) {
					if strings.Contains(p.command, g.path) || strings.Contains(p.command, real+" runner") {
						return false
					}
				}
				return true
			})
			if b, _ := os.ReadFile(ran); strings.Count(string(b), "ran\n") != 1 {
				t.Errorf("applied %d times", strings.Count(string(b), "ran\n"))
			}
			s.written("network", "terraform_data")
			if n := count(s.runs(), run.Apply); n != 1 {
				t.Errorf("%d applies", n)
			}
			s.oneComment(p)
		})
	}
}

// smallDisk returns a folder that is a disk of its own of this size.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("this test needs a small disk, and may not mount one here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return disk
}

// The disk is full when an apply is due: nothing is started, health turns red,
// and once there is room again the apply can be had.
func TestFault23_DiskFullBeforeAnApply(t *testing.T) {
	disk := smallDisk(t, "160m")
	g := newGate(t)
	s := newStage(t, stageOptions{data: filepath.Join(disk, "data")})
	p := s.open("feature", map[string]string{"network/main.tf": g.apply("v2")})
	s.says(p, "### 📋 Plan: 1 to add")
	g.open()
	filler := filepath.Join(disk, "filler")
	fillBut(t, disk, filler, 10<<20) // room for the database, and none for an apply
	healthy := func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.listen+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}
	if healthy() {
		t.Error("healthy on a full disk")
	}
	s.merge(p)
	body := s.says(p, "no room")
	if !strings.Contains(body, "Nothing was started") || g.times() != 0 {
		t.Errorf("applied %d times:\n%s", g.times(), body)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if !healthy() {
		t.Error("not healthy with room again")
	}
	p.Comment("grace", "retry")
	s.says(p, "✅ Applied 1 project")
	if g.times() != 1 {
		t.Errorf("applied %d times", g.times())
	}
}

// fillBut fills the disk with a file until so many bytes are free.
func fillBut(t *testing.T, disk, path string, left uint64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		free, err := parts.FreeSpace(disk)
		if err != nil {
			t.Fatal(err)
		}
		if free <= left {
			return
		}
		if _, err := f.Write(make([]byte, min(1<<20, free-left))); errors.Is(err, syscall.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

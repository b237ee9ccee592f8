// Package serverstest starts real servers for tests: those that package servers
// finds. It is for tests alone.
package serverstest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/toolchain"
	"github.com/tidelock/tidelock/internal/toolchain/servers"
)

// find returns the path of a server. Where there is none the test skips, and
// says how to get it.
func find(t *testing.T, s servers.Server) string {
	t.Helper()
	path, err := s.Find(toolchain.Options{})
	if err != nil {
		t.Skip(errs.Sentence(err))
	}
	return path
}

// start runs a server until the test ends, and returns when it answers at
// address. Its environment is of its own making; it prints to said.
func start(t *testing.T, path, address string, said io.Writer, args ...string) {
	t.Helper()
	home := t.TempDir()
	cmd := exec.Command(path, args...)
	stop, err := run(t.Context(), cmd, address, home, said)
	if stop != nil {
		t.Cleanup(stop)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// run starts a server and waits until it answers at address. Where it started it
// is for the caller to stop, also if it does not answer; else stop is nil.
func run(ctx context.Context, cmd *exec.Cmd, address, home string, said io.Writer) (stop func(), err error) {
	cmd.Dir = home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	stop = func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return stop, nil
		}
		select {
		case <-tick.C:
		case <-ended:
			return stop, fmt.Errorf("%s ended at once", cmd.Path)
		case <-ctx.Done():
			return stop, fmt.Errorf("%s does not answer", cmd.Path)
		}
	}
}

// FreeAddress is an address of loopback for servers that must know theirs
// before they listen.
func FreeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// transcript is what a server prints.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// after returns what stands behind the mark, up to the end of its line; "" where
// it does not stand there yet.
func (s *transcript) after(mark string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, rest, _ := strings.Cut(s.text.String(), mark)
	line, _, whole := strings.Cut(rest, "\n")
	if !whole {
		return ""
	}
	return strings.TrimSpace(line)
}

// Until waits until the condition holds.
func Until(t *testing.T, otherwise string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(otherwise)
		}
	}
}

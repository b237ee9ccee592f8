package toolchain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lock takes the lock of that name in the cache, for this process alone, and
// returns what gives it back. The system frees it when the process dies. While
// another process holds it, the report says so.
func lock(ctx context.Context, cache, name string, r *report) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(cache, name+".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for told := false; ; {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return func() { f.Close() }, nil // closing frees it
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EWOULDBLOCK):
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		if !told {
			r.say("another process is at it: waiting for %s", f.Name())
			told = true
		}
		select {
		case <-time.After(100 * time.Millisecond): // flock has no wait that a context could end
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		}
	}
}

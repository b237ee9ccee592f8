package runner

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// canEnclose reports whether commands can have namespaces of their own here,
// by making one: capabilities, containers and the kernel's limits all have a
// say in it. A user namespace, with which an ordinary user could, can't be had
// by one thread of a process.
func canEnclose() bool {
	if !hasCapability(unix.CAP_SYS_ADMIN) {
		return false
	}
	done := make(chan error)
	go func() { // whose thread, never unlocked, ends with it
		runtime.LockOSThread()
		done <- unix.Unshare(unix.CLONE_NEWPID)
	}()
	return <-done == nil
}

// enclose has the next process that the calling thread starts be the first of
// a namespace of processes: when it ends, the kernel kills whatever is left in
// that, in sessions of their own too. /proc stays the machine's: what a run
// may read of it has no processes in it. A namespace of mounts would add
// nothing: Landlock and the lost capabilities refuse every mount.
func enclose() error {
	err := unix.Unshare(unix.CLONE_NEWPID)
	if errors.Is(err, unix.ENOSPC) {
		return nil // as many as the kernel allows are there: left processes are searched for
	}
	if err != nil {
		return fmt.Errorf("make a namespace of processes: %w", err)
	}
	return nil
}

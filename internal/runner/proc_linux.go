package runner

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidelock/tidelock/planner/tfrun"
)

// takeLock locks the run folder for this process, for as long as f is open.
// It reports false where another holds it. The lock belongs to the open file,
// which no child inherits, so it ends with the process however that ends.
func takeLock(dir string) (f *os.File, ok bool, err error) {
	f, err = os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, fmt.Errorf("open the lock: %w", err)
	}
	err = unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	if err != nil {
		f.Close()
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
			return nil, false, nil
		}
		return nil, false, fmt.Errorf("lock the run: %w", err)
	}
	// The folder may have been removed, and made anew, between the two calls:
	// a lock on a file that nobody else can open protects nothing.
	mine, err := f.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Stat(filepath.Join(dir, lockFile)); err == nil && !os.SameFile(mine, there) {
			err = fmt.Errorf("its folder was replaced: %w", os.ErrNotExist)
		}
	}
	if err != nil {
		f.Close()
		return nil, false, fmt.Errorf("lock the run: %w", err)
	}
	return f, true, nil
}

// locked reports whether a process holds the run folder's lock. It asks
// without taking the lock, and so never gets in a starting runner's way.
func locked(dir string) (bool, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("open the lock: %w", err)
	}
	defer f.Close()
	l := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &l); err != nil {
		return false, fmt.Errorf("ask for the lock: %w", err)
	}
	return l.Type != unix.F_UNLCK, nil
}

// ticks is in how many parts /proc divides a second of processor time: the
// kernel's interface has the same for every machine that we are built for.
const ticks = 100

// process is what /proc says of one.
type process struct {
	pid, parent, session int
	start                uint64
	cpu                  time.Duration // processor time of all its threads, without its children's
	zombie               bool
}

func readProcess(pid int) (process, bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, false
	}
	// pid (name, which may hold anything) state ppid pgrp session …
	end := bytes.LastIndexByte(b, ')')
	if end < 0 {
		return process{}, false
	}
	f := strings.Fields(string(b[end+1:]))
	if len(f) < 20 {
		return process{}, false
	}
	p := process{pid: pid, zombie: f[0] == "Z" || f[0] == "X"}
	p.parent, _ = strconv.Atoi(f[1])
	p.session, _ = strconv.Atoi(f[3])
	p.start, _ = strconv.ParseUint(f[19], 10, 64)
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	p.cpu = time.Duration(user+system) * time.Second / ticks
	return p, true
}

func processes() []process {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var out []process
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if p, ok := readProcess(pid); ok {
				out = append(out, p)
			}
		}
	}
	return out
}

// descendants returns the living processes below a pid.
func descendants(pid int) []process {
	children := map[int][]process{}
	for _, p := range processes() {
		children[p.parent] = append(children[p.parent], p)
	}
	var out []process
	queue := []int{pid}
	for len(queue) > 0 {
		for _, c := range children[queue[0]] {
			queue = append(queue, c.pid)
			if !c.zombie {
				out = append(out, c)
			}
		}
		queue = queue[1:]
	}
	return out
}

// bootID tells one boot of the machine from another.
func bootID() string {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b))
}

// self describes this process for the journal.
func self() entry {
	p, _ := readProcess(os.Getpid())
	return entry{Event: eventStarted, PID: os.Getpid(), StartTime: p.start, Boot: bootID()}
}

// leftovers returns the living processes of a run whose runner may be gone:
// those of its session, and those with its ID in their environment, which
// also finds what made a session of its own.
func leftovers(runID string, runner entry) []process {
	if runner.Boot != bootID() {
		return nil
	}
	all := processes()
	session := runner.PID
	for _, p := range all {
		if p.pid == runner.PID && p.start != runner.StartTime {
			session = -1 // another process has the number now, and a session of that number is its own
		}
	}
	mark := []byte(tfrun.RunVariable + "=" + runID)
	var out []process
	for _, p := range all {
		if p.zombie || p.pid == os.Getpid() || p.start < runner.StartTime {
			continue
		}
		if p.session == session || hasVariable(p.pid, mark) {
			out = append(out, p)
		}
	}
	return out
}

func hasVariable(pid int, variable []byte) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil || !bytes.Contains(b, variable) {
		return false
	}
	for _, v := range bytes.Split(b, []byte{0}) {
		if bytes.Equal(v, variable) {
			return true
		}
	}
	return false
}

// sendSignal sends a signal to exactly the process that was seen, not to a later
// one of its number.
func sendSignal(p process, s unix.Signal) error {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		if errors.Is(err, unix.ESRCH) {
			return nil
		}
		return fmt.Errorf("open process %d: %w", p.pid, err)
	}
	defer unix.Close(fd)
	if now, ok := readProcess(p.pid); !ok || now.start != p.start {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, s, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("signal process %d: %w", p.pid, err)
	}
	return nil
}

// killAll kills what find returns until it returns nothing: what a process
// starts while it is being killed is found the next time. It gives up after
// ten seconds, when something can't be killed.
func killAll(find func() []process) error {
	for deadline := time.Now().Add(10 * time.Second); ; {
		found := find()
		if len(found) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d processes of the run can't be killed, the first is %d", len(found), found[0].pid)
		}
		for _, p := range found {
			if err := sendSignal(p, unix.SIGKILL); err != nil {
				return err
			}
		}
		time.Sleep(2 * time.Millisecond) // the kernel needs a moment to end them
	}
}

// becomeReaper makes orphaned descendants this process's children, so that
// none escapes killDescendants.
func becomeReaper() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become the reaper: %w", err)
	}
	return nil
}

// killDescendants kills everything below this process and reaps it. No
// exec.Cmd may be waited for any more, unless it is to fail.
func killDescendants() error {
	return killAll(func() []process { return descendants(os.Getpid()) })
}

// endLeft ends what the run's commands have left behind while none of them
// runs. Whatever is left is below this process, which is the reaper: without
// a child there is nothing to look for.
func endLeft() error {
	err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	if errors.Is(err, unix.ECHILD) {
		return nil
	}
	if err := killDescendants(); err != nil {
		return err
	}
	reapOrphans()
	return nil
}

// reapOrphans collects the ended children that nobody waits for.
func reapOrphans() {
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if err != nil || pid <= 0 {
			return
		}
	}
}

// preallocate takes room on the disk for the first size bytes of a file,
// without making it any longer.
func preallocate(f *os.File, size int64) error {
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, size)
}

// reserve takes room on the disk that is given back when the result must be
// written.
func reserve(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	err = unix.Fallocate(int(f.Fd()), 0, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		_, err = f.Write(make([]byte, size))
	}
	return err
}

package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// Mode says how much of a sandbox is asked for.
type Mode string

// The modes. The zero value is ModeOff.
const (
	ModeOff    Mode = "off"    // as the server's user may
	ModeAuto   Mode = "auto"   // all that the host offers
	ModeStrict Mode = "strict" // all of it, or no run
)

// Sandbox is what keeps other people's code to its run: the same for all runs
// of a Runner. Lists are of absolute paths.
type Sandbox struct {
	Mode  Mode     `json:"mode,omitempty"`
	Read  []string `json:"read,omitempty"`  // to be read by every run, besides the system's programs
	Write []string `json:"write,omitempty"` // to be written
	// NoPlanNetwork denies the network to what a plan runs.
	NoPlanNetwork bool `json:"no_plan_network,omitempty"`
	// Processes is how many processes a run may have at once, Memory how much
	// writable memory each in bytes, Disk how many bytes a run may write.
	// 0 sets no limit.
	Processes int   `json:"processes,omitempty"`
	Memory    int64 `json:"memory,omitempty"`
	Disk      int64 `json:"disk,omitempty"`
	// CPU is how much processor time each process of a plan may use. An apply
	// has no such limit: to end it half-way costs more than it saves.
	CPU time.Duration `json:"cpu,omitempty"`
	// SharedPIDs has runs do without namespaces of processes, as they do on a
	// machine that has none to offer.
	SharedPIDs bool `json:"shared_pids,omitempty"`
}

// on reports whether anything is confined.
func (s Sandbox) on() bool { return s.Mode == ModeAuto || s.Mode == ModeStrict }

// The Landlock versions that bring what is needed here.
const (
	abiFiles    = 3  // 6.2: reading, writing and truncating
	abiTCP      = 4  // 6.7
	abiSignals  = 6  // 6.12: no signals to others, no abstract sockets of theirs
	abiSockets  = 9  // no sockets in the file system but one's own
	abiUDP      = 10 // the whole network
	firstABI    = 1
	openFiles   = 65536
	userReserve = 8192 // processes and threads of the server's user that are not one run's
)

// Host is what a machine offers to confine a run with.
type Host struct {
	Landlock int  // version of its interface, 0 without
	Root     bool // this process is root's, and has its capabilities
	Filter   bool // system calls can be filtered, those that reach the network too
	Shell    bool // there is a shell, which sets limits
	PIDs     bool // each command can have a namespace of processes of its own
}

// LookAtHost finds out what this machine offers to this process.
func LookAtHost() Host {
	h := Host{Landlock: landlockABI(), Root: os.Geteuid() == 0, Filter: canFilter()}
	_, err := os.Stat("/bin/sh")
	h.Shell = err == nil
	h.PIDs = canEnclose()
	return h
}

// Lacks returns what the sandbox asks for and the host has not, a sentence
// each. A strict sandbox needs an empty list.
func (h Host) Lacks(s Sandbox) []string {
	if !s.on() {
		return nil
	}
	var out []string
	switch {
	case h.Landlock == 0:
		out = append(out, "The kernel has no Landlock, so runs can read and write whatever the server's user can. It needs Linux 6.2 or later with landlock among its security modules, and a container runtime that allows it.")
	case h.Landlock < abiFiles:
		out = append(out, "The kernel's Landlock is too old to keep runs from emptying files that are not theirs: it needs Linux 6.2 or later.")
	}
	if h.Landlock < abiSignals {
		out = append(out, "The kernel can't keep runs from sending signals to the server and to other runs: it needs Linux 6.12 or later.")
	}
	if s.NoPlanNetwork && !h.Filter {
		out = append(out, "Plans can't be kept from the network: the kernel does not filter system calls (seccomp), or not on this processor.")
	}
	if !h.Shell && (s.Memory > 0 || s.Disk > 0 || s.Processes > 0 || s.CPU > 0) {
		out = append(out, "There is no /bin/sh, which sets the limits of memory, processor time and file sizes.")
	}
	return out
}

// Offers describes the host for people: what of a sandbox works on it.
func (h Host) Offers() []string {
	var out []string
	if h.Landlock >= firstABI {
		out = append(out, fmt.Sprintf("Landlock version %d keeps runs to their files", h.Landlock))
	}
	if h.Landlock >= abiSignals {
		out = append(out, "other processes are safe from runs' signals")
	}
	if h.Filter {
		out = append(out, "plans can be kept from the network")
	}
	if h.PIDs {
		out = append(out, "all that a command started ends with it, in a namespace of processes of its own")
	} else {
		out = append(out, "what a command left behind is searched for and ended (a namespace of processes needs root, with CAP_SYS_ADMIN)")
	}
	if h.Root {
		out = append(out, "root's capabilities are taken from runs")
	}
	return out
}

// check refuses a strict sandbox that would not be whole on this host.
func (s Sandbox) check(h Host) error {
	switch s.Mode {
	case "", ModeOff, ModeAuto:
		return nil
	case ModeStrict:
	default:
		return fmt.Errorf("runner: the sandbox %q is not known", s.Mode)
	}
	if lacks := h.Lacks(s); len(lacks) > 0 {
		return errs.New(errs.Invalid, "The sandbox is to be strict, and this machine can't offer that. %s Mend that, or set terraform.sandbox to \"auto\".", strings.Join(lacks, " "))
	}
	return nil
}

// prepare lays the sandbox into a spec, in the runner process.
func (s Sandbox) prepare(spec *tfrun.Spec) error {
	if !s.on() {
		return nil
	}
	h := LookAtHost()
	if err := s.check(h); err != nil {
		return err
	}
	spec.NoPlanNetwork = s.NoPlanNetwork
	if h.Shell {
		spec.Limits = tfrun.Limits{Memory: s.Memory, File: s.Disk, OpenFiles: openFilesLimit()}
		if s.Processes > 0 {
			spec.Limits.Processes = processLimit(s.Processes)
		}
		if s.CPU > 0 && spec.Kind == tfrun.KindPlan {
			spec.Limits.CPU = int64((s.CPU + cpuSlack + time.Second - 1) / time.Second)
		}
	}
	h.PIDs = h.PIDs && !s.SharedPIDs
	if h.PIDs {
		spec.Enclosed = true
		// The first start of a process in Go tries out whether the kernel has
		// pidfds, with a child that would be the namespace's first.
		_, _ = os.FindProcess(os.Getpid())
	}
	spec.Confine = func(a tfrun.Access) error { return s.confine(h, a) }
	return nil
}

// openFilesLimit is what a run's processes may have open each: never more
// than this process could.
func openFilesLimit() int {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil {
		return 0
	}
	return int(min(l.Max, openFiles))
}

// processLimit is the kernel's limit where a run may have n processes. It
// counts threads, and all of the user's: it only stops what multiplies faster
// than it can be counted.
func processLimit(n int) int {
	want := userReserve + 32*n
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NPROC, &l) == nil && l.Max < uint64(want) {
		return int(l.Max)
	}
	return want
}

// confine confines the calling thread for good, and with it whatever that
// thread starts.
func (s Sandbox) confine(h Host, a tfrun.Access) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no new privileges: %w", err)
	}
	if !a.Network && h.Filter {
		if err := refuseNetwork(); err != nil {
			return err
		}
	}
	if h.Landlock >= firstABI {
		a.Read = slices.Concat(systemRead, s.Read, a.Read)
		a.Write = slices.Concat(s.Write, a.Write)
		if err := restrict(h.Landlock, a); err != nil {
			return err
		}
	}
	if h.PIDs {
		if err := enclose(); err != nil {
			return err
		}
	}
	return dropCapabilities()
}

// systemRead is what programs need of the system: themselves, their
// libraries, the time zone, names and certificates. /proc is not in it: there
// is the environment of what runs, with its credentials.
var systemRead = []string{
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/opt",
	"/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/ca-certificates.conf", "/etc/crypto-policies",
	"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols",
	"/etc/localtime", "/etc/timezone", "/etc/passwd", "/etc/group", "/etc/os-release", "/etc/alternatives", "/etc/mime.types",
	"/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld-musl-x86_64.path", "/etc/ld-musl-aarch64.path",
	"/etc/gitconfig", "/etc/ssh/ssh_config", "/etc/ssh/ssh_config.d", "/etc/ssh/ssh_known_hosts", "/etc/bash.bashrc", "/etc/profile",
	"/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/filesystems", "/proc/sys/kernel", "/proc/sys/net/core/somaxconn", "/proc/sys/vm/overcommit_memory",
	"/sys/devices/system/cpu", "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
}

// devices are the files in /dev that are for everybody.
var devices = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"}

// Exposes returns the first of the paths that runs could read in spite of the
// sandbox, because what they are allowed holds it; "" where there is none.
func (s Sandbox) Exposes(paths ...string) (path, by string) {
	if !s.on() {
		return "", ""
	}
	for _, p := range paths {
		real, err := filepath.EvalSymlinks(p)
		if err != nil {
			real = p
		}
		for _, open := range slices.Concat(systemRead, s.Read, s.Write) {
			top, err := filepath.EvalSymlinks(open)
			if err != nil {
				continue
			}
			if rel, err := filepath.Rel(top, real); err == nil && filepath.IsLocal(rel) {
				return p, open
			}
		}
	}
	return "", ""
}

// Hide keeps other processes of this user from reading this one's environment
// and memory. It is called when a process begins, which holds secrets.
func Hide() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("hide this process's memory: %w", err)
	}
	return nil
}

// keptCapabilities are those that root's runs keep: to do with files of their
// own what root does with them.
var keptCapabilities = []uintptr{unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER, unix.CAP_FSETID}

// dropCapabilities takes from the calling thread, and from what it starts,
// every capability but those. An ordinary user has none to lose.
func dropCapabilities() error {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return fmt.Errorf("read the capabilities: %w", err)
	}
	if data[0].Permitted|data[1].Permitted == 0 {
		return nil
	}
	if hasCapability(unix.CAP_SETPCAP) {
		for c := uintptr(0); c <= 63; c++ {
			if slices.Contains(keptCapabilities, c) {
				continue
			}
			err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
			if errors.Is(err, unix.EINVAL) {
				break // there is none of that number, nor beyond it
			}
			if err != nil {
				return fmt.Errorf("drop capability %d: %w", c, err)
			}
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("drop the ambient capabilities: %w", err)
	}
	var kept uint32
	for _, c := range keptCapabilities {
		kept |= 1 << c
	}
	next := [2]unix.CapUserData{{Effective: data[0].Effective & kept, Permitted: data[0].Permitted & kept}}
	if err := unix.Capset(&hdr, &next[0]); err != nil {
		return fmt.Errorf("drop the capabilities: %w", err)
	}
	return nil
}

// hasCapability reports whether this thread has it in effect.
func hasCapability(c int) bool {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	return unix.Capget(&hdr, &data[0]) == nil && data[c/32].Effective&(1<<(c%32)) != 0
}

package runner

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// auditArch is what the kernel calls this machine's own system calls; there
// are others on it, by which a filter could be passed by.
var auditArch = map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]

// x32Calls is where amd64's second set of system calls begins.
const x32Calls = 0x40000000

// canFilter reports whether system calls can be filtered here.
func canFilter() bool {
	_, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0)
	return err == nil && auditArch != 0
}

// refuseNetwork has the kernel refuse every socket but those within this
// machine's file system to the calling thread and what it starts. The thread
// must have renounced new privileges. Landlock's rules for the network would
// leave out UDP on most kernels.
func refuseNetwork() error {
	const (
		number, arch, argument = 0, 4, 16 // offsets in seccomp_data, little-endian
		load                   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal                  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		atLeast                = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		answer                 = unix.BPF_RET | unix.BPF_K
		refused                = unix.SECCOMP_RET_ERRNO | uint32(unix.EACCES)
	)
	program := []unix.SockFilter{
		{Code: load, K: arch},
		{Code: equal, K: auditArch, Jt: 1}, // calls of another kind: refused
		{Code: answer, K: refused},
		{Code: load, K: number},
		{Code: atLeast, K: x32Calls, Jt: 4},
		{Code: equal, K: unix.SYS_IO_URING_SETUP, Jt: 3}, // it makes sockets unseen
		{Code: equal, K: unix.SYS_SOCKET, Jf: 3},
		{Code: load, K: argument},
		{Code: equal, K: unix.AF_UNIX, Jt: 1},
		{Code: answer, K: refused},
		{Code: answer, K: unix.SECCOMP_RET_ALLOW},
	}
	f := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&f)), 0, 0)
	runtime.KeepAlive(program)
	if err != nil {
		return fmt.Errorf("refuse the network: %w", err)
	}
	return nil
}

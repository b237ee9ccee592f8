package runner

import (
	"os"
	"syscall"
)

// testSandbox is what the tests of this package run in: the server's default,
// with the folder of the test to write to, for their gates and effects.
func testSandbox(dir string) Sandbox {
	return Sandbox{Mode: ModeAuto, Write: []string{dir}, Processes: 1000, Disk: 1 << 30, Memory: 4 << 30}
}

func mkfifo(path string) error { return syscall.Mkfifo(path, 0o600) }

func owner(info os.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }

package capacity

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// keepFree is the share of the memory that is left to the server itself and to
// what runs need beyond what they needed before: one part in so many.
const keepFree = 10

// Memory is what runs may have of this machine's memory together, in bytes, as
// it is now: nine tenths of what is free, or may be taken by this process's
// control groups where that is less. 0 means that it can't be told.
func Memory() int64 { return memoryOf("/") }

// memoryOf is Memory of a machine whose /proc and /sys lie under root.
func memoryOf(root string) int64 {
	free, known := available(filepath.Join(root, "proc/meminfo")), false
	if room, ok := groupRoom(root); ok && (free == 0 || room < free) {
		free, known = room, true
	}
	if free == 0 && !known {
		return 0
	}
	return max(1, free/keepFree*(keepFree-1)) // 0 would limit nothing
}

func available(path string) int64 {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	s := bufio.NewScanner(bytes.NewReader(b))
	for s.Scan() {
		f := strings.Fields(s.Text())
		if len(f) >= 2 && f[0] == "MemAvailable:" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n << 10
		}
	}
	return 0
}

// groupRoom is what the process's control groups still let it take: the least
// of its own and those above. It knows both versions.
func groupRoom(root string) (least int64, limited bool) {
	b, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0, false
	}
	for _, line := range strings.Split(string(b), "\n") {
		f := strings.SplitN(line, ":", 3) // number:controllers:path
		if len(f) != 3 {
			continue
		}
		base, limit, usage, cache := filepath.Join(root, "sys/fs/cgroup"), "memory.max", "memory.current", "inactive_file"
		switch {
		case f[0] == "0" && f[1] == "":
		case strings.Contains(","+f[1]+",", ",memory,"):
			base, limit, usage, cache = filepath.Join(base, "memory"), "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
		default:
			continue
		}
		// In a container the path may be the host's, and only the root is
		// there; that is its own group then.
		for dir := filepath.Clean("/" + f[2]); ; dir = filepath.Dir(dir) {
			if most, ok := number(filepath.Join(base, dir, limit)); ok && most < 1<<60 {
				used, _ := number(filepath.Join(base, dir, usage))
				used -= stat(filepath.Join(base, dir, "memory.stat"), cache) // the kernel gives that back when asked
				if room := max(0, most-max(0, used)); !limited || room < least {
					least, limited = room, true
				}
			}
			if dir == "/" {
				break
			}
		}
	}
	return least, limited
}

// number reads a file that holds a number; not "max".
func number(path string) (int64, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil
}

// stat reads a line of a memory.stat.
func stat(path, name string) int64 {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(b), "\n") {
		if key, value, _ := strings.Cut(line, " "); key == name {
			n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return n
		}
	}
	return 0
}

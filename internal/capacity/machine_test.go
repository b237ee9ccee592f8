package capacity

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMemory(t *testing.T) {
	const gb = 1 << 30
	meminfo := map[string]string{"proc/meminfo": "MemTotal:       16777216 kB\nMemFree:         1048576 kB\nMemAvailable:    8388608 kB\n"}
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
		least int64
	}{
		"nothing is known":  {nil, 0, 0},
		"no control groups": {nil, 8 * gb, 0},
		"no limit": {map[string]string{"proc/self/cgroup": "0::/system.slice/tidelock.service\n",
			"sys/fs/cgroup/system.slice/tidelock.service/memory.max": "max\n"}, 8 * gb, 0},
		"a limit of its own": {map[string]string{"proc/self/cgroup": "0::/tidelock\n",
			"sys/fs/cgroup/tidelock/memory.max": "4294967296\n", "sys/fs/cgroup/tidelock/memory.current": "2147483648\n",
			"sys/fs/cgroup/tidelock/memory.stat": "anon 1073741824\ninactive_file 1073741824\n"}, 3 * gb, 0},
		"a limit above": {map[string]string{"proc/self/cgroup": "0::/pod/tidelock\n", "sys/fs/cgroup/pod/tidelock/memory.max": "max\n",
			"sys/fs/cgroup/pod/memory.max": "2147483648\n", "sys/fs/cgroup/pod/memory.current": "0\n"}, 2 * gb, 0},
		"in a container": {map[string]string{"proc/self/cgroup": "0::/../../host/path\n",
			"sys/fs/cgroup/memory.max": "1073741824\n", "sys/fs/cgroup/memory.current": "0\n"}, gb, 0},
		"more than there is": {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "68719476736\n"}, 8 * gb, 0},
		"used up":            {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "100\n", "sys/fs/cgroup/memory.current": "200\n"}, 0, 1},
		"the first version": {map[string]string{"proc/self/cgroup": "9:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/\n",
			"sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "1073741824\n", "sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes": "536870912\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, gb / 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			lay := func(files map[string]string) {
				for path, text := range files {
					full := filepath.Join(root, path)
					if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			if name != "nothing is known" {
				lay(meminfo)
			}
			lay(c.files)
			if got, want := memoryOf(root), max(c.want/10*9, c.least); got != want {
				t.Errorf("%d MB, not %d", got>>20, want>>20)
			}
		})
	}
	if Memory() <= 0 {
		t.Error("nothing is known of this machine")
	}
}

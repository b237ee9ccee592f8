package checkout

import (
	"io/fs"
	"syscall"
)

// stampOf returns what the kernel says of a file, and false where it has more
// names than one: it could be written to from elsewhere.
func stampOf(info fs.FileInfo) (stamp, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.Mode().IsRegular() || st.Nlink != 1 {
		return stamp{}, false
	}
	return stamp{
		inode: st.Ino, size: st.Size, mode: st.Mode,
		modified: st.Mtim.Nano(), changed: st.Ctim.Nano(),
	}, true
}

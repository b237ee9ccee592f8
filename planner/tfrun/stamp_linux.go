package tfrun

import (
	"fmt"
	"io/fs"
	"syscall"
)

// kernelStamp tells a file from any other that it could be taken for. A
// directory's own times are left out: what is in it is looked at.
func kernelStamp(info fs.FileInfo) (string, bool) {
	if info.IsDir() {
		return fmt.Sprint(info.Mode()), true
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Nlink != 1 { // one with another name could be written to from elsewhere
		return "", false
	}
	return fmt.Sprint(info.Mode(), st.Ino, st.Size, st.Ctim.Nano()), true
}

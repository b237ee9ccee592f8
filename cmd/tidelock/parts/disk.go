package parts

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// FreeSpace returns what an ordinary user may still write to dir's disk.
func FreeSpace(dir string) (uint64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	return fs.Bavail * uint64(fs.Bsize), nil
}

// LeastFree is how many bytes of the data folder's disk must be free: less is
// soon too little for an apply to record what it does.
const LeastFree = 32 << 20

// TryWriting makes a file in dir and removes it.
func TryWriting(dir string) error {
	f, err := os.CreateTemp(dir, ".tidelock-doctor-*")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 4096))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}

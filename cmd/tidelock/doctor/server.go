package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/tidelock/tidelock/cmd/tidelock/parts"
)

func checkConfiguration(_ context.Context, c *Clinic) Diagnosis {
	from := c.file
	if from == "" {
		from = "the environment; no file was found"
	}
	err := c.problems.Err()
	var list []string
	for _, p := range c.problems {
		if (err != nil) != p.Warning {
			list = append(list, p.String())
		}
	}
	switch {
	case err != nil:
		return fail("mend what is listed; every setting is described in docs/configuration.md", "%s", strings.Join(list, "\n"))
	case len(list) > 0:
		return warn("the server starts all the same", "%s", strings.Join(list, "\n"))
	}
	return ok("read from %s", from)
}

func checkDataDir(_ context.Context, c *Clinic) Diagnosis {
	dir := c.config.DataDir
	if dir == "" {
		return fail("name a folder on a disk that is kept, such as /var/lib/tidelock", "data_dir is not set")
	}
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		parent := existingParent(dir)
		if err := parts.TryWriting(parent); err != nil {
			return fail(mendFolder(dir), "%s does not exist and can't be made: %v", dir, err)
		}
		return ok("%s does not exist yet; the server makes it", dir)
	}
	if err != nil {
		return fail(mendFolder(dir), "%s can't be read: %v", dir, err)
	}
	if !info.IsDir() {
		return fail("set data_dir to a folder", "%s is not a folder", dir)
	}
	if err := parts.TryWriting(dir); err != nil {
		return fail(mendFolder(dir), "%s can't be written: %v", dir, err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return warn("chmod 700 "+dir, "%s can be written, but others on this machine may look into it (mode %04o)", dir, mode)
	}
	return ok("%s can be written", dir)
}

func mendFolder(dir string) string {
	return fmt.Sprintf("give it to the server's user: install -d -m 700 -o USER %s", dir)
}

// existingParent returns the nearest folder above dir that exists.
func existingParent(dir string) string {
	for {
		parent := filepath.Dir(dir)
		if _, err := os.Stat(parent); err == nil || parent == dir {
			return parent
		}
		dir = parent
	}
}

// The free space below which the server can't be trusted with an apply, and
// below which it should be looked after.
const (
	diskFail = 512 << 20
	diskWarn = 4 << 30
)

func checkDisk(_ context.Context, c *Clinic) Diagnosis {
	if c.config.DataDir == "" {
		return skip("data_dir is not set")
	}
	// The database may be elsewhere; the fuller disk is the one to tell of.
	dirs := []string{c.config.DataDir}
	if file, ok := strings.CutPrefix(c.config.Database.Reveal(), "sqlite:"); ok {
		dirs = append(dirs, filepath.Dir(file))
	}
	dir, free := "", uint64(math.MaxUint64)
	for _, d := range dirs {
		if _, err := os.Stat(d); err != nil {
			d = existingParent(d)
		}
		n, err := c.freeSpace(d)
		if err != nil {
			return fail("", "the free space of %s is unknown: %v", d, err)
		}
		if n < free {
			dir, free = d, n
		}
	}
	const mend = "every run needs a work tree, its providers and its plan; free some space or move it to a larger disk"
	switch {
	case free < diskFail:
		return fail(mend, "only %s are free in %s; below %s no apply is safe", humanize.IBytes(free), dir, humanize.IBytes(diskFail))
	case free < diskWarn:
		return warn(mend, "%s are free in %s, less than %s", humanize.IBytes(free), dir, humanize.IBytes(diskWarn))
	}
	return ok("%s are free in %s", humanize.IBytes(free), dir)
}

func checkWeb(_ context.Context, c *Clinic) Diagnosis {
	web := c.config.Web
	switch {
	case !web.Enabled:
		return ok("turned off by web.enabled")
	case c.problems.Of("listen", "web.password", "web.password_file") != nil:
		return skip("listen or the password is not right, see configuration")
	case web.Password.Empty() && c.config.PublicURL != "":
		return warn("set web.password_file, so that they ask for a password",
			"%s is known to people, but without a password the pages answer only this machine itself", c.config.PublicURL)
	case web.Password.Empty():
		return ok("the pages answer only this machine itself; with web.password_file they ask for a password")
	}
	return ok("the pages at %s ask for a password", c.config.Listen)
}

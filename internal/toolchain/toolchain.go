package toolchain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-version"

	"github.com/tidelock/tidelock/internal/errs"
)

const (
	// BinaryVariable names the environment variable that says which Terraform
	// or OpenTofu to use: a path, or a name to be found on PATH.
	BinaryVariable = "TIDELOCK_TERRAFORM"
	// CacheVariable names the environment variable that moves the cache.
	CacheVariable = "TIDELOCK_CACHE"
	// MinVersion is the oldest Terraform or OpenTofu that is used. Older ones
	// lack import blocks and parts of the plan's JSON.
	MinVersion = "1.5.0"
)

// Options say where to keep what is built and whom to tell about it. The zero
// value is good.
type Options struct {
	// Cache is the folder that keeps what was built. Empty means
	// TIDELOCK_CACHE, else tidelock in the user's cache folder.
	Cache string
	// Progress is told in lines what takes long; nil is nobody. On a terminal
	// the last line is kept up to date in place.
	Progress io.Writer
	// Source is the root of Tidelock's source, for the stand-in provider.
	// Empty means the module around the working directory, else where this
	// program was compiled from.
	Source string
}

// Binary is a Terraform or OpenTofu that was run once and said its version.
type Binary struct {
	Path    string // absolute
	Name    string // "terraform" or "tofu"
	Version string // without a v: 1.11.4
}

// Terraform returns the binary to plan with: TIDELOCK_TERRAFORM if that is
// set, else terraform on PATH, else tofu on PATH, else the OpenTofu in the
// cache, which it builds when it is not there. Building takes some minutes and
// about 2 GB of memory, and needs go and its module proxy.
//
// A binary that does not run, or is older than MinVersion, is passed over, and
// Progress is told. Only the one that TIDELOCK_TERRAFORM asks for must work:
// errs.Invalid if it does not.
func Terraform(ctx context.Context, o Options) (Binary, error) {
	if asked := os.Getenv(BinaryVariable); asked != "" {
		b, err := find(ctx, asked)
		if err != nil {
			return Binary{}, errs.Wrap(errs.Invalid, err,
				"%s is set to %q, which cannot be used. Set it to a Terraform or OpenTofu of %s or newer, or unset it.", BinaryVariable, asked, MinVersion)
		}
		return b, nil
	}
	b, err := find(ctx, "terraform")
	if err == nil {
		return b, nil
	}
	if !errors.Is(err, exec.ErrNotFound) {
		newReport(o.Progress).say("terraform on PATH is passed over: %v", err)
	}
	return OpenTofu(ctx, o)
}

// OpenTofu returns tofu from PATH or the cache, else builds it into the cache:
// see Terraform for what that takes.
func OpenTofu(ctx context.Context, o Options) (Binary, error) {
	b, err := FindOpenTofu(ctx, o)
	if err == nil || !errs.Is(err, errs.NotFound) {
		return b, err
	}
	path, err := tofu.Build(ctx, o)
	if err != nil {
		return Binary{}, err
	}
	return find(ctx, path)
}

// FindOpenTofu is OpenTofu without the building: errs.NotFound when there is
// none. Tests that want both tools use it, and skip.
func FindOpenTofu(ctx context.Context, o Options) (Binary, error) {
	b, err := find(ctx, "tofu")
	if err == nil {
		return b, nil
	}
	if !errors.Is(err, exec.ErrNotFound) {
		newReport(o.Progress).say("tofu on PATH is passed over: %v", err)
	}
	path, err := tofu.Cached(o)
	if err != nil {
		return Binary{}, err
	}
	if b, err = find(ctx, path); err != nil {
		// Whatever broke it, building it again mends it.
		return Binary{}, errs.Wrap(errs.NotFound, err, "The OpenTofu that was built does not run any more.")
	}
	return b, nil
}

// find resolves a name or path and asks the program what it is.
func find(ctx context.Context, name string) (Binary, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return Binary{}, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return Binary{}, err
	}
	cmd := exec.CommandContext(ctx, path, "version")
	cmd.Dir = os.TempDir() // not a folder with a configuration, whose providers it would list
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "CHECKPOINT_DISABLE=1",
		// A variable that names a missing file makes every command warn, so
		// name one that is always there and empty.
		"TF_CLI_CONFIG_FILE=" + os.DevNull,
	}
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && len(exit.Stderr) > 0 {
			return Binary{}, fmt.Errorf("%s version: %w: %s", path, err, firstLine(string(exit.Stderr)))
		}
		return Binary{}, fmt.Errorf("%s version: %w", path, err)
	}
	b, err := parseVersion(string(out))
	if err != nil {
		return Binary{}, fmt.Errorf("%s: %w", path, err)
	}
	b.Path = path
	return b, nil
}

// parseVersion reads the first line of "terraform version".
func parseVersion(out string) (Binary, error) {
	line := firstLine(out)
	product, v, _ := strings.Cut(line, " v")
	names := map[string]string{"Terraform": "terraform", "OpenTofu": "tofu"}
	have, err := version.NewVersion(v)
	if names[product] == "" || err != nil {
		return Binary{}, fmt.Errorf("it says %q, which neither Terraform nor OpenTofu would", line)
	}
	if have.LessThan(version.Must(version.NewVersion(MinVersion))) {
		return Binary{}, fmt.Errorf("%s %s is older than %s", product, v, MinVersion)
	}
	return Binary{Name: names[product], Version: v}, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(line)
}

// cache returns the cache folder, which exists then.
func (o Options) cache() (string, error) {
	dir := o.Cache
	if dir == "" {
		dir = os.Getenv(CacheVariable)
	}
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", errs.Wrap(errs.Invalid, err, "There is no folder to keep what is built: set %s.", CacheVariable)
		}
		dir = filepath.Join(user, "tidelock")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", errs.Wrap(errs.Invalid, err, "The cache folder cannot be made: set %s to a folder that can be written.", CacheVariable)
	}
	return dir, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

package tfrun

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

// Binary is a Terraform or OpenTofu on this machine.
type Binary struct {
	Path    string // absolute
	Tool    string // "Terraform" or "OpenTofu"
	Version string // "1.11.4"
}

// FindBinary returns the tool that configured names, a path or a name looked
// for on PATH; where it is empty, terraform on PATH, else tofu. It runs the
// binary once to ask its version. Errors are errs.NotFound or errs.Invalid.
func FindBinary(ctx context.Context, configured string) (Binary, error) {
	names := []string{"terraform", "tofu"}
	if configured != "" {
		names = []string{configured}
	}
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if path, err = filepath.Abs(path); err != nil {
			return Binary{}, fmt.Errorf("find %s: %w", name, err)
		}
		return inspect(ctx, path)
	}
	if configured != "" {
		return Binary{}, errs.New(errs.NotFound, "The Terraform binary %s is not there, or can't be run.", configured)
	}
	return Binary{}, errs.New(errs.NotFound, "Neither terraform nor tofu is on PATH. Install one, or set its path in the server's configuration.")
}

// versionOf takes tool and version from the first line that begins with them:
// "Terraform v1.11.4".
func versionOf(out string) (tool, version string, ok bool) {
	for _, line := range strings.Split(out, "\n") {
		tool, version, ok = strings.Cut(strings.TrimSpace(line), " v")
		if ok && (tool == "Terraform" || tool == "OpenTofu") && atLeast(version, 0, 0) {
			return tool, version, plainVersion(version)
		}
	}
	return "", "", false
}

// plainVersion reports whether a version can stand in a script and a path.
func plainVersion(v string) bool {
	for i := range len(v) {
		c := v[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case i > 0 && (c == '.' || c == '-' || c == '+'):
		default:
			return false
		}
	}
	return v != "" && len(v) <= 40
}

// inspect asks a binary what it is.
func inspect(ctx context.Context, path string) (Binary, error) {
	home, err := os.MkdirTemp("", "tidelock-version-")
	if err != nil {
		return Binary{}, fmt.Errorf("make a home for %s: %w", path, err)
	}
	defer os.RemoveAll(home)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "version")
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home, "TF_CLI_CONFIG_FILE=" + os.DevNull, "CHECKPOINT_DISABLE=1"}
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return Binary{}, errs.Wrap(errs.Invalid, err, "The Terraform binary %s can't be run.", path)
	}
	tool, version, ok := versionOf(out.String())
	if !ok {
		return Binary{}, errs.New(errs.Invalid, "%s is neither Terraform nor OpenTofu: its version is not understood.", path)
	}
	return Binary{Path: path, Tool: tool, Version: version}, nil
}

// atLeast reports whether version is major.minor or later; false where it is
// not a version.
func atLeast(version string, major, minor int) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	ma, err1 := strconv.Atoi(parts[0])
	mi, err2 := strconv.Atoi(parts[1])
	if err1 != nil || err2 != nil {
		return false
	}
	return ma > major || ma == major && mi >= minor
}

// shell sets the limits and answers for the version.
const shell = "/bin/sh"

// shellQuote quotes text that the server made, for sh.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

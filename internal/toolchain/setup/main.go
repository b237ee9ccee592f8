// Command setup gets the tools that the demo, the tests and the benches need,
// and says plainly what it found, what it built and what it left out. It is
// what "make setup" runs; running it again costs nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/toolchain"
)

func main() {
	tofu := flag.Bool("opentofu", false, "build OpenTofu even where Terraform is: the tests then run on both")
	cache := flag.String("cache", "", "folder to keep what is built (default $"+toolchain.CacheVariable+", else tidelock in the user's cache folder)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o := toolchain.Options{Cache: *cache, Progress: os.Stderr}
	if err := setup(ctx, os.Stdout, o, *tofu); err != nil {
		fmt.Fprintln(os.Stderr, "\nsetup:", errs.Sentence(err))
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func setup(ctx context.Context, w io.Writer, o toolchain.Options, wantTofu bool) error {
	row := func(tool, format string, args ...any) {
		fmt.Fprintf(w, "%-18s %s\n", tool, fmt.Sprintf(format, args...))
	}
	row("go", "%s", runtime.Version())
	if git, err := exec.LookPath("git"); err == nil {
		row("git", "%s", strings.TrimPrefix(output(ctx, git, "--version"), "git version "))
	} else {
		row("git", "not found: what pushes like a person does (demo, end-to-end tests) needs it")
	}

	tf, err := toolchain.Terraform(ctx, o)
	if err != nil {
		return err
	}
	row(tf.Name, "%s, %s", tf.Version, tf.Path)

	if tf.Name != "tofu" {
		find := toolchain.FindOpenTofu
		if wantTofu {
			find = toolchain.OpenTofu
		}
		b, err := find(ctx, o)
		switch {
		case err == nil:
			row("tofu", "%s, %s", b.Version, b.Path)
		case errs.Is(err, errs.NotFound):
			row("tofu", "not found and not needed: %s is here. To test on both: go run ./internal/toolchain/setup -opentofu", tf.Name)
		default:
			return err
		}
	}

	mirror, err := toolchain.ProviderMirror(ctx, o)
	if err != nil {
		return err
	}
	var names []string
	for _, p := range toolchain.Providers() {
		names = append(names, p.Name+" "+strings.Join(p.Versions, " and "))
	}
	row("stand-in provider", "%s, %s", strings.Join(names, ", "), mirror)

	if dir, err := postgres(); err == nil {
		row("postgresql", "%s", dir)
	} else {
		row("postgresql", "not found, skipped: the tests of the database run on SQLite alone")
	}
	return nil
}

// postgres finds the folder of PostgreSQL's server programs, which
// distributions keep off PATH.
func postgres() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb", "/opt/homebrew/opt/postgresql*/bin/initdb"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return filepath.Dir(found[len(found)-1]), nil
		}
	}
	return "", errors.New("no initdb")
}

func output(ctx context.Context, name string, args ...string) string {
	out, _ := exec.CommandContext(ctx, name, args...).Output()
	return strings.TrimSpace(string(out))
}

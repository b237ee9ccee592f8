package toolchain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// Program is a program in Go that is built from source into the cache, as a
// tool of a module of its own: its go.mod and go.sum pin every dependency by
// hash, and hold what "go install" refuses, such as replacements. They are kept
// under names that do not make their folder a module.
type Program struct {
	Title   string // as people know it; in small letters its folder in the cache
	Name    string // of the binary
	Version string // without a v
	Package string
	Tags    string
	Ldflags string
	Mod     []byte
	Sum     []byte
	Takes   string // what building takes, as a sentence
	Else    string // what can be done where it can't be built, as the end of a sentence
	// Runs reports whether the binary at path is this program.
	Runs func(ctx context.Context, path string) error
}

// Cached returns the path of the binary in the cache, errs.NotFound where it
// was not built there.
func (p Program) Cached(o Options) (string, error) {
	cache, err := o.cache()
	if err != nil {
		return "", err
	}
	if path := p.path(cache); isFile(path) {
		return path, nil
	}
	return "", errs.New(errs.NotFound, "There is no %s on PATH, and none was built.", p.Title)
}

// path is where the built binary is, or will be. What it is built from is in
// the name.
func (p Program) path(cache string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%s\n", p.flags(), p.Mod, p.Sum)
	return inCache(cache, p.folder(), p.Version, h.Sum(nil), p.Name)
}

// inCache names a file of what was made from what has this hash.
func inCache(cache, folder, version string, sum []byte, file string) string {
	key := hex.EncodeToString(sum)[:12]
	return filepath.Join(cache, folder, fmt.Sprintf("%s-%s-%s-%s", version, runtime.GOOS, runtime.GOARCH, key), file)
}

func (p Program) folder() string { return strings.ToLower(p.Title) }

func (p Program) flags() string { return strings.TrimSpace(p.Tags + " " + p.Ldflags) }

// Build builds the program into the cache, unless it is there by then, and
// returns its path. It needs go and its module proxy.
func (p Program) Build(ctx context.Context, o Options) (string, error) {
	cache, err := o.cache()
	if err != nil {
		return "", err
	}
	r := newReport(o.Progress)
	unlock, err := lock(ctx, cache, p.folder(), r)
	if err != nil {
		return "", fmt.Errorf("build %s: %w", p.Title, err)
	}
	defer unlock()
	path := p.path(cache)
	if isFile(path) && p.Runs(ctx, path) == nil { // somebody else built it while we waited
		return path, nil
	}
	goTool, err := findGo()
	if err != nil {
		return "", err
	}
	r.say("Building %s %s from source, once. %s", p.Title, p.Version, p.Takes)
	work, err := os.MkdirTemp(cache, p.folder()+"-build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	for name, text := range map[string][]byte{"go.mod": p.Mod, "go.sum": p.Sum} {
		if err := os.WriteFile(filepath.Join(work, name), text, 0o644); err != nil {
			return "", err
		}
	}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, goTool, args...)
		cmd.Dir, cmd.Env = work, goEnv()
		return cmd
	}

	fetched := 0
	list, err := r.step(command("list", "-deps", "-tags", p.Tags, p.Package), "1/3 fetching the source", func(line string) string {
		if strings.HasPrefix(line, "go: downloading ") {
			fetched++
		}
		return fmt.Sprintf("%d modules", fetched)
	})
	if err != nil {
		return "", errs.Wrap(errs.Unavailable, err, "The source of %s could not be fetched. It comes through the Go module proxy: check GOPROXY and the network, or %s.", p.Title, p.Else)
	}
	total, compiled := strings.Count(string(list), "\n"), 0
	out := filepath.Join(work, p.Name)
	if _, err := r.step(command("build", "-v", "-trimpath", "-buildvcs=false", "-tags", p.Tags, "-ldflags", p.Ldflags, "-o", out, p.Package),
		"2/3 compiling", func(line string) string {
			if !strings.HasPrefix(line, "go: ") {
				compiled++
			}
			return fmt.Sprintf("%d of at most %d packages", compiled, total)
		}); err != nil {
		return "", errs.Wrap(errs.Unavailable, err, "%s could not be compiled. %s Otherwise %s.", p.Title, p.Takes, p.Else)
	}
	if err := p.Runs(ctx, out); err != nil {
		return "", fmt.Errorf("the %s that was built does not run: %w", p.Title, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(out, path); err != nil {
		return "", err
	}
	r.say("  3/3 %s %s runs. It is kept in %s", p.Title, p.Version, path)
	return path, nil
}

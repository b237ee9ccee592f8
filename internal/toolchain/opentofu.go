package toolchain

import (
	"context"
	"crypto/sha256"
	_ "embed" // the module that pins OpenTofu
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// OpenTofuVersion is the OpenTofu that is built when there is none.
const OpenTofuVersion = "1.12.6"

// OpenTofu replaces a dependency, which "go install" refuses. So it is built
// as a tool of a module of its own. Its go.mod and go.sum, which pin every
// dependency by hash, are kept here under names that do not make this folder a
// module.
//
// To move to another version: write both into an empty folder as go.mod and
// go.sum, "go get -tool github.com/opentofu/opentofu/cmd/tofu@vX", look whether
// OpenTofu's own go.mod has other replace or godebug lines by then, copy both
// back and change OpenTofuVersion.
var (
	//go:embed opentofu/tofu.mod
	tofuMod []byte
	//go:embed opentofu/tofu.sum
	tofuSum []byte
)

const (
	tofuPackage = "github.com/opentofu/opentofu/cmd/tofu"
	// version.dev=no is what makes it a release: else it calls itself 1.12.6-dev.
	tofuLdflags = "-s -w -X github.com/opentofu/opentofu/version.dev=no"
)

// tofuPath is where the built binary is, or will be. What it is built from is
// in the name.
func tofuPath(cache string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%s\n", tofuLdflags, tofuMod, tofuSum)
	key := hex.EncodeToString(h.Sum(nil))[:12]
	return filepath.Join(cache, "opentofu", fmt.Sprintf("%s-%s-%s-%s", OpenTofuVersion, runtime.GOOS, runtime.GOARCH, key), "tofu")
}

func buildOpenTofu(ctx context.Context, o Options) (Binary, error) {
	cache, err := o.cache()
	if err != nil {
		return Binary{}, err
	}
	r := newReport(o.Progress)
	unlock, err := lock(ctx, cache, "opentofu", r)
	if err != nil {
		return Binary{}, fmt.Errorf("build OpenTofu: %w", err)
	}
	defer unlock()
	path := tofuPath(cache)
	if isFile(path) { // somebody else built it while we waited
		if b, err := find(ctx, path); err == nil {
			return b, nil
		}
	}
	goTool, err := findGo()
	if err != nil {
		return Binary{}, err
	}
	r.say("Building OpenTofu %s from source, once. It takes 3 to 5 minutes on two cores, 2 GB of memory and, in Go's own caches, about 3 GB of disk.", OpenTofuVersion)
	work, err := os.MkdirTemp(cache, "opentofu-build-")
	if err != nil {
		return Binary{}, err
	}
	defer os.RemoveAll(work)
	for name, text := range map[string][]byte{"go.mod": tofuMod, "go.sum": tofuSum} {
		if err := os.WriteFile(filepath.Join(work, name), text, 0o644); err != nil {
			return Binary{}, err
		}
	}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, goTool, args...)
		cmd.Dir, cmd.Env = work, goEnv()
		return cmd
	}

	fetched := 0
	list, err := r.step(command("list", "-deps", tofuPackage), "1/3 fetching the source", func(line string) string {
		if strings.HasPrefix(line, "go: downloading ") {
			fetched++
		}
		return fmt.Sprintf("%d modules", fetched)
	})
	if err != nil {
		return Binary{}, errs.Wrap(errs.Unavailable, err, "OpenTofu's source could not be fetched. It comes through the Go module proxy: check GOPROXY and the network, or install Terraform or OpenTofu.")
	}
	total, compiled := strings.Count(string(list), "\n"), 0
	out := filepath.Join(work, "tofu")
	if _, err := r.step(command("build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", tofuLdflags, "-o", out, tofuPackage),
		"2/3 compiling", func(line string) string {
			if !strings.HasPrefix(line, "go: ") {
				compiled++
			}
			return fmt.Sprintf("%d of at most %d packages", compiled, total)
		}); err != nil {
		return Binary{}, errs.Wrap(errs.Unavailable, err, "OpenTofu could not be compiled. It needs 2 GB of memory and some GB of disk; otherwise install Terraform or OpenTofu.")
	}
	b, err := find(ctx, out)
	if err != nil {
		return Binary{}, fmt.Errorf("the OpenTofu that was built does not run: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return Binary{}, err
	}
	if err := os.Rename(out, path); err != nil {
		return Binary{}, err
	}
	r.say("  3/3 OpenTofu %s runs. It is kept in %s", b.Version, path)
	b.Path = path
	return b, nil
}

func findGo() (string, error) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return "", errs.Wrap(errs.Unavailable, err, "Go is not on PATH. It is needed to build what is missing: see https://go.dev/doc/install.")
	}
	return goTool, nil
}

// goEnv is the caller's environment, which says where proxy and caches are,
// without what would change the meaning of a build.
func goEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		switch name, _, _ := strings.Cut(kv, "="); name {
		case "GOFLAGS", "GOWORK", "GOOS", "GOARCH", "CGO_ENABLED", "GOEXPERIMENT", "GO111MODULE":
		default:
			env = append(env, kv)
		}
	}
	return append(env, "GOFLAGS=-mod=readonly", "GOWORK=off", "CGO_ENABLED=0")
}

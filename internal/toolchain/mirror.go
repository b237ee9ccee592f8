package toolchain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

// Provider is one provider that the mirror offers.
type Provider struct {
	Name     string   // as in hashicorp/NAME
	Versions []string // all of them are the same program
}

// Providers are what ProviderMirror lays out. The versions are ones that
// configurations in the field pin; a constraint that none of them meets fails
// at init, as it does with a real mirror.
func Providers() []Provider {
	return []Provider{
		{"aws", []string{"5.100.0", "6.14.1"}},
		{"azurerm", []string{"4.50.0"}},
		{"google", []string{"6.50.0", "7.10.0"}},
	}
}

const (
	module          = "github.com/tidelock/tidelock"
	providerPackage = "cmd/terraform-provider-standin"
	// An empty build ID makes programs equal that differ in nothing else.
	providerLdflags = "-s -w -buildid="
	// unusedFor is how long a mirror may stand unused before the next build
	// clears it away.
	unusedFor = 14 * 24 * time.Hour
)

// hosts are where the two tools look for hashicorp/aws by themselves.
var hosts = []string{"registry.terraform.io", "registry.opentofu.org"}

// ProviderMirror returns a folder that holds the stand-in provider as a
// filesystem mirror of unpacked packages: HOST/hashicorp/NAME/VERSION/OS_ARCH.
// Nobody writes to it again, so that any number of inits may read it at once.
//
// It is built from Tidelock's source once per content: some seconds with a
// warm build cache, up to a minute cold. errs.Invalid says what is needed where
// there is no source.
func ProviderMirror(ctx context.Context, o Options) (string, error) {
	cache, err := o.cache()
	if err != nil {
		return "", err
	}
	goTool, err := findGo()
	if err != nil {
		return "", err
	}
	root, goVersion, err := o.source(ctx, goTool)
	if err != nil {
		return "", err
	}
	key, err := sourceKey(root, goVersion)
	if err != nil {
		return "", err
	}
	// The source's key leads to a mirror, which is named after the program in
	// it: changes that do not change the program give the same mirror.
	known := filepath.Join(cache, "providers", "by-source", key)
	if dir, ok := knownMirror(cache, known); ok {
		return dir, nil
	}
	r := newReport(o.Progress)
	unlock, err := lock(ctx, cache, "providers", r)
	if err != nil {
		return "", fmt.Errorf("build the stand-in provider: %w", err)
	}
	defer unlock()
	if dir, ok := knownMirror(cache, known); ok { // built while we waited
		return dir, nil
	}
	work, err := os.MkdirTemp(cache, "providers-build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	program := filepath.Join(work, "provider")
	cmd := exec.CommandContext(ctx, goTool, "build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", providerLdflags, "-o", program, "./"+providerPackage)
	cmd.Dir, cmd.Env = root, goEnv()
	compiled := 0
	if _, err := r.step(cmd, "building the stand-in provider", func(line string) string {
		if !strings.HasPrefix(line, "go: ") {
			compiled++
		}
		return fmt.Sprintf("%d packages", compiled)
	}); err != nil {
		return "", errs.Wrap(errs.Unavailable, err, "The stand-in provider could not be built from source.")
	}
	sum, err := fileHash(program)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "providers", sum[:24])
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		laid := filepath.Join(work, "mirror")
		if err := layOut(program, laid); err != nil {
			return "", err
		}
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			return "", err
		}
		if err := os.Rename(laid, dir); err != nil {
			return "", err
		}
	}
	if err := remember(known, filepath.Base(dir)); err != nil {
		return "", err
	}
	clearUnused(cache, filepath.Base(dir), time.Now())
	return dir, nil
}

// knownMirror follows the note that an earlier build left.
func knownMirror(cache, note string) (string, bool) {
	name, err := os.ReadFile(note)
	if err != nil {
		return "", false
	}
	dir := filepath.Join(cache, "providers", filepath.Base(string(name)))
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", false
	}
	now := time.Now()
	_ = os.Chtimes(dir, now, now) // it is in use; not to know that costs a rebuild, no more
	return dir, true
}

func remember(note, name string) error {
	if err := os.MkdirAll(filepath.Dir(note), 0o755); err != nil {
		return err
	}
	tmp := fmt.Sprintf("%s.%d", note, os.Getpid())
	if err := os.WriteFile(tmp, []byte(name), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, note)
}

// clearUnused removes mirrors that nobody has asked for in a long time, and
// the notes that lead to nothing. What it cannot remove stays for the next.
func clearUnused(cache, keep string, now time.Time) {
	dirs, _ := os.ReadDir(filepath.Join(cache, "providers"))
	for _, d := range dirs {
		info, err := d.Info()
		if err != nil || d.Name() == keep || d.Name() == "by-source" || now.Sub(info.ModTime()) < unusedFor {
			continue
		}
		_ = os.RemoveAll(filepath.Join(cache, "providers", d.Name()))
	}
	notes, _ := filepath.Glob(filepath.Join(cache, "providers", "by-source", "*"))
	for _, note := range notes {
		name, err := os.ReadFile(note)
		if err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(cache, "providers", filepath.Base(string(name)))); errors.Is(err, fs.ErrNotExist) {
			_ = os.Remove(note)
		}
	}
}

// layOut writes a mirror in which one program stands under every name. The
// names are hard links, where the file system has them.
func layOut(program, mirror string) error {
	if err := os.Chmod(program, 0o555); err != nil {
		return err
	}
	platform := runtime.GOOS + "_" + runtime.GOARCH
	for _, host := range hosts {
		for _, p := range Providers() {
			for _, v := range p.Versions {
				dir := filepath.Join(mirror, host, "hashicorp", p.Name, v, platform)
				if err := os.MkdirAll(dir, 0o755); err != nil {
					return err
				}
				name := filepath.Join(dir, fmt.Sprintf("terraform-provider-%s_v%s", p.Name, v))
				if err := os.Link(program, name); err != nil {
					if err := copyFile(program, name); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o555)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// source finds Tidelock's source and asks go for its version.
func (o Options) source(ctx context.Context, goTool string) (root, goVersion string, err error) {
	cmd := exec.CommandContext(ctx, goTool, "env", "GOVERSION", "GOMOD")
	cmd.Env = goEnv()
	if o.Source != "" {
		cmd.Dir = o.Source
	}
	out, err := cmd.Output()
	if err != nil {
		return "", "", fmt.Errorf("go env: %w", err)
	}
	goVersion, mod, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	roots := []string{filepath.Dir(mod)}
	if o.Source == "" {
		if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
			roots = append(roots, filepath.Dir(filepath.Dir(filepath.Dir(file))))
		}
	}
	for _, root := range roots {
		if isTidelock(root) {
			return root, goVersion, nil
		}
	}
	return "", "", errs.New(errs.Invalid, "The stand-in provider is built from Tidelock's source, which is not here. Run this inside a clone of %s.", module)
}

// isTidelock says whether a folder is the root of this module, provider
// included.
func isTidelock(root string) bool {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return false
	}
	return slices.Contains(strings.Split(string(text), "\n"), "module "+module) &&
		isFile(filepath.Join(root, filepath.FromSlash(providerPackage), "main.go"))
}

// sourceKey names what decides the program: the compiler, the pinned
// dependencies and the provider's own files. The provider imports no other
// package of ours, and a test holds it to that.
func sourceKey(root, goVersion string) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %s %s %v\n", goVersion, runtime.GOOS, runtime.GOARCH, providerLdflags, Providers())
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(providerPackage), "*.go"))
	if err != nil {
		return "", err
	}
	files = append(files, filepath.Join(root, "go.mod"), filepath.Join(root, "go.sum"))
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		sum, err := fileHash(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %s\n", filepath.Base(f), sum)
	}
	return hex.EncodeToString(h.Sum(nil))[:24], nil
}

func fileHash(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

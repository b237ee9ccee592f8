package toolchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/modfile"

	"github.com/tidelock/tidelock/internal/errs"
)

// program writes an executable script that answers "version" like this.
func program(t *testing.T, dir, name, says string, code int) string {
	t.Helper()
	path := filepath.Join(dir, name)
	text := fmt.Sprintf("#!/bin/sh\ncat <<'EOF'\n%s\nEOF\nexit %d\n", says, code)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// machine makes a machine whose PATH holds these programs and nothing of
// Terraform's; it returns where they are.
func machine(t *testing.T, programs map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, says := range programs {
		program(t, dir, name, says, 0)
	}
	for _, needed := range []string{"sh", "cat"} {
		path, err := exec.LookPath(needed)
		if err != nil {
			t.Skipf("no %s here", needed)
		}
		if err := os.Symlink(path, filepath.Join(dir, needed)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Setenv(BinaryVariable, "")
	t.Setenv(CacheVariable, t.TempDir())
	return dir
}

const (
	terraform111 = "Terraform v1.11.4\non linux_amd64"
	terraform10  = "Terraform v1.0.2\non linux_amd64\n\nYour version of Terraform is out of date!"
	tofu112      = "OpenTofu v1.12.6\non linux_amd64"
)

func TestWhichBinary(t *testing.T) {
	for _, c := range []struct {
		name     string
		programs map[string]string
		asked    string // TIDELOCK_TERRAFORM
		cached   bool   // an OpenTofu was built before
		want     string // name and version
		says     string // what Progress is told
	}{
		{"terraform first", map[string]string{"terraform": terraform111, "tofu": tofu112}, "", false, "terraform 1.11.4", ""},
		{"tofu alone", map[string]string{"tofu": tofu112}, "", false, "tofu 1.12.6", ""},
		{"an old terraform", map[string]string{"terraform": terraform10, "tofu": tofu112}, "", false, "tofu 1.12.6", "Terraform 1.0.2 is older than 1.5.0"},
		{"something else called terraform", map[string]string{"terraform": "No version is set", "tofu": tofu112}, "", false, "tofu 1.12.6", "passed over"},
		{"asked by name", map[string]string{"terraform": terraform111, "tofu": tofu112}, "tofu", false, "tofu 1.12.6", ""},
		{"the cache", nil, "", true, "tofu 1.12.6", ""},
		{"PATH before the cache", map[string]string{"terraform": terraform111}, "", true, "terraform 1.11.4", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			machine(t, c.programs)
			t.Setenv(BinaryVariable, c.asked)
			if c.cached {
				program(t, filepath.Dir(tofu.path(os.Getenv(CacheVariable))), "tofu", tofu112, 0)
			}
			var progress bytes.Buffer
			b, err := Terraform(context.Background(), Options{Progress: &progress})
			if err != nil {
				t.Fatal(err)
			}
			if got := b.Name + " " + b.Version; got != c.want || !filepath.IsAbs(b.Path) {
				t.Errorf("got %s at %s, want %s", got, b.Path, c.want)
			}
			if !strings.Contains(progress.String(), c.says) || c.says == "" && progress.Len() > 0 {
				t.Errorf("progress is told %q, want %q", progress.String(), c.says)
			}
		})
	}
}

func TestAskedBinaryMustWork(t *testing.T) {
	dir := machine(t, map[string]string{"terraform": terraform111, "old": terraform10})
	for _, asked := range []string{"nowhere", filepath.Join(dir, "old"), program(t, dir, "broken", "", 3)} {
		t.Setenv(BinaryVariable, asked)
		_, err := Terraform(context.Background(), Options{})
		if !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), asked) {
			t.Errorf("%s=%s: %v", BinaryVariable, asked, err)
		}
	}
}

// On a machine with neither tool nor Go there is a sentence that says what to do.
func TestNothingToBuildWith(t *testing.T) {
	machine(t, nil)
	if _, err := FindOpenTofu(context.Background(), Options{}); !errs.Is(err, errs.NotFound) {
		t.Errorf("FindOpenTofu: %v", err)
	}
	if _, err := Terraform(context.Background(), Options{}); !strings.Contains(errs.Sentence(err), "Go is not on PATH") {
		t.Errorf("Terraform: %v", err)
	}
	if _, err := ProviderMirror(context.Background(), Options{}); !strings.Contains(errs.Sentence(err), "Go is not on PATH") {
		t.Errorf("ProviderMirror: %v", err)
	}
}

// The pinned module is whole and of the version that it is said to be.
func TestOpenTofuIsPinned(t *testing.T) {
	mod, err := modfile.Parse("go.mod", tofuMod, nil)
	if err != nil {
		t.Fatal(err)
	}
	pinned := map[string]string{}
	for _, r := range mod.Require {
		pinned[r.Mod.Path] = r.Mod.Version
	}
	if got := pinned["github.com/opentofu/opentofu"]; got != "v"+OpenTofuVersion {
		t.Errorf("go.mod pins OpenTofu %s, the code says %s", got, OpenTofuVersion)
	}
	if len(mod.Tool) != 1 || mod.Tool[0].Path != tofu.Package {
		t.Errorf("its tools are %v", mod.Tool)
	}
	sums := string(tofuSum)
	for path, v := range pinned {
		if strings.Contains(string(tofuMod), "replace "+path+" "+v) {
			continue
		}
		if !strings.Contains(sums, path+" "+v+"/go.mod h1:") {
			t.Errorf("no hash for %s %s", path, v)
		}
	}
}

// source copies what the stand-in provider is built from, so that nobody
// edits it meanwhile.
func source(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	for _, pattern := range []string{"go.mod", "go.sum", providerPackage + "/*.go"} {
		files, _ := filepath.Glob(filepath.Join(root, pattern))
		for _, f := range files {
			rel, _ := filepath.Rel(root, f)
			if err := os.MkdirAll(filepath.Dir(filepath.Join(copied, rel)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := copyFile(f, filepath.Join(copied, rel)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return copied
}

// Many ask at once for what is not there: one builds, all get the same.
func TestMirrorIsBuiltOnce(t *testing.T) {
	o := Options{Cache: t.TempDir(), Source: source(t)}
	const n = 6
	dirs := make([]string, n)
	logs := make([]bytes.Buffer, n)
	var wg sync.WaitGroup
	for i := range dirs {
		wg.Go(func() {
			mine := o
			mine.Progress = &logs[i]
			var err error
			if dirs[i], err = ProviderMirror(context.Background(), mine); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	builds := 0
	for i := range dirs {
		if dirs[i] != dirs[0] {
			t.Errorf("two mirrors: %s and %s", dirs[i], dirs[0])
		}
		if strings.Contains(logs[i].String(), "building the stand-in provider") {
			builds++
		}
	}
	if builds != 1 {
		t.Errorf("it was built %d times, want once", builds)
	}
	for _, host := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		for _, p := range Providers() {
			for _, v := range p.Versions {
				found, _ := filepath.Glob(filepath.Join(dirs[0], host, "hashicorp", p.Name, v, "*_*", "terraform-provider-"+p.Name+"_v"+v))
				if len(found) != 1 {
					t.Errorf("%s/hashicorp/%s %s: %v", host, p.Name, v, found)
				}
			}
		}
	}
	if left, _ := filepath.Glob(filepath.Join(o.Cache, "*-build-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A source that changes without changing the program leads to the same mirror;
// one that changes the program to another.
func TestMirrorFollowsTheSource(t *testing.T) {
	copied := source(t)
	o := Options{Cache: t.TempDir(), Source: copied}
	build := func() string {
		t.Helper()
		dir, err := ProviderMirror(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
	first := build()
	add := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(copied, providerPackage, "extra.go"), []byte("package main\n"+text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	add("// a comment\n")
	if again := build(); again != first {
		t.Error("a comment made another mirror")
	}
	add("func init() { println(\"changed\") }\n")
	if again := build(); again == first {
		t.Error("another program, and the mirror is the old one")
	}
}

func TestNoSource(t *testing.T) {
	goTool, err := findGo()
	if err != nil {
		t.Skip("no go here")
	}
	elsewhere := t.TempDir()
	if _, _, err := (Options{Source: elsewhere}).source(context.Background(), goTool); !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), "clone") {
		t.Errorf("in a folder without source: %v", err)
	}
}

// What nobody has asked for in a fortnight goes; what is in use stays.
func TestClearUnused(t *testing.T) {
	cache := t.TempDir()
	now := time.Now()
	for name, age := range map[string]time.Duration{"old": 15 * 24 * time.Hour, "recent": time.Hour, "kept": 99 * 24 * time.Hour} {
		dir := filepath.Join(cache, "providers", name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
		if err := remember(filepath.Join(cache, "providers", "by-source", "to-"+name), name); err != nil {
			t.Fatal(err)
		}
	}
	clearUnused(cache, "kept", now)
	for path, want := range map[string]bool{"old": false, "recent": true, "kept": true, "by-source/to-old": false, "by-source/to-recent": true} {
		_, err := os.Stat(filepath.Join(cache, "providers", path))
		if got := err == nil; got != want {
			t.Errorf("%s is there: %v, want %v", path, got, want)
		}
	}
}

func TestLockWaitsAndSaysSo(t *testing.T) {
	cache := t.TempDir()
	var log bytes.Buffer
	unlock, err := lock(context.Background(), cache, "x", newReport(nil))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := lock(ctx, cache, "x", newReport(&log)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a lock that is held was given: %v", err)
	}
	if !strings.Contains(log.String(), "another process") {
		t.Errorf("it says %q", log.String())
	}
	unlock()
	again, err := lock(context.Background(), cache, "x", newReport(nil))
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestReport(t *testing.T) {
	var out bytes.Buffer
	r := newReport(&out)
	count := 0
	stdout, err := r.step(exec.Command("sh", "-c", "echo result; echo one >&2; printf two >&2"), "counting", func(string) string {
		count++
		return fmt.Sprintf("%d lines", count)
	})
	if err != nil || string(stdout) != "result\n" {
		t.Fatalf("%q, %v", stdout, err)
	}
	if got := out.String(); !strings.Contains(got, "counting · 0s · 2 lines\n") {
		t.Errorf("it says %q", got)
	}
	_, err = r.step(exec.Command("sh", "-c", "echo why >&2; exit 1"), "failing", func(string) string { return "" })
	if err == nil || !strings.Contains(err.Error(), "why") {
		t.Errorf("the error does not say why: %v", err)
	}
}

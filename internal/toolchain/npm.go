package toolchain

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// Package is a program in JavaScript that npm installs into the cache. The lock
// file pins every dependency by hash.
type Package struct {
	Title   string // as people know it
	Name    string // its folder in the cache
	Version string
	Command string // of its commands the one that is meant
	Wants   []byte // package.json
	Lock    []byte // package-lock.json
	Takes   string // what installing takes, as a sentence
}

// path is where the command is, or will be.
func (p Package) path(cache string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n", p.Wants, p.Lock)
	return inCache(cache, p.Name, p.Version, h.Sum(nil), filepath.Join("node_modules", ".bin", p.Command))
}

// Cached returns the path of the command in the cache, errs.NotFound where it
// was not installed there or there is no Node.js to run it.
func (p Package) Cached(o Options) (string, error) {
	cache, err := o.cache()
	if err != nil {
		return "", err
	}
	if _, err := exec.LookPath("node"); err != nil {
		return "", errs.Wrap(errs.NotFound, err, "There is no Node.js here, which runs %s.", p.Title)
	}
	if path := p.path(cache); isFile(path) {
		return path, nil
	}
	return "", errs.New(errs.NotFound, "There is no %s on PATH, and none was installed.", p.Title)
}

// Build installs the program into the cache, unless it is there by then, and
// returns the path of its command. It needs node and npm, and the registry that
// npm is set to; no script of any package runs. errs.NotFound where there is no
// node or npm.
func (p Package) Build(ctx context.Context, o Options) (string, error) {
	cache, err := o.cache()
	if err != nil {
		return "", err
	}
	r := newReport(o.Progress)
	unlock, err := lock(ctx, cache, p.Name, r)
	if err != nil {
		return "", fmt.Errorf("install %s: %w", p.Title, err)
	}
	defer unlock()
	path := p.path(cache)
	if isFile(path) { // somebody else installed it while we waited
		return path, nil
	}
	var npm string
	for _, needed := range []string{"node", "npm"} {
		if npm, err = exec.LookPath(needed); err != nil {
			return "", errs.Wrap(errs.NotFound, err, "%s needs Node.js and npm, and there is no %s here.", p.Title, needed)
		}
	}
	r.say("Installing %s %s with npm, once. %s", p.Title, p.Version, p.Takes)
	work, err := os.MkdirTemp(cache, p.Name+"-build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	for name, text := range map[string][]byte{"package.json": p.Wants, "package-lock.json": p.Lock} {
		if err := os.WriteFile(filepath.Join(work, name), text, 0o644); err != nil {
			return "", err
		}
	}
	fetched := 0
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=http")
	cmd.Dir = work
	if _, err := r.step(cmd, "fetching and unpacking", func(line string) string {
		if strings.Contains(line, " fetch ") {
			fetched++
		}
		return fmt.Sprintf("%d files", fetched)
	}); err != nil {
		return "", errs.Wrap(errs.Unavailable, err, "%s could not be installed. It comes through npm: check npm's registry and the network, or install %s so that %s is on PATH.", p.Title, p.Title, p.Command)
	}
	dir := filepath.Dir(filepath.Dir(filepath.Dir(path))) // of node_modules
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(filepath.Dir(dir), 0o755)); err != nil {
		return "", err
	}
	if err := os.Rename(work, dir); err != nil {
		return "", err
	}
	if !isFile(path) {
		return "", fmt.Errorf("install %s: there is no %s in what was installed", p.Title, p.Command)
	}
	r.say("  %s %s is kept in %s", p.Title, p.Version, dir)
	return path, nil
}

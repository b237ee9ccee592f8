// Package servers gets the real servers that tests of Tidelock speak with
// besides the stand-ins: HashiCorp Vault, an S3 server, and Azurite, which is
// Azure's blob storage on one's own machine.
//
// What is on PATH is used. `make servers` gets what is missing into the cache
// folder, pinned by hash: Vault and the S3 server from source through the Go
// module proxy, Azurite through npm. No test gets anything by itself: it skips,
// and says how to get it.
//
// Nothing of it is passed on or runs in production. It stands apart from
// package toolchain so that its pins are in no program but those of tests.
package servers

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/toolchain"
)

// Server is a server that tests can start.
type Server struct {
	Title   string // as people know it
	Command string // its name on PATH
	For     string // what is tested on it
	made    maker
}

// maker gets a server into the cache.
type maker interface {
	Cached(o toolchain.Options) (string, error)
	Build(ctx context.Context, o toolchain.Options) (string, error)
}

// The servers. To move one to another version: for Vault and the S3 server
// write the new version into an empty folder's go.mod, as the one here has it,
// "go list -mod=mod -deps" its package with the tags below, and copy go.mod and
// go.sum back; for Azurite change package.json and
// "npm install --omit-lockfile-registry-resolved", so that the lock file names
// no host.
var (
	Vault = Server{"Vault", "vault", "keys in Vault's transit engine", toolchain.Program{
		Title: "Vault", Name: "vault", Version: "1.21.0",
		Package: "github.com/hashicorp/vault",
		Tags:    "minimal", // without the plugins for clouds and databases
		Ldflags: "-s -w",
		Mod:     pin("vault.mod"), Sum: pin("vault.sum"),
		Takes: "It takes 5 to 10 minutes on two cores, 2.5 GB of memory and, in Go's own caches, about 3 GB of disk.",
		Else:  "install Vault",
		Runs:  says("-version", "Vault v1.21.0"),
	}}
	S3 = Server{"versitygw", "versitygw", "blobs, replicas and Terraform's own backend in S3", toolchain.Program{
		Title: "versitygw", Name: "versitygw", Version: "1.8.0",
		Package: "github.com/versity/versitygw/cmd/versitygw",
		Ldflags: "-s -w -X main.Version=v1.8.0",
		Mod:     pin("versitygw.mod"), Sum: pin("versitygw.sum"),
		Takes: "It takes 1 to 3 minutes on two cores.",
		Else:  "install the Versity S3 Gateway",
		Runs:  says("--version", "v1.8.0"),
	}}
	Azurite = Server{"Azurite", "azurite-blob", "blobs and replicas in Azure", toolchain.Package{
		Title: "Azurite", Name: "azurite", Version: "3.37.0",
		Command: "azurite-blob",
		Wants:   pin("azurite/package.json"), Lock: pin("azurite/package-lock.json"),
		Takes: "It takes about a minute and 370 MB of disk.",
	}}
)

// All returns the servers.
func All() []Server { return []Server{Vault, S3, Azurite} }

//go:embed vault.mod vault.sum versitygw.mod versitygw.sum azurite
var pins embed.FS

func pin(name string) []byte {
	text, err := pins.ReadFile(name)
	if err != nil {
		panic(err) // it is compiled in
	}
	return text
}

// says returns a check that a program, asked for its version, answers so.
func says(flag, want string) func(context.Context, string) error {
	return func(ctx context.Context, path string) error {
		out, err := exec.CommandContext(ctx, path, flag).CombinedOutput()
		if err == nil && !strings.Contains(string(out), want) {
			err = errors.New("it is another version")
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w: %s", path, flag, err, strings.TrimSpace(string(out)))
		}
		return nil
	}
}

// Find returns the path of the server on PATH, else of the one in the cache,
// errs.NotFound where there is none.
func (s Server) Find(o toolchain.Options) (string, error) {
	if path, err := exec.LookPath(s.Command); err == nil {
		return filepath.Abs(path)
	}
	path, err := s.made.Cached(o)
	if errs.Is(err, errs.NotFound) {
		return "", errs.Wrap(errs.NotFound, err, "%s is neither on PATH nor was it made: `make servers` gets it. What it would test: %s.", s.Title, s.For)
	}
	return path, err
}

// Get is Find, and gets the server into the cache where there is none.
func (s Server) Get(ctx context.Context, o toolchain.Options) (string, error) {
	path, err := s.Find(o)
	if !errs.Is(err, errs.NotFound) {
		return path, err
	}
	return s.made.Build(ctx, o)
}

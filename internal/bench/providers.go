package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidelock/tidelock/internal/providers"
	"github.com/tidelock/tidelock/internal/providers/providerstest"
	"github.com/tidelock/tidelock/internal/toolchain"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// manyInits is how many runs begin at once.
const manyInits = 20

// benchProviders has twenty projects initialised at once, which all need one
// provider: by the store, that is empty at first, and by bare Terraform from
// the same server of packages and from a folder of the same archive.
func benchProviders(ctx context.Context, b *bench) error {
	server, version, err := standInServer(b.tools.mirror)
	if err != nil {
		return err
	}
	defer server.Close()
	p := &providerBench{tools: b.tools, server: server, version: version, ca: filepath.Join(b.tools.dir, "providers-ca.pem")}
	if err := os.WriteFile(p.ca, server.CA(), 0o600); err != nil {
		return err
	}
	var store, warm, network, packed []float64
	var byStore, byBare int // downloads, the most of one round
	for range 3 {
		dir, err := os.MkdirTemp(b.tools.dir, "providers-")
		if err != nil {
			return err
		}
		before := server.Downloads()
		s, err := p.openStore(dir)
		if err != nil {
			return err
		}
		took, err := p.prepared(ctx, dir, s)
		if err != nil {
			return err
		}
		store = append(store, took)
		if took, err = p.prepared(ctx, dir, s); err != nil {
			return err
		}
		warm = append(warm, took)
		byStore = max(byStore, server.Downloads()-before)
		before = server.Downloads()
		if took, err = p.bare(ctx, dir, p.networkMirror()); err != nil {
			return err
		}
		network = append(network, took)
		byBare = max(byBare, server.Downloads()-before)
		folder, err := p.packedMirror(dir)
		if err != nil {
			return err
		}
		if took, err = p.bare(ctx, dir, tfrun.CLIConfig(folder, false)); err != nil {
			return err
		}
		packed = append(packed, took)
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	name := fmt.Sprintf("%d inits at once: ", manyInits)
	for _, row := range []struct {
		name, unit string
		value      float64
	}{
		{"through the store, empty at first", "s", median(store)}, {"through the store, warm", "s", median(warm)},
		{"bare, from the same server", "s", median(network)}, {"bare, from a folder of the archive", "s", median(packed)},
		{"the store against bare from the same server", "×", median(store) / median(network)},
		{"the store against bare from a folder of the archive", "×", median(store) / median(packed)},
		{"downloads by bare Terraform", "", float64(byBare)},
	} {
		if err := b.note(name+row.name, row.value, row.unit); err != nil {
			return err
		}
	}
	return b.aim(name+"downloads through the store", float64(byStore), "", 1)
}

// providerBench is what the ways to initialise have in common.
type providerBench struct {
	tools   *tools
	server  *providerstest.Registry
	version string
	ca      string // the file that vouches for the server
}

// provider is what the projects need, by the name of the tool's own registry.
func (p *providerBench) provider() string {
	if p.tools.terraform.Name == planner.ToolOpenTofu {
		return "registry.opentofu.org/hashicorp/aws"
	}
	return "registry.terraform.io/hashicorp/aws"
}

// standInServer publishes the stand-in provider.
func standInServer(mirror string) (*providerstest.Registry, string, error) {
	version := ""
	for _, known := range toolchain.Providers() {
		if known.Name == "aws" {
			version = known.Versions[0]
		}
	}
	platform := runtime.GOOS + "_" + runtime.GOARCH
	archive, err := providerstest.ZipFolder(filepath.Join(mirror, "registry.terraform.io", "hashicorp", "aws", version, platform))
	if err != nil {
		return nil, "", err
	}
	server, err := providerstest.Start()
	if err != nil {
		return nil, "", err
	}
	for _, host := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		server.Add(host+"/hashicorp/aws", version, archive, platform)
	}
	return server, version, nil
}

func (p *providerBench) openStore(dir string) (*providers.Store, error) {
	return providers.Open(providers.Options{Dir: filepath.Join(dir, "store"), NetworkMirror: p.server.URL() + "/mirror/", RootCAs: p.server.Roots()})
}

// project writes a project that needs the provider.
func (p *providerBench) project(dir string) (string, error) {
	project, err := os.MkdirTemp(dir, "project-")
	if err != nil {
		return "", err
	}
	return project, os.WriteFile(filepath.Join(project, "main.tf"), fmt.Appendf(nil, "terraform {\n  required_providers {\n    aws = {\n      source  = \"hashicorp/aws\"\n      version = %q\n    }\n  }\n}\n", p.version), 0o600)
}

// all runs one thing for each of twenty new projects at once, and returns the
// seconds until the last is done.
func (p *providerBench) all(ctx context.Context, dir string, one func(ctx context.Context, project string) error) (float64, error) {
	var projects []string
	for range manyInits {
		project, err := p.project(dir)
		if err != nil {
			return 0, err
		}
		projects = append(projects, project)
	}
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for _, project := range projects {
		group.Go(func() error { return one(ctx, project) })
	}
	err := group.Wait()
	return time.Since(start).Seconds(), err
}

// prepared initialises as the server does.
func (p *providerBench) prepared(ctx context.Context, dir string, s *providers.Store) (float64, error) {
	return p.all(ctx, dir, func(ctx context.Context, project string) error {
		root, err := os.OpenRoot(project)
		if err != nil {
			return err
		}
		defer root.Close()
		got, err := s.Prepare(ctx, providers.Request{Root: root.FS(), Project: planner.Project{Dir: "."}, Tool: p.tools.terraform.Name})
		if err != nil {
			return err
		}
		return p.init(ctx, project, got.CLIConfig)
	})
}

// bare initialises with a CLI configuration alone.
func (p *providerBench) bare(ctx context.Context, dir string, config []byte) (float64, error) {
	file := filepath.Join(dir, "bare.tfrc")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return 0, err
	}
	return p.all(ctx, dir, func(ctx context.Context, project string) error { return p.init(ctx, project, file) })
}

func (p *providerBench) networkMirror() []byte {
	return fmt.Appendf(nil, "disable_checkpoint = true\nprovider_installation {\n  network_mirror {\n    url = %q\n  }\n}\n", p.server.URL()+"/mirror/")
}

// packedMirror lays the archive out as a filesystem mirror, as `terraform
// providers mirror` does.
func (p *providerBench) packedMirror(dir string) (string, error) {
	platform := runtime.GOOS + "_" + runtime.GOARCH
	from := filepath.Join(p.tools.mirror, "registry.terraform.io", "hashicorp", "aws", p.version, platform)
	archive, err := providerstest.ZipFolder(from)
	if err != nil {
		return "", err
	}
	mirror := filepath.Join(dir, "packed")
	file := filepath.Join(mirror, filepath.FromSlash(p.provider()), fmt.Sprintf("terraform-provider-aws_%s_%s.zip", p.version, platform))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	return mirror, os.WriteFile(file, archive, 0o600)
}

func (p *providerBench) init(ctx context.Context, project, config string) error {
	t := *p.tools
	t.cliConfig = config
	return t.command(ctx, &meter{}, project, "env", "SSL_CERT_FILE="+p.ca, p.tools.terraform.Path, "init", "-input=false", "-no-color")
}

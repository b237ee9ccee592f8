package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/internal/binaries"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// ToolsConfig says which versions of Terraform and OpenTofu there are beside
// the server's own, and whether more may be fetched.
type ToolsConfig struct {
	Tool                string   // terraform | tofu; "" is what the server's own is
	Dirs                []string // absolute paths of folders with installed versions
	Download            bool
	ReleasesURL         string // "" is HashiCorp's
	OpenTofuReleasesURL string // "" is OpenTofu's
}

// toolsDir keeps what is downloaded; "" while there is no data folder.
func (c Config) toolsDir() string {
	if c.DataDir == "" {
		return ""
	}
	return filepath.Join(c.DataDir, "tools")
}

// tools returns the store of Terraforms and OpenTofus.
func (c Config) tools(ctx context.Context, log *slog.Logger) (*binaries.Store, error) {
	o, err := c.toolsOptions(ctx)
	if err != nil {
		return nil, err
	}
	o.Log = log
	return binaries.Open(o), nil
}

// toolsOptions looks for the server's own binary. A server without one is as
// good as any, where it has others or may fetch them.
func (c Config) toolsOptions(ctx context.Context) (binaries.Options, error) {
	own, err := ownTool(ctx, c.Terraform.Binary)
	if err != nil && !c.doesWithoutOwnTool(err) {
		return binaries.Options{}, err
	}
	t := c.Terraform.Tools
	return binaries.Options{
		Default: own, Tool: t.Tool, Dirs: t.Dirs, Dir: c.toolsDir(), Download: t.Download,
		TerraformURL: t.ReleasesURL, OpenTofuURL: t.OpenTofuReleasesURL,
	}, nil
}

// doesWithoutOwnTool reports whether the error of looking for the server's own
// binary keeps no project from having one.
func (c Config) doesWithoutOwnTool(err error) bool {
	return c.Terraform.Binary == "" && errs.Is(err, errs.NotFound) && (c.Terraform.Tools.Download || len(c.Terraform.Tools.Dirs) > 0)
}

// ownTool finds the server's own binary.
func ownTool(ctx context.Context, configured string) (binaries.Binary, error) {
	b, err := tfrun.FindBinary(ctx, configured)
	if err != nil {
		return binaries.Binary{}, err
	}
	name := planner.ToolTerraform
	if b.Tool == "OpenTofu" {
		name = planner.ToolOpenTofu
	}
	return binaries.Binary{Name: name, Version: b.Version, Path: b.Path}, nil
}

// checkReleasesURL checks the address of a mirror.
func checkReleasesURL(get func(c *Config) string) func(c *Config) string {
	return func(c *Config) string {
		if problem := checkURL(get(c), "https://mirror.example.com/releases"); problem != "" {
			return problem
		}
		if !strings.HasPrefix(get(c), "https://") {
			return "must begin with https:// : nothing is fetched without TLS."
		}
		return ""
	}
}

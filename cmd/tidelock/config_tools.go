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

// toolsDir keeps what is downloaded.
func (c Config) toolsDir() string { return filepath.Join(c.DataDir, "tools") }

// tools returns the store of Terraforms and OpenTofus. A server without one of
// its own is as good as any, where it has others or may fetch them.
func (c Config) tools(ctx context.Context, log *slog.Logger) (*binaries.Store, error) {
	t := c.Terraform.Tools
	own, err := ownTool(ctx, c.Terraform.Binary)
	if err != nil && (c.Terraform.Binary != "" || !errs.Is(err, errs.NotFound) || !t.Download && len(t.Dirs) == 0) {
		return nil, err
	}
	return binaries.Open(binaries.Options{
		Default: own, Tool: t.Tool, Dirs: t.Dirs, Dir: c.toolsDir(), Download: t.Download,
		TerraformURL: t.ReleasesURL, OpenTofuURL: t.OpenTofuReleasesURL, Log: log,
	}), nil
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

package parts

import (
	"context"
	"log/slog"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/binaries"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// Tools returns the store of Terraforms and OpenTofus.
func Tools(ctx context.Context, c config.Config, log *slog.Logger) (*binaries.Store, error) {
	o, err := ToolsOptions(ctx, c)
	if err != nil {
		return nil, err
	}
	o.Log = log
	return binaries.Open(o), nil
}

// ToolsOptions looks for the server's own binary. A server without one is as
// good as any, where it has others or may fetch them.
func ToolsOptions(ctx context.Context, c config.Config) (binaries.Options, error) {
	own, err := ownTool(ctx, c.Terraform.Binary)
	if err != nil && !DoesWithoutOwnTool(c, err) {
		return binaries.Options{}, err
	}
	t := c.Terraform.Tools
	return binaries.Options{
		Default: own, Tool: t.Tool, Dirs: t.Dirs, Dir: c.ToolsDir(), Download: t.Download,
		TerraformURL: t.ReleasesURL, OpenTofuURL: t.OpenTofuReleasesURL,
	}, nil
}

// DoesWithoutOwnTool reports whether the error of looking for the server's own
// binary keeps no project from having one.
func DoesWithoutOwnTool(c config.Config, err error) bool {
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

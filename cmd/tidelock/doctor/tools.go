package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/binaries"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// checkTools looks at the versions of Terraform and OpenTofu that stand beside
// the server's own.
func checkTools(ctx context.Context, c *Clinic) Diagnosis {
	t := c.config.Terraform.Tools
	if c.problems.Of("terraform.tools_dirs", "terraform.releases_url", "terraform.opentofu_releases_url", "data_dir") != nil {
		return skip("their settings are not right, see configuration")
	}
	for _, dir := range t.Dirs {
		if _, err := os.ReadDir(dir); err != nil {
			return fail("correct terraform.tools_dirs, or let the server's user read the folder", "a folder of terraform.tools_dirs can't be read: %v", err)
		}
	}
	// Without the server's own, which the check terraform runs.
	all, err := binaries.Open(binaries.Options{Dirs: t.Dirs, Dir: c.config.ToolsDir(), Log: slog.New(slog.DiscardHandler)}).Installed(ctx)
	if err != nil {
		return fail("", "the folders could not be looked through: %v", err)
	}
	var names, problems []string
	for _, i := range all {
		if i.Problem != "" {
			problems = append(problems, fmt.Sprintf("%s: %s", i.Path, i.Problem))
			continue
		}
		names = append(names, i.String())
	}
	others := "others are not to be had, since terraform.download is off"
	if t.Download {
		others = "others are downloaded when a project asks for them"
	}
	there := "none beside the server's own"
	if len(names) > 0 {
		there = strings.Join(names, ", ")
	}
	if len(problems) > 0 {
		return warn("delete them, or put them right", "%s; %s; passed over:\n%s", there, others, strings.Join(problems, "\n"))
	}
	if t.Download && c.config.DataDir != "" {
		dir := existingParent(filepath.Join(c.config.ToolsDir(), "terraform"))
		if err := parts.TryWriting(dir); err != nil {
			return fail("give it to the server's user, or turn terraform.download off", "what is downloaded can't be written to %s: %v", dir, err)
		}
	}
	return ok("%s; %s", there, others)
}

func checkTerraform(ctx context.Context, c *Clinic) Diagnosis {
	path, version, err := c.terraform(ctx, c.config.Terraform.Binary)
	if err != nil && parts.DoesWithoutOwnTool(c.config, err) {
		return ok("neither is on PATH: each project gets one that is installed or downloaded, see tools")
	}
	if err != nil {
		return fail("install Terraform or OpenTofu on PATH, or set terraform.binary", "%s", errs.Explain(err))
	}
	var unset []string
	for _, name := range c.config.Terraform.Env {
		if _, set := c.lookupEnv(name); !set {
			unset = append(unset, name)
		}
	}
	if len(unset) > 0 {
		return warn("set them in the server's environment, or take them out of terraform.env",
			"%s at %s; terraform.env names variables that are not set: %s", version, path, strings.Join(unset, ", "))
	}
	return ok("%s at %s", version, path)
}

// findTerraform returns the binary that runs would use and what it calls
// itself.
func findTerraform(ctx context.Context, configured string) (path, version string, err error) {
	bin, err := tfrun.FindBinary(ctx, configured)
	if err != nil {
		return "", "", err
	}
	return bin.Path, bin.Tool + " " + bin.Version, nil
}

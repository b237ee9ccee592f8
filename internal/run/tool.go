package run

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/planner"
)

// ToolWord is how a tool is stored with a run: "terraform 1.11.4". name is
// planner.ToolTerraform or planner.ToolOpenTofu.
func ToolWord(name, version string) string { return name + " " + version }

// ToolParts takes what ToolWord made apart.
func (r Run) ToolParts() (name, version string, ok bool) {
	name, version, ok = strings.Cut(r.Tool, " ")
	return name, version, ok && name != "" && version != ""
}

// ToolTitle is for people: "Terraform 1.11.4"; "" before the run begins.
func (r Run) ToolTitle() string {
	name, version, ok := r.ToolParts()
	if !ok {
		return ""
	}
	return planner.ToolTitle(name) + " " + version
}

// SetTool stores what a run is about to be run with.
func (s *Store) SetTool(ctx context.Context, tx *db.Tx, id, tool string) error {
	if _, err := exec(ctx, tx, `UPDATE runs SET tool=$2 WHERE id=$1`, id, tool); err != nil {
		return fmt.Errorf("note the tool of run %s: %w", id, err)
	}
	return nil
}

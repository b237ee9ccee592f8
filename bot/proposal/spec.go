package proposal

import (
	"path/filepath"

	"github.com/tidelock/tidelock/planner"
)

// VarFiles returns the project's variable files as Terraform is given them: as
// seen from the project's directory, where it runs.
func VarFiles(p planner.Project) []string {
	var out []string
	for _, f := range p.VarFiles {
		rel, err := filepath.Rel(filepath.FromSlash(p.Dir), filepath.FromSlash(f))
		if err != nil { // two relative paths always have one
			rel = f
		}
		out = append(out, filepath.ToSlash(rel))
	}
	return out
}

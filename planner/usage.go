package planner

import (
	"io/fs"
	"path"
)

// UsageFile is the name of the file, in a project's directory or in the
// repository's root, that says what resources are used: Infracost's.
const UsageFile = "infracost-usage.yml"

// UsageFiles returns those of a project that the tree has, the project's own
// first. They shape what the plan is estimated to cost, and nothing else. Links
// are not followed.
func UsageFiles(fsys fs.FS, p Project) []string {
	own := p.UsageFile
	if own == "" {
		own = path.Join(p.Dir, UsageFile)
	}
	var out []string
	for _, name := range []string{own, UsageFile} {
		if len(out) == 1 && out[0] == name {
			continue
		}
		if info, err := fs.Lstat(fsys, name); err == nil && info.Mode().IsRegular() {
			out = append(out, name)
		}
	}
	return out
}

package planner

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// moduleCircle returns a circle of local modules that the code in dir leads
// into, as CircleText writes it, and the file of the call that closes it; ""
// for none. Terraform follows such a circle until the disk or a path's length
// ends it, and never says what is wrong. Code that is broken or not literal is
// left to Terraform.
func moduleCircle(fsys fs.FS, dir string) (circle, file string) {
	r := initReader{fsys: fsys, budget: maxCode}
	done := map[string]bool{}
	var way []string
	var visit func(dir string) bool
	visit = func(dir string) bool {
		if i := slices.Index(way, dir); i >= 0 {
			circle = CircleText(append(slices.Clone(way[i:]), dir))
			file = r.calling(way[len(way)-1], dir)
			return true
		}
		if done[dir] || len(done) > maxInitDirs {
			return false
		}
		done[dir] = true
		called, ok := r.read(dir)
		if !ok {
			return false
		}
		way = append(way, dir)
		defer func() { way = way[:len(way)-1] }()
		return slices.ContainsFunc(called, visit)
	}
	visit(dir)
	return circle, file
}

// calling returns the file in dir that calls the module.
func (r *initReader) calling(dir, module string) string {
	entries, _ := fs.ReadDir(r.fsys, dir)
	for _, e := range entries {
		if !codeFile(e.Name()) || strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		if src, err := fs.ReadFile(r.fsys, path.Join(dir, e.Name())); err == nil {
			if called, ok := r.native(dir, src); ok && slices.Contains(called, module) {
				return path.Join(dir, e.Name())
			}
		}
	}
	return dir
}

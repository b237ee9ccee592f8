package planner

import (
	"fmt"
	"io/fs"
)

// MissingVarFiles returns a problem for each variable file that the
// configuration gives to a project and the tree does not have: its plans fail.
func MissingVarFiles(fsys fs.FS, cfg RepoConfig, projects []Project) []Problem {
	var problems []Problem
	for _, p := range projects {
		for _, f := range p.VarFiles {
			if info, err := fs.Stat(fsys, f); err == nil && info.Mode().IsRegular() {
				continue
			}
			problem := Problem{Path: cfg.file(), Message: fmt.Sprintf("The project %s is given the variable file %s, which is not there.", p.Name, f)}
			for _, pc := range cfg.Projects {
				if pc.Name == p.Name && pc.Workspace == p.Workspace {
					problem.Line = pc.Line
				}
			}
			problems = append(problems, problem)
		}
	}
	return problems
}

package planner

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Affected returns the projects that a change of the given paths concerns,
// each with the first reason found, in the order of projects. Paths are
// relative to the repository's root; a rename is given as both of its paths.
//
// A project is concerned when a file changes that shapes its plan: code,
// lock file and automatic variable files in its directory or in a local module
// that it calls at any depth; its own variable files; a file that its code
// reads or its configuration watches; and any other file below its directory
// that is not documentation, unless a deeper project or module has it. What
// lies below the repository's root in directories without code concerns a
// project in the root only when its code reads it.
//
// A change of its drift report concerns a project, and nothing else: see
// DriftReport. Where a project has WhenModified, those patterns decide, and nothing else
// does. A project that is planned by hand only is among the result all the
// same, marked so: whoever asks decides what to do about it.
func Affected(projects []Project, changed []string) []Touched {
	changed = append([]string(nil), changed...)
	sort.Strings(changed)
	owners := map[string]bool{}
	for _, p := range projects {
		owners[p.Dir] = true
		if p.SourceDir != "" {
			owners[p.SourceDir] = true
		}
		for _, m := range p.Modules {
			owners[m] = true
		}
	}
	ownerOfFile := make([]string, len(changed))
	for i, file := range changed {
		ownerOfFile[i] = ownerOf(file, owners)
	}
	var out []Touched
	for _, p := range projects {
		if p.Missing {
			continue
		}
		for i, file := range changed {
			if reason := concerns(p, file, ownerOfFile[i]); reason != "" {
				out = append(out, Touched{Project: p, Reason: reason})
				break
			}
		}
	}
	return out
}

// concerns says why a changed file, which the directory owner has, concerns a
// project, "" when it does not.
func concerns(p Project, file, owner string) string {
	if strings.HasPrefix(file, driftDir+"/") {
		if file == DriftReport(p) {
			return fmt.Sprintf("%s asks for its drift to be taken back", file)
		}
		return ""
	}
	if p.WhenModified != nil {
		if matchLast(p.WhenModified, file) {
			return fmt.Sprintf("%s changed, which its when_modified names", file)
		}
		return ""
	}
	if toolFileConcerns(p, file) {
		return fmt.Sprintf("%s changed, which names the version of its tool", file)
	}
	for _, f := range p.VarFiles {
		if f == file {
			return fmt.Sprintf("its variable file %s changed", file)
		}
	}
	if owner == p.Dir && shapes(strings.TrimPrefix(file, prefixOf(p.Dir)), p.Dir == ".") {
		return fmt.Sprintf("%s changed", file)
	}
	if p.SourceDir != "" && owner == p.SourceDir && shapes(strings.TrimPrefix(file, prefixOf(owner)), false) {
		return fmt.Sprintf("%s changed, which its code is made from", file)
	}
	if _, ok := slices.BinarySearch(p.Modules, owner); ok && shapes(strings.TrimPrefix(file, prefixOf(owner)), owner == ".") {
		return fmt.Sprintf("its module %s changed (%s)", owner, file)
	}
	for _, pattern := range p.Files {
		if matches(pattern, file) {
			return fmt.Sprintf("%s changed, which its code reads", file)
		}
	}
	for _, pattern := range p.Watch {
		if matches(pattern, file) {
			return fmt.Sprintf("%s changed, which it watches", file)
		}
	}
	return ""
}

// matches is doublestar's answer, which is asked only where the fixed
// beginning of the pattern fits: nearly never, in a large repository.
func matches(pattern, file string) bool {
	fixed := pattern
	if i := strings.IndexAny(pattern, `*?[{\`); i >= 0 {
		fixed = strings.TrimSuffix(pattern[:i], "/") // "a/**" matches "a" too
	}
	return strings.HasPrefix(file, fixed) && doublestar.MatchUnvalidated(pattern, file)
}

func prefixOf(dir string) string {
	if dir == "." {
		return ""
	}
	return dir + "/"
}

// ownerOf returns the deepest known directory that a file lies in, "" for none.
func ownerOf(file string, owners map[string]bool) string {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		if owners[dir] {
			return dir
		}
		if dir == "." || dir == "/" {
			return ""
		}
	}
}

// shapes reports whether a file, relative to the directory of a project or
// module that owns it, is one that can shape a plan.
func shapes(rel string, root bool) bool {
	dir, name := path.Split(rel)
	direct := dir == ""
	lower := strings.ToLower(name)
	switch {
	case codeFile(name), name == "terraform.tfvars", name == "terraform.tfvars.json",
		strings.HasSuffix(name, ".auto.tfvars"), strings.HasSuffix(name, ".auto.tfvars.json"),
		name == ".terraform.lock.hcl", name == UnitFile:
		return direct // Terraform reads these in the directory itself only
	case strings.HasSuffix(name, ".tfvars"), strings.HasSuffix(name, ".tfvars.json"):
		return false // read only when listed
	case root:
		return false
	case strings.HasPrefix(rel, ".") || strings.Contains(rel, "/."):
		return false
	case strings.HasPrefix(lower, "license"), strings.HasPrefix(lower, "changelog"), name == "CODEOWNERS":
		return false
	}
	switch path.Ext(lower) {
	case ".md", ".markdown", ".adoc", ".rst", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".drawio", ".pdf":
		return false
	case ".hcl":
		return !strings.HasSuffix(lower, ".tftest.hcl") && !strings.HasSuffix(lower, ".tfmock.hcl") && name != ConfigFile
	}
	return true
}

// Deleted returns the projects of base that are not in head any more: their
// objects stay, and nobody plans them. base and head are what Discover found
// in the two commits.
func Deleted(base, head []Project) []Project {
	there := map[string]bool{}
	for _, p := range head {
		there[p.Key()] = there[p.Key()] || !p.Missing
	}
	var out []Project
	for _, p := range base {
		if !p.Missing && !there[p.Key()] {
			out = append(out, p)
		}
	}
	return out
}

// EmptiedDirs returns the directories in which code was changed and none is
// left in the head's tree: only then can a project have been deleted, and the
// base is worth looking at. The result is sorted.
func EmptiedDirs(head fs.FS, changed []string) []string {
	looked := map[string]bool{}
	var out []string
	for _, file := range changed {
		dir := path.Dir(file)
		if !codeFile(path.Base(file)) && path.Base(file) != UnitFile || looked[dir] {
			continue
		}
		looked[dir] = true
		entries, err := fs.ReadDir(head, dir)
		if err != nil {
			entries = nil // gone
		}
		left := false
		for _, e := range entries {
			left = left || codeFile(e.Name()) || e.Name() == UnitFile
		}
		if !left {
			out = append(out, dir)
		}
	}
	sort.Strings(out)
	return out
}

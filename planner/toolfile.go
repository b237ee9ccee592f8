package planner

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/hashicorp/go-version"
)

// The files in which people name versions for tfenv, tofuenv, tenv, and for
// asdf and mise.
const (
	opentofuVersionFile  = ".opentofu-version"
	terraformVersionFile = ".terraform-version"
	toolVersionsFile     = ".tool-versions"
)

// isToolFile reports whether a file of that name can choose the tool.
func isToolFile(name string) bool {
	return name == opentofuVersionFile || name == terraformVersionFile || name == toolVersionsFile
}

// Bounds of version files, far above what people write.
const (
	maxToolFile = 64 << 10 // bytes
	maxPattern  = 100      // bytes of the REGEX in latest:REGEX
)

// readToolFile returns what a version file asks for: nothing, one tool, or of
// a .tool-versions several, in the order of its lines.
func readToolFile(full, text string, tooLarge bool) []toolWish {
	if tooLarge {
		return []toolWish{{path: full, problem: "The file is too large for one that names versions.", name: toolOfFile(full)}}
	}
	lines := strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n")
	var out []toolWish
	for i, line := range lines {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if path.Base(full) != toolVersionsFile {
			// The first line counts, and in it a constraint may have spaces.
			w := readToolVersion(strings.Join(words, " "), false)
			w.name, w.path, w.line = toolOfFile(full), full, i+1
			return append(out, w)
		}
		name := map[string]string{"terraform": ToolTerraform, "opentofu": ToolOpenTofu, "tofu": ToolOpenTofu}[words[0]]
		if name == "" || len(words) < 2 {
			continue
		}
		// Further versions are for those who have not got the first.
		w := readToolVersion(words[1], true)
		w.name, w.path, w.line = name, full, i+1
		out = append(out, w)
	}
	if out == nil && path.Base(full) != toolVersionsFile {
		// tfenv takes an empty file for a mistake, and so it is.
		return []toolWish{{name: toolOfFile(full), path: full, problem: "The file names no version. Write one into it, or remove it."}}
	}
	return out
}

func toolOfFile(full string) string {
	switch path.Base(full) {
	case opentofuVersionFile:
		return ToolOpenTofu
	case terraformVersionFile:
		return ToolTerraform
	}
	return ""
}

// readToolVersion reads a version as people write it for tfenv, tofuenv, tenv
// and (byPrefix) asdf, and in the configuration:
//
//	1.9.8, v1.9.8      that one
//	1.9                the newest of 1.9
//	>= 1.5, < 2.0      one that meets the constraint
//	latest             the newest
//	latest:^1\.5       the newest that matches; for asdf, that begins so
//	latest-allowed     the newest that the code's required_version allows
//	min-required       the oldest that it allows
//	system             the server's own
func readToolVersion(text string, byPrefix bool) toolWish {
	text = strings.TrimSpace(text)
	switch text {
	case "latest", "latest-stable", "latest-allowed":
		return toolWish{pick: PickNewest}
	case "min-required":
		return toolWish{pick: PickOldest}
	case "system":
		return toolWish{server: true}
	case "latest-pre":
		return toolWish{problem: "latest-pre would take a pre-release. Name the one that you want exactly, such as 1.13.0-rc1."}
	}
	if pattern, ok := strings.CutPrefix(text, "latest:"); ok {
		return readPattern(pattern, byPrefix)
	}
	if strings.HasPrefix(text, "ref:") || strings.HasPrefix(text, "path:") {
		return toolWish{problem: fmt.Sprintf("%q stands for a build of one's own, which the server has not got. Name a version.", short(text))}
	}
	constraint := text
	if bare := strings.TrimPrefix(text, "v"); bare != "" && bare[0] >= '0' && bare[0] <= '9' && !strings.ContainsAny(bare, ",<>=~! ") {
		v, err := version.NewSemver(bare)
		switch {
		case err != nil:
			return notAVersion(text)
		case v.Prerelease() != "" || strings.Count(bare, ".") >= 2:
			constraint = "= " + v.String()
		default:
			constraint = "~> " + bare + ".0"
		}
	}
	if _, err := parseConstraint(constraint); err != nil {
		return notAVersion(text)
	}
	return toolWish{constraint: constraint}
}

func readPattern(pattern string, byPrefix bool) toolWish {
	if byPrefix {
		pattern = "^" + regexp.QuoteMeta(pattern)
	}
	if len(pattern) > maxPattern {
		return toolWish{problem: fmt.Sprintf("The pattern after latest: is longer than %d characters.", maxPattern)}
	}
	if _, err := regexp.Compile(pattern); err != nil {
		return toolWish{problem: fmt.Sprintf("%q is no regular expression.", short(pattern))}
	}
	return toolWish{pick: PickNewest, match: pattern}
}

func notAVersion(text string) toolWish {
	return toolWish{problem: fmt.Sprintf("%q is not a version. Write one such as 1.9.8, a constraint such as >= 1.9, or latest.", short(text))}
}

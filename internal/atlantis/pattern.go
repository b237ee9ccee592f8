package atlantis

import (
	"path"
	"strings"
)

// patterns turns one pattern of when_modified, which is relative to the
// project's directory and has the grammar of .dockerignore, into those of
// planner, which are relative to the repository's root and have doublestar's.
// It returns none where the pattern leads out of the repository.
func patterns(dir, pattern string) []string {
	rest, not := strings.CutPrefix(strings.TrimSpace(pattern), "!")
	mark := ""
	if not {
		mark = "!"
	}
	if rest = strings.TrimSpace(rest); rest == "" {
		return nil
	}
	full := path.Join(escape(dir), strings.ReplaceAll(strings.ReplaceAll(rest, "{", `\{`), "}", `\}`))
	if full == ".." || strings.HasPrefix(full, "../") {
		return nil
	}
	var out []string
	for _, p := range spread(strings.Split(full, "/")) {
		out = append(out, mark+strings.Join(p, "/"))
	}
	return out
}

// spread writes ** that does not stand alone between slashes, which
// .dockerignore takes to cross directories and doublestar does not, as
// patterns of which one or the other matches: "modules/**.tf" becomes
// "modules/**/*.tf", and "a**b" both "a*b" and "a*/**/*b".
func spread(segments []string) [][]string {
	for i, s := range segments {
		at := strings.Index(s, "**")
		if at < 0 || s == "**" {
			continue
		}
		left, right := s[:at], strings.TrimLeft(s[at:], "*")
		with := func(middle ...string) [][]string {
			p := append(append([]string{}, segments[:i]...), middle...)
			tail := spread(segments[i+1:])
			var out [][]string
			for _, t := range tail {
				out = append(out, append(append([]string{}, p...), t...))
			}
			return out
		}
		if strings.Contains(right, "**") || strings.Count(strings.Join(segments[i+1:], "/"), "**") > 4 {
			return with("**") // nobody writes it; what is wider is right
		}
		switch {
		case left == "":
			return with("**", "*"+right)
		case right == "":
			return with(left+"*", "**")
		}
		return append(with(left+"*"+right), with(left+"*", "**", "*"+right)...)
	}
	return [][]string{segments}
}

// escape makes a path mean itself in a pattern.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "{", `\{`, "}", `\}`).Replace(s)
}

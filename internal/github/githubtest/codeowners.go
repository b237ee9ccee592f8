package githubtest

import (
	"fmt"
	"regexp"
	"strings"
)

// What this file knows of CODEOWNERS it knows by itself: it must not share the
// mistakes of whoever is tested against it.

// codeOwnersOf returns the first CODEOWNERS file at a commit, "" for none.
func codeOwnersOf(g store, sha string) (path, text string) {
	for _, path := range []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"} {
		if text, ok := g.file(sha, path); ok {
			return path, text
		}
	}
	return "", ""
}

// ownersOf returns the owners of a file: the last line that matches.
func ownersOf(text, path string) []string {
	var owners []string
	for _, line := range strings.Split(text, "\n") {
		words := ownersFields(line)
		if len(words) == 0 || ownersFault(words) != "" {
			continue
		}
		if ownersPattern(words[0]).MatchString(path) {
			owners = words[1:]
		}
	}
	return owners
}

func ownersFields(line string) []string {
	line = strings.ReplaceAll(strings.TrimSpace(line), `\ `, "\x00")
	var out []string
	for _, w := range strings.Fields(line) {
		if strings.HasPrefix(w, "#") {
			break
		}
		out = append(out, strings.ReplaceAll(w, "\x00", `\ `))
	}
	return out
}

var ownerName = regexp.MustCompile(`^(@[\w-]+(\[bot\])?(/[\w.-]+)?|[^@\s]+@[^@\s]+\.[^@\s]+)$`)

// ownersFault is GitHub's word for what is wrong with a line, "" for nothing.
func ownersFault(words []string) string {
	p := words[0]
	if strings.HasPrefix(p, "!") || strings.HasPrefix(p, `\#`) || strings.ContainsAny(p, "[]") || strings.Contains(p, "//") {
		return "Invalid pattern"
	}
	for _, o := range words[1:] {
		if !ownerName.MatchString(o) {
			return "Invalid owner"
		}
	}
	return ""
}

// ownersPattern turns a pattern into a regular expression for whole paths.
func ownersPattern(p string) *regexp.Regexp {
	if p == "/" {
		return regexp.MustCompile(`^`)
	}
	trimmed := strings.Trim(p, "/")
	anchored := strings.HasPrefix(p, "/") || strings.Contains(trimmed, "/")
	var b strings.Builder
	b.WriteString("^")
	if !anchored {
		b.WriteString("(?:.*/)?")
	}
	parts := strings.Split(trimmed, "/")
	for i, part := range parts {
		last := i == len(parts)-1
		switch {
		case part == "**" && last:
			b.WriteString(".+")
		case part == "**":
			b.WriteString("(?:.*/)?")
			continue
		default:
			for k := 0; k < len(part); k++ {
				switch c := part[k]; {
				case c == '*':
					b.WriteString("[^/]*")
				case c == '?':
					b.WriteString("[^/]")
				case c == '\\' && k+1 < len(part):
					k++
					b.WriteString(regexp.QuoteMeta(string(part[k])))
				default:
					b.WriteString(regexp.QuoteMeta(string(c)))
				}
			}
		}
		if !last {
			b.WriteString("/")
		}
	}
	switch {
	case strings.HasSuffix(p, "/"):
		b.WriteString("/.+$")
	case anchored && parts[len(parts)-1] == "*":
		b.WriteString("$")
	default:
		b.WriteString("(?:/.*)?$")
	}
	return regexp.MustCompile(b.String())
}

// ownersErrors lists what GitHub reports of a repository's CODEOWNERS; none
// where there is no file, which is a 404. Beyond what a line says it knows who
// exists and who may write.
func ownersErrors(q *request) reply {
	g, err := open(q.repo.dir)
	if err != nil {
		return fail(500, err.Error())
	}
	ref := q.URL.Query().Get("ref")
	if ref == "" {
		ref = q.repo.defaultBranch
	}
	path, text := codeOwnersOf(g, g.resolve(ref))
	if path == "" {
		return fail(404, "Not Found")
	}
	list := []any{}
	for i, line := range strings.Split(text, "\n") {
		words := ownersFields(line)
		if len(words) == 0 {
			continue
		}
		kind, what, advice := ownersFault(words), words[0], any(nil)
		if kind == "" {
			for _, o := range words[1:] {
				if strings.HasPrefix(o, "@") && !q.s.ownerExists(q.repo, o) {
					kind, what, advice = "Unknown owner", o, "make sure "+o+" exists and has write access to the repository"
				}
			}
		}
		if kind == "" {
			continue
		}
		column := strings.Index(line, what) + 1
		message := fmt.Sprintf("%s on line %d: %s", kind, i+1, line)
		if advice != nil {
			message = fmt.Sprintf("%s on line %d: %s", kind, i+1, advice)
		}
		list = append(list, fields{"line": i + 1, "column": column, "kind": kind, "source": line, "suggestion": advice, "message": message, "path": path})
	}
	return reply{200, fields{"errors": list}}
}

// ownerExists reports whether an @name of CODEOWNERS is somebody here who may
// write. s.mu is held.
func (s *Server) ownerExists(r *repo, owner string) bool {
	name := lower(strings.TrimPrefix(owner, "@"))
	if strings.Contains(name, "/") {
		return s.teams[name] != nil
	}
	u := s.users[name]
	return u != nil && roleRank[r.role(u.login)] >= roleRank["write"]
}

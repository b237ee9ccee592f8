package githubtest

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// maxAnnotationText is how much an annotation's message and its details may
// hold, in bytes, and maxAnnotationTitle the characters of its title.
const (
	maxAnnotationText  = 64 << 10
	maxAnnotationTitle = 255
)

// broken returns what GitHub refuses in an annotation, "" where it is fine.
func (a annotation) broken() string {
	switch {
	case a.Path == "" || strings.HasPrefix(a.Path, "/"):
		return "need a path within the repository"
	case a.StartLine < 1 || a.EndLine < a.StartLine:
		return "need lines from 1 on, the last not before the first"
	case !slices.Contains([]string{"notice", "warning", "failure"}, a.Level):
		return "have a level that there is not"
	case a.Message == "":
		return "need a message"
	case len(a.Message) > maxAnnotationText || len(a.Raw) > maxAnnotationText:
		return "have a message or details that are too long"
	case utf8.RuneCountInString(a.Title) > maxAnnotationTitle:
		return "have a title that is too long"
	}
	return ""
}

// Annotation is a line of code that a check marks.
type Annotation struct {
	Path                           string
	StartLine, EndLine             int
	Level, Title, Message, Details string
}

// Annotations returns those of the newest check of the name on the pull
// request's head, in the order in which they came.
func (p *Pull) Annotations(check string) []Annotation {
	sha := p.State().HeadSHA
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	var out []Annotation
	for _, c := range p.p.repo.latestChecks(sha) {
		if c.name != check {
			continue
		}
		for _, a := range c.annotations {
			out = append(out, Annotation{a.Path, a.StartLine, a.EndLine, a.Level, a.Title, a.Message, a.Raw})
		}
	}
	return out
}

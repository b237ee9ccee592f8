package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	docLink    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	docHeading = regexp.MustCompile("(?m)^#+ (.+)$")
	notInLink  = regexp.MustCompile("[^a-z0-9 _-]")
)

// TestDocumentsLinkToWhatIsThere follows every link from one of our documents
// to another, to its heading too.
func TestDocumentsLinkToWhatIsThere(t *testing.T) {
	root := filepath.Join("..", "..")
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(docs) < 10 {
		t.Fatalf("%d documents, %v", len(docs), err)
	}
	anchors := map[string]map[string]bool{} // by document
	for _, doc := range append(docs, filepath.Join(root, "README.md")) {
		for _, m := range docLink.FindAllStringSubmatch(read(t, doc), -1) {
			path, fragment, _ := strings.Cut(m[1], "#")
			if strings.Contains(path, "://") || strings.HasPrefix(path, "mailto:") {
				continue
			}
			to := doc
			if path != "" {
				to = filepath.Join(filepath.Dir(doc), filepath.FromSlash(path))
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s, which is not there", filepath.Base(doc), path)
				continue
			}
			if fragment == "" {
				continue
			}
			if anchors[to] == nil { // under the race detector, reading them for each link takes half a minute
				anchors[to] = anchorsOf(read(t, to))
			}
			if !anchors[to][fragment] {
				t.Errorf("%s links to %s, and %s has no such heading", filepath.Base(doc), m[1], filepath.Base(to))
			}
		}
	}
}

// anchorsOf returns the anchors that GitHub gives a document's headings.
func anchorsOf(text string) map[string]bool {
	out := map[string]bool{}
	for _, m := range docHeading.FindAllStringSubmatch(text, -1) {
		h := notInLink.ReplaceAllString(strings.ToLower(m[1]), "")
		out[strings.ReplaceAll(strings.TrimSpace(h), " ", "-")] = true
	}
	return out
}

package markdown

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tidelock/tidelock/internal/markdown/markdowntest"
)

func FuzzNothingEscapes(f *testing.F) {
	for _, s := range markdowntest.Hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { nothingEscapes(t, s) })
}

func TestThreat_NothingEscapes(t *testing.T) {
	for _, a := range markdowntest.Hostile {
		nothingEscapes(t, a)
		for _, b := range markdowntest.Hostile {
			nothingEscapes(t, a+b)
		}
	}
}

func nothingEscapes(t *testing.T, s string) {
	t.Helper()
	if len(s) > 2000 {
		return
	}
	want := OneLine(s)
	fail := func(what, markdown string, got any) {
		t.Helper()
		t.Errorf("%s of %q: %q\nin %q", what, s, got, markdown)
	}

	doc := "| a | b |\n|---|---|\n| " + Cell(s) + " | y |\n\nafter"
	root := markdowntest.Page(t, doc)
	if bad := markdowntest.Strangers(root, "table thead tbody tr th td code p"); len(bad) > 0 {
		fail("code in a table", doc, bad)
	}
	if cells := markdowntest.All(root, "td"); len(cells) != 2 || markdowntest.Text(cells[1]) != "y" {
		fail("code in a table", doc, "the cells moved")
	} else if got := strings.TrimSpace(markdowntest.Text(cells[0])); got != want {
		fail("code in a table", doc, got)
	}

	doc = "- " + Code(s) + ": " + Prose(s) + " _" + Prose(s) + "_\n\nafter"
	root = markdowntest.Page(t, doc)
	if bad := markdowntest.Strangers(root, "ul li code p em"); len(bad) > 0 {
		fail("code and prose in a list", doc, bad)
	}
	if items := markdowntest.All(root, "li"); len(items) != 1 {
		fail("code and prose in a list", doc, "the items moved")
	} else if codes := markdowntest.All(items[0], "code"); len(codes) != 1 || strings.TrimSpace(markdowntest.Text(codes[0])) != want {
		fail("code in a list", doc, "not one code of the text")
	} else if want != "" && !strings.Contains(markdowntest.Text(items[0]), ": "+want) {
		fail("prose in a list", doc, markdowntest.Text(items[0]))
	}

	doc = "before\n\n" + Fenced("diff", s) + "\n\nafter"
	root = markdowntest.Page(t, doc)
	if bad := markdowntest.Strangers(root, "pre code p"); len(bad) > 0 {
		fail("fenced", doc, bad)
	}
	if blocks := markdowntest.All(root, "pre"); len(blocks) != 1 || strings.TrimRight(markdowntest.Text(blocks[0]), "\n") != strings.ReplaceAll(strings.TrimRight(clean(s), "\n"), "\u2060", "") {
		fail("fenced", doc, "not one block of the text")
	}

	doc = Fold("Plan of "+Code(s)+": done", "inside", false) + "after"
	root = markdowntest.Page(t, doc)
	if bad := markdowntest.Strangers(root, "details summary code p"); len(bad) > 0 {
		fail("the title of a fold", doc, bad)
	}
	if titles := markdowntest.All(root, "summary"); len(titles) != 1 || strings.Join(strings.Fields(markdowntest.Text(titles[0])), " ") != strings.Join(strings.Fields("Plan of "+want+": done"), " ") {
		fail("the title of a fold", doc, "it is not the text")
	}
	if !utf8.ValidString(doc) || strings.ContainsRune(doc, '\x1b') {
		fail("characters", doc, "controls are left")
	}
}

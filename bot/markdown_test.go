package bot

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	goldhtml "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"
)

// page is Markdown as a browser gets it: GitHub's dialect, with raw HTML let
// through, so that nothing but our own escaping stands between a stranger's
// text and the reader.
func page(t testing.TB, markdown string) *html.Node {
	t.Helper()
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(goldhtml.WithUnsafe()))
	var out bytes.Buffer
	if err := md.Convert([]byte(markdown), &out); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(&out)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// all returns the elements of the name, in order.
func all(n *html.Node, name string) []*html.Node {
	var out []*html.Node
	if n.Type == html.ElementNode && n.Data == name {
		out = append(out, n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		out = append(out, all(c, name)...)
	}
	return out
}

// text returns what a reader sees of n, without the joiners that prose puts in.
func text(n *html.Node) string {
	if n.Type == html.TextNode {
		return strings.ReplaceAll(n.Data, "\u2060", "")
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(text(c))
	}
	return b.String()
}

// strangers returns the elements that are not of the allowed names, and any
// attribute that could do something.
func strangers(n *html.Node, allowed string) []string {
	var out []string
	if n.Type == html.ElementNode {
		if !strings.Contains(" html head body "+allowed+" ", " "+n.Data+" ") {
			out = append(out, "<"+n.Data+">")
		}
		for _, a := range n.Attr {
			if a.Key != "class" && a.Key != "align" && a.Key != "style" && a.Key != "open" && a.Key != "start" {
				out = append(out, a.Key+"="+a.Val)
			}
		}
	}
	if n.Type == html.CommentNode {
		out = append(out, "<!--"+n.Data+"-->")
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		out = append(out, strangers(c, allowed)...)
	}
	return out
}

// hostile are texts that tried, or might try, to be more than text.
var hostile = []string{
	"", " ", "`", "``", "a`b", "`a", "a``", "```", "~~~", "\n```\n# heading", "a|b", "|", "\\", "a\\", "\\|", "a\\|b|c", "\\`", "`\\",
	"@grace", "@acme/team", "a@b.example", "#12", "acme/infra#12", "GH-12", "https://evil.example/?a=b", "www.evil.example", "mailto:a@b.example", "xmpp:a@b.example",
	"<b>", "</details>", "</code></summary>", "<script>alert(1)</script>", "<!--", "-->", "<img src=x onerror=alert(1)>", "&lt;", "&#64;grace", "&amp;amp;",
	"![x](https://evil.example/x.png)", "[x](javascript:alert(1))", "[x]: https://evil.example", "[^1]", "**bold**", "_em_", "__", "~~gone~~", "- [ ] task",
	"\x1b[31mred\x1b[0m", "\x1b]8;;https://evil.example\ax\x1b]8;;\a", "\u202eevil", "a\u2028b", "\x00", "\xff\xfe", "\u00ad", "$x^2$", "$$", ":tada:",
	"one\ntwo", "one\r\ntwo", "\ttab", "# heading", "> quote", "1. one", "- item", "    code", "---", "===", "| a | b |\n|---|---|", "a\u00a0b", "\u3000",
}

func FuzzNothingEscapes(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { nothingEscapes(t, s) })
}

func TestThreat_NothingEscapes(t *testing.T) {
	for _, a := range hostile {
		nothingEscapes(t, a)
		for _, b := range hostile {
			nothingEscapes(t, a+b)
		}
	}
}

func nothingEscapes(t *testing.T, s string) {
	t.Helper()
	if len(s) > 2000 {
		return
	}
	want := oneLine(s)
	fail := func(what, markdown string, got any) {
		t.Helper()
		t.Errorf("%s of %q: %q\nin %q", what, s, got, markdown)
	}

	doc := "| a | b |\n|---|---|\n| " + codeCell(s) + " | y |\n\nafter"
	root := page(t, doc)
	if bad := strangers(root, "table thead tbody tr th td code p"); len(bad) > 0 {
		fail("code in a table", doc, bad)
	}
	if cells := all(root, "td"); len(cells) != 2 || text(cells[1]) != "y" {
		fail("code in a table", doc, "the cells moved")
	} else if got := strings.TrimSpace(text(cells[0])); got != want {
		fail("code in a table", doc, got)
	}

	doc = "- " + code(s) + ": " + prose(s) + " _" + prose(s) + "_\n\nafter"
	root = page(t, doc)
	if bad := strangers(root, "ul li code p em"); len(bad) > 0 {
		fail("code and prose in a list", doc, bad)
	}
	if items := all(root, "li"); len(items) != 1 {
		fail("code and prose in a list", doc, "the items moved")
	} else if codes := all(items[0], "code"); len(codes) != 1 || strings.TrimSpace(text(codes[0])) != want {
		fail("code in a list", doc, "not one code of the text")
	} else if want != "" && !strings.Contains(text(items[0]), ": "+want) {
		fail("prose in a list", doc, text(items[0]))
	}

	doc = "before\n\n" + fenced("diff", s) + "\n\nafter"
	root = page(t, doc)
	if bad := strangers(root, "pre code p"); len(bad) > 0 {
		fail("fenced", doc, bad)
	}
	if blocks := all(root, "pre"); len(blocks) != 1 || strings.TrimRight(text(blocks[0]), "\n") != strings.ReplaceAll(strings.TrimRight(clean(s), "\n"), "\u2060", "") {
		fail("fenced", doc, "not one block of the text")
	}

	doc = fold("Plan of "+code(s)+": done", "inside", false) + "after"
	root = page(t, doc)
	if bad := strangers(root, "details summary code p"); len(bad) > 0 {
		fail("the title of a fold", doc, bad)
	}
	if titles := all(root, "summary"); len(titles) != 1 || strings.Join(strings.Fields(text(titles[0])), " ") != strings.Join(strings.Fields("Plan of "+want+": done"), " ") {
		fail("the title of a fold", doc, "it is not the text")
	}
	if !utf8.ValidString(doc) || strings.ContainsRune(doc, '\x1b') {
		fail("characters", doc, "controls are left")
	}
}

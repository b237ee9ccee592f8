// Package markdowntest looks at Markdown as a reader of GitHub's pages does: it
// renders it, raw HTML included, and says what became of it. Tests of whatever
// is posted share it, and the texts that try to be more than text.
//
// It knows GitHub's dialect as goldmark has it, and not what GitHub itself
// takes out of a page afterwards: what is safe here leans on nobody.
package markdowntest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	goldhtml "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"
)

// Page is Markdown as a browser gets it: GitHub's dialect, with raw HTML let
// through, so that nothing but our own escaping stands between a stranger's
// text and the reader.
func Page(t testing.TB, text string) *html.Node {
	t.Helper()
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(goldhtml.WithUnsafe()))
	var out bytes.Buffer
	if err := md.Convert([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(&out)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// All returns the elements of the name, in order.
func All(n *html.Node, name string) []*html.Node {
	var out []*html.Node
	if n.Type == html.ElementNode && n.Data == name {
		out = append(out, n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		out = append(out, All(c, name)...)
	}
	return out
}

// Text returns what a reader sees of n, without the joiners that prose puts in.
func Text(n *html.Node) string {
	if n.Type == html.TextNode {
		return strings.ReplaceAll(n.Data, "\u2060", "")
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(Text(c))
	}
	return b.String()
}

// Strangers returns the elements that are not of the allowed names, and any
// attribute that could do something.
func Strangers(n *html.Node, allowed string) []string {
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
		out = append(out, Strangers(c, allowed)...)
	}
	return out
}

// Hostile are texts that tried, or might try, to be more than text.
var Hostile = []string{
	"", " ", "`", "``", "a`b", "`a", "a``", "```", "~~~", "\n```\n# heading", "a|b", "|", "\\", "a\\", "\\|", "a\\|b|c", "\\`", "`\\",
	"@grace", "@acme/team", "a@b.example", "#12", "acme/infra#12", "GH-12", "https://evil.example/?a=b", "www.evil.example", "mailto:a@b.example", "xmpp:a@b.example",
	"<b>", "</details>", "</code></summary>", "<script>alert(1)</script>", "<!--", "-->", "<img src=x onerror=alert(1)>", "&lt;", "&#64;grace", "&amp;amp;",
	"![x](https://evil.example/x.png)", "[x](javascript:alert(1))", "[x]: https://evil.example", "[^1]", "**bold**", "_em_", "__", "~~gone~~", "- [ ] task",
	"\x1b[31mred\x1b[0m", "\x1b]8;;https://evil.example\ax\x1b]8;;\a", "\u202eevil", "a\u2028b", "\x00", "\xff\xfe", "\u00ad", "$x^2$", "$$", ":tada:",
	"one\ntwo", "one\r\ntwo", "\ttab", "# heading", "> quote", "1. one", "- item", "    code", "---", "===", "| a | b |\n|---|---|", "a\u00a0b", "\u3000",
}

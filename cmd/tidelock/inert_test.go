package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	nethtml "golang.org/x/net/html"
)

// ownLink is where the bot's own links lead: to lines of the commit, and to
// what explains a rule.
var ownLink = regexp.MustCompile(`^(http://127\.0\.0\.1:[0-9]+/[a-z]+/[a-z]+/blob/[0-9a-f]{40}/[A-Za-z0-9_./%-]+(#L[0-9]+(-L[0-9]+)?)?|https://tidelock\.example\.com/(policies/[a-z0-9_.]+|changes/[0-9a-f-]+)|https://github\.com/tidelock/tidelock/blob/main/docs/policies-rules\.md#[a-z0-9_]+)$`)

// assertInert renders Markdown as GitHub does, raw HTML included, and fails if
// anything in it is more than the bot itself writes.
func assertInert(t *testing.T, markdown string) {
	t.Helper()
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	var out bytes.Buffer
	if err := md.Convert([]byte(markdown), &out); err != nil {
		t.Fatal(err)
	}
	root, err := nethtml.Parse(&out)
	if err != nil {
		t.Fatal(err)
	}
	var walk func(n *nethtml.Node, code bool)
	walk = func(n *nethtml.Node, code bool) {
		switch n.Type {
		case nethtml.ElementNode:
			switch n.Data {
			case "code", "pre":
				code = true
			case "html", "head", "body", "p", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td", "details", "summary",
				"ul", "li", "strong", "em", "sub", "br":
			case "a":
				if c := n.FirstChild; c == nil || c.NextSibling != nil || c.Data != "code" && c.Data != "details" {
					t.Errorf("a link shows something else than code: %q in\n%s", c.Data, markdown)
				}
			default:
				t.Errorf("an element <%s> got in:\n%s", n.Data, markdown)
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "href" && (n.Data != "a" || !ownLink.MatchString(a.Val)) {
					t.Errorf("an attribute %s=%q got in", a.Key, a.Val)
				}
			}
		case nethtml.TextNode:
			if !code && (strings.Contains(n.Data, "@grace") || strings.Contains(n.Data, "owned")) {
				t.Errorf("a stranger's text stands outside code: %q in\n%s", n.Data, markdown)
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, code)
		}
	}
	walk(root, false)
}

package githubtest

import (
	"bytes"
	"html/template"
	"net/url"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	goldhtml "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

var gfm = goldmark.New(goldmark.WithExtensions(extension.Linkify, extension.Strikethrough, extension.TaskList,
	extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))), goldmark.WithRendererOptions(goldhtml.WithUnsafe(), goldhtml.WithHardWraps()))

// markdown renders a comment as GitHub does: GFM, then only what GitHub lets
// through of HTML, with ```diff coloured and alerts boxed.
func markdown(source string) template.HTML {
	var raw bytes.Buffer
	if err := gfm.Convert([]byte(source), &raw); err != nil {
		return template.HTML("<p>" + template.HTMLEscapeString(source) + "</p>")
	}
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(&raw, root)
	if err != nil {
		return template.HTML("<p>" + template.HTMLEscapeString(source) + "</p>")
	}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	sanitize(root)
	decorate(root)
	var out bytes.Buffer
	for n := root.FirstChild; n != nil; n = n.NextSibling {
		if err := html.Render(&out, n); err != nil {
			return ""
		}
	}
	return template.HTML(out.String()) // sanitized above
}

// allowedTags are the elements that survive; of others the content does, but
// for those in dropped, of which nothing does.
var allowedTags = tagSet("a b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img input ins kbd li ol p pre q s samp " +
	"span strike strong sub summary sup table tbody td tfoot th thead tr tt ul var")

var dropped = tagSet("script style iframe object embed noscript template title textarea select math svg")

func tagSet(names string) map[string]bool {
	out := map[string]bool{}
	for _, n := range strings.Fields(names) {
		out[n] = true
	}
	return out
}

// sanitize removes what is not allowed below n.
func sanitize(n *html.Node) {
	for child := n.FirstChild; child != nil; {
		next := child.NextSibling
		switch {
		case child.Type == html.CommentNode, child.Type == html.DoctypeNode, child.Type == html.ElementNode && dropped[child.Data]:
			n.RemoveChild(child)
		case child.Type == html.ElementNode && !allowedTags[child.Data]:
			first := child.FirstChild
			for grand := child.FirstChild; grand != nil; grand = child.FirstChild {
				child.RemoveChild(grand)
				n.InsertBefore(grand, child)
			}
			n.RemoveChild(child)
			if first != nil {
				next = first
			}
		case child.Type == html.ElementNode:
			child.Attr = allowedAttributes(child)
			sanitize(child)
		}
		child = next
	}
}

func allowedAttributes(n *html.Node) []html.Attribute {
	var out []html.Attribute
	for _, a := range n.Attr {
		switch key := a.Key; {
		case key == "href" && n.Data == "a", key == "src" && n.Data == "img":
			u, err := url.Parse(strings.TrimSpace(a.Val))
			if err != nil || (u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "mailto") {
				continue
			}
			if key == "href" {
				out = append(out, html.Attribute{Key: "rel", Val: "nofollow"})
			}
		case key == "open" && n.Data == "details", key == "align", key == "title", key == "alt", key == "start", key == "colspan", key == "rowspan":
		case key == "width" || key == "height":
		case key == "class" && n.Data == "code" && strings.HasPrefix(a.Val, "language-"):
		case n.Data == "input" && (key == "checked" || key == "disabled" || key == "type" && a.Val == "checkbox"):
		default:
			continue
		}
		out = append(out, html.Attribute{Key: a.Key, Val: a.Val})
	}
	return out
}

// decorate colours diffs and boxes alerts.
func decorate(n *html.Node) {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if child.Type != html.ElementNode {
			continue
		}
		switch {
		case child.Data == "code" && attribute(child, "class") == "language-diff":
			colourDiff(child)
			continue
		case child.Data == "blockquote":
			boxAlert(child)
		}
		decorate(child)
	}
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// colourDiff wraps each line in a span whose class tells what it does.
func colourDiff(code *html.Node) {
	var text strings.Builder
	for n := code.FirstChild; n != nil; n = code.FirstChild {
		text.WriteString(n.Data)
		code.RemoveChild(n)
	}
	for line := range strings.Lines(text.String()) {
		class := "same"
		switch {
		case strings.HasPrefix(line, "+"):
			class = "add"
		case strings.HasPrefix(line, "-"):
			class = "del"
		case strings.HasPrefix(line, "!"):
			class = "mod"
		case strings.HasPrefix(line, "@@"):
			class = "hunk"
		}
		span := &html.Node{Type: html.ElementNode, Data: "span", DataAtom: atom.Span, Attr: []html.Attribute{{Key: "class", Val: class}}}
		span.AppendChild(&html.Node{Type: html.TextNode, Data: line})
		code.AppendChild(span)
	}
}

// boxAlert makes a quote that starts with [!NOTE] or its like an alert.
func boxAlert(quote *html.Node) {
	p := quote.FirstChild
	for p != nil && p.Type != html.ElementNode {
		p = p.NextSibling
	}
	if p == nil || p.Data != "p" || p.FirstChild == nil || p.FirstChild.Type != html.TextNode {
		return
	}
	for _, kind := range []string{"Note", "Tip", "Important", "Warning", "Caution"} {
		rest, ok := strings.CutPrefix(p.FirstChild.Data, "[!"+strings.ToUpper(kind)+"]")
		if !ok {
			continue
		}
		p.FirstChild.Data = strings.TrimLeft(rest, " \n")
		if next := p.FirstChild.NextSibling; p.FirstChild.Data == "" && next != nil && next.Data == "br" {
			p.RemoveChild(next)
		}
		quote.Data, quote.DataAtom = "div", atom.Div
		quote.Attr = []html.Attribute{{Key: "class", Val: "alert " + strings.ToLower(kind)}}
		title := &html.Node{Type: html.ElementNode, Data: "p", DataAtom: atom.P, Attr: []html.Attribute{{Key: "class", Val: "alert-title"}}}
		title.AppendChild(&html.Node{Type: html.TextNode, Data: kind})
		quote.InsertBefore(title, quote.FirstChild)
		return
	}
}

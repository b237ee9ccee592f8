package plot

import (
	"flag"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "write the golden files anew")

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func amount(s string) *decimal.Decimal { d := dec(s); return &d }

func dollars(d decimal.Decimal) string { return "$" + d.StringFixed(2) }

func short(d decimal.Decimal) string { return "$" + d.String() }

// halfYear is a chart with everything that columns can have.
func halfYear() Columns {
	return Columns{
		ID: "months", Title: "A month's rate", Parts: []string{"Amazon Elastic Compute Cloud", "Amazon RDS"}, Say: dollars, Brief: short,
		Forecast: "Forecast", Limit: "Budget", Dot: "Billed",
		Slots: []Slot{
			{Name: "November 2026", Label: "Nov", Second: "2026", Parts: []decimal.Decimal{dec("100"), dec("50")}, Limit: amount("180"), Dot: amount("140.5")},
			{Name: "December 2026", Label: "Dec"},
			{Name: "January 2027", Label: "Jan", Second: "2027", Parts: []decimal.Decimal{dec("100"), dec("0")}, Rest: amount("20"), Limit: amount("180")},
			{Name: "February 2027", Label: "Feb", Rest: amount("200"), Limit: amount("180")},
		},
	}
}

func figure(t *testing.T, f func() (template.HTML, error)) *html.Node {
	t.Helper()
	out, err := f()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(strings.NewReader(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func find(n *html.Node, tag, class string) []*html.Node {
	var all []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == tag && (class == "" || slices.Contains(strings.Fields(attr(d, "class")), class)) {
			all = append(all, d)
		}
	}
	return all
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func number(t *testing.T, n *html.Node, name string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(strings.TrimSuffix(attr(n, name), "%"), 64)
	if err != nil {
		t.Fatalf("%s of <%s> is %q", name, n.Data, attr(n, name))
	}
	return v
}

func TestGolden(t *testing.T) {
	budget := amount("200")
	for name, f := range map[string]func() (template.HTML, error){
		"columns": halfYear().Figure,
		"bars": Bars{ID: "services", Title: "By service", Say: dollars, Rows: []Bar{
			{Name: "Amazon Elastic Compute Cloud", Amount: dec("150"), Limit: budget, Tone: Warn}, {Name: "Amazon RDS", Amount: dec("-50"), Tone: Good}, {Name: "free", Amount: dec("0")},
		}}.Figure,
	} {
		got, err := f()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name+".html")
		if *update {
			if err := os.WriteFile(path, []byte(got+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got)+"\n" != string(want) {
			t.Errorf("%s is another (go test ./internal/plot -run Golden -update writes it anew):\n%s", path, got)
		}
	}
}

// The heights of the rectangles are in the proportion of the amounts, and
// what is stacked stands on what is below it.
func TestColumnsAreToScale(t *testing.T) {
	doc := figure(t, halfYear().Figure)
	rects := find(find(doc, "svg", "plot-columns")[0], "rect", "")
	if len(rects) != 5 { // the zero is not drawn, nor what is not known
		t.Fatalf("%d rectangles", len(rects))
	}
	// The scale goes to 200: a pixel is a dollar.
	for i, want := range []struct{ y, h float64 }{{118, 100}, {68, 50}, {118, 100}, {98, 20}, {18, 200}} {
		if y, h := number(t, rects[i], "y"), number(t, rects[i], "height"); y != want.y || h != want.h {
			t.Errorf("rectangle %d is at %v, %v high; want %v, %v", i, y, h, want.y, want.h)
		}
	}
	for i, r := range rects {
		if forecast := slices.Contains(strings.Fields(attr(r, "class")), "plot-forecast"); forecast != (i > 2) {
			t.Errorf("rectangle %d: drawn as a forecast: %v", i, forecast)
		}
	}
	lines := find(find(doc, "svg", "plot-columns")[0], "line", "plot-limit")
	if len(lines) != 3 || number(t, lines[0], "y1") != 38 { // none where none is given
		t.Errorf("%d lines of the budget", len(lines))
	}
	if dots := find(find(doc, "svg", "plot-columns")[0], "circle", ""); len(dots) != 1 || number(t, dots[0], "cy") != 77.5 {
		t.Errorf("%d dots", len(dots))
	}
}

func TestDescriptionSaysEveryFigure(t *testing.T) {
	doc := figure(t, halfYear().Figure)
	svg := find(doc, "svg", "plot-columns")[0]
	byID := map[string]string{}
	for d := range svg.Descendants() {
		if id := attr(d, "id"); id != "" {
			byID[id] = text(d)
		}
	}
	if attr(svg, "role") != "img" || byID[attr(svg, "aria-labelledby")] != "A month's rate" {
		t.Errorf("the chart is called %q", byID[attr(svg, "aria-labelledby")])
	}
	want := "November 2026: $150.00, Budget $180.00, Billed $140.50. December 2026: not known. January 2027: $100.00, Forecast $120.00, Budget $180.00. February 2027: Forecast $200.00, Budget $180.00."
	if got := byID[attr(svg, "aria-describedby")]; got != want {
		t.Errorf("the description is\n%s\nwant\n%s", got, want)
	}
	if got := text(find(doc, "ul", "plot-legend")[0]); strings.Join(strings.Fields(got), " ") != "Amazon Elastic Compute Cloud Amazon RDS Forecast Budget Billed" {
		t.Errorf("the legend says %q", got)
	}
}

func TestMorePartsThanColours(t *testing.T) {
	c := Columns{ID: "m", Title: "x", Say: dollars, Slots: []Slot{{Name: "a"}, {Name: "b"}}}
	for i := range 12 {
		c.Parts = append(c.Parts, fmt.Sprintf("s%d", i))
		c.Slots[0].Parts = append(c.Slots[0].Parts, decimal.NewFromInt(int64(i)))
		c.Slots[1].Parts = append(c.Slots[1].Parts, decimal.NewFromInt(int64(i)))
	}
	doc := figure(t, c.Figure)
	var names []string
	for _, li := range find(doc, "li", "") {
		names = append(names, strings.TrimSpace(text(li)))
	}
	if got := strings.Join(names, " "); got != "s5 s6 s7 s8 s9 s10 s11 5 others" {
		t.Errorf("the parts are %s", got)
	}
	if !strings.Contains(text(doc), "a, 5 others: $10.00") || !strings.Contains(text(doc), "a: $66.00") {
		t.Error("the others' sum is lost")
	}
	if len(c.Parts) != 12 || len(c.Slots[0].Parts) != 12 {
		t.Error("the caller's chart was changed")
	}
}

func TestScale(t *testing.T) {
	for _, c := range []struct {
		amounts string
		want    string
	}{
		{"", "0 0.25 0.5 0.75 1"}, {"0", "0 0.25 0.5 0.75 1"}, {"0.0003", "0 0.0001 0.0002 0.0003"}, {"7", "0 2 4 6 8"}, {"1234.5", "0 500 1000 1500"},
		{"-50 100", "-50 0 50 100"}, {"-3", "-3 -2 -1 0"}, {"99999999999", "0 25000000000 50000000000 75000000000 100000000000"},
	} {
		var all []decimal.Decimal
		for _, a := range strings.Fields(c.amounts) {
			all = append(all, dec(a))
		}
		var got []string
		for _, tick := range newScale(all).ticks() {
			got = append(got, tick.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q: the lines are at %v, want %s", c.amounts, got, c.want)
		}
	}
}

// Whatever the amounts are, nothing is drawn outside of the field or with a
// number that is none.
func TestAnyAmountCanBeDrawn(t *testing.T) {
	huge := decimal.New(1, 400)
	for _, a := range []decimal.Decimal{{}, dec("0.0000001"), dec("-12"), dec("1e14"), huge, huge.Neg()} {
		c := Columns{ID: "m", Title: "x", Parts: []string{"a"}, Slots: []Slot{{Name: "n", Label: "n", Parts: []decimal.Decimal{a}, Limit: &a, Dot: amount("3")}}, Say: func(decimal.Decimal) string { return "x" }}
		doc := figure(t, c.Figure)
		b := Bars{ID: "b", Title: "x", Rows: []Bar{{Name: "n", Amount: a, Limit: amount("5")}}, Say: c.Say}
		for _, n := range append(find(doc, "rect", ""), find(figure(t, b.Figure), "rect", "")...) {
			y, h := number(t, n, "y"), number(t, n, "height")
			if y < 0 || h < 0 || y+h > fieldTop+fieldHeight+fieldFoot || number(t, n, "width") > 100 || number(t, n, "x") < 0 {
				t.Errorf("%s: drawn at %v, %v high", a, y, h)
			}
		}
	}
	for name, f := range map[string]func() (template.HTML, error){"columns": Columns{ID: "m", Title: "x"}.Figure, "bars": Bars{ID: "b", Title: "x"}.Figure} {
		if doc := figure(t, f); len(find(doc, "rect", "")) != 0 {
			t.Errorf("empty %s have rectangles", name)
		}
	}
}

const payload = `"'><script>window.hacked=1</script><img src=x onerror=alert(1)></title></desc></svg><style>*{}</style><!--{{.}}` + "\u202ereversed\x1b]0;x\x07\x00"

// What strangers chose stays text: a project's name, a service of an imported
// bill.
func TestThreat_NamesInChartsStayText(t *testing.T) {
	say := func(decimal.Decimal) string { return payload }
	c := Columns{ID: "m", Title: payload, Parts: []string{payload, "b"}, Forecast: payload, Limit: payload, Dot: payload, Say: say, Slots: []Slot{
		{Name: payload, Label: payload, Second: payload, Parts: []decimal.Decimal{dec("1"), dec("2")}, Rest: amount("1"), Limit: amount("2"), Dot: amount("1")},
	}}
	b := Bars{ID: "b", Title: payload, Say: say, Rows: []Bar{{Name: payload, Amount: dec("1"), Note: payload, Tone: Bad}}}
	for name, f := range map[string]func() (template.HTML, error){"columns": c.Figure, "bars": b.Figure} {
		out, err := f()
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(string(out), "\x1b\x00\x07\u202e") {
			t.Errorf("%s hold characters that command", name)
		}
		doc := figure(t, f)
		if body := find(doc, "body", "")[0]; body.FirstChild == nil || body.FirstChild != body.LastChild || body.FirstChild.Data != "figure" {
			t.Errorf("something got out of the figure of %s", name)
		}
		allowed := []string{"html", "head", "body", "figure", "svg", "title", "desc", "g", "rect", "line", "circle", "text", "figcaption", "ul", "li"}
		for d := range doc.Descendants() {
			if d.Type == html.CommentNode || d.Type == html.ElementNode && !slices.Contains(allowed, d.Data) {
				t.Errorf("%s have a <%s>", name, d.Data)
			}
			for _, a := range d.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.Contains(a.Key, "href") {
					t.Errorf("%s have an attribute %s", name, a.Key)
				}
			}
		}
		if !strings.Contains(text(doc), "<script>window.hacked=1</script>") {
			t.Errorf("the name can't be read in %s", name)
		}
	}
}

// The style sheet fetches nothing, and every class that charts have stands in it.
func TestStyleCoversTheCharts(t *testing.T) {
	for _, no := range []string{"url(", "@import", "expression"} {
		if strings.Contains(Style, no) {
			t.Errorf("the style has %s", no)
		}
	}
	if !strings.Contains(Style, "prefers-color-scheme: dark") {
		t.Error("the style knows no dark scheme")
	}
	for _, f := range []func() (template.HTML, error){halfYear().Figure, Bars{ID: "b", Say: dollars, Rows: []Bar{{Tone: Good}, {Tone: Warn}, {Tone: Bad}}}.Figure} {
		for d := range figure(t, f).Descendants() {
			for _, class := range strings.Fields(attr(d, "class")) {
				if !strings.Contains(Style, "."+class) {
					t.Errorf("the style does not know %s", class)
				}
			}
		}
	}
}

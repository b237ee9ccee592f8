package terminal

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCells(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "✅": 2, "⏳ x": 4, "⚠": 1, "é": 1, "e\u0301": 1, "日本": 4, "a\u2060b": 2, "─╭": 2, "🔒": 2} {
		if got := Cells(s); got != want {
			t.Errorf("cells(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tc := range []struct {
		in    string
		width int
		want  string
	}{
		{"short", 5, "short"}, {"longer", 5, "long…"}, {"✅✅✅", 5, "✅✅…"}, {"✅✅✅", 4, "✅…"}, {"x", 0, ""}, {"日本語", 6, "日本語"},
	} {
		if got := Text(Plain, tc.in).Cut(tc.width); got.String() != tc.want || got.Cells() > tc.width {
			t.Errorf("cut(%q, %d) = %q", tc.in, tc.width, got)
		}
	}
}

func TestWrap(t *testing.T) {
	l := Line{{"one ", Plain}, {"two", Bold}, {", three four-five", Plain}}
	var got []string
	for _, w := range l.Wrap(9, 2) {
		got = append(got, w.Paint(true))
		if w.Cells() > 11 {
			t.Errorf("%q is too wide", w)
		}
	}
	if diff := cmp.Diff([]string{"one \x1b[1mtwo\x1b[0m,", "  three", "  four-five"}, got); diff != "" {
		t.Error(diff)
	}
	if got := Line(nil).Wrap(10, 2); len(got) != 1 || got[0].Cells() != 0 {
		t.Errorf("an empty line wraps to %q", got)
	}
}

// TestLiveLinesAreRedrawn plays the escape sequences back on a screen.
func TestLiveLinesAreRedrawn(t *testing.T) {
	var out bytes.Buffer
	s := &Screen{W: &out, Live: true, Width: 60, Margin: 4}
	s.Put(Text(Plain, "first"))
	s.Draw(Text(Plain, "live 1"), Text(Plain, strings.Repeat("w", 200)))
	s.Draw(Text(Plain, "live 2"))
	s.Put(Text(Plain, "second"))
	s.Draw(Text(Plain, "live 3"))
	s.Clear()
	if got, want := onScreen(t, out.String()), "    first\n    second\n"; got != want {
		t.Errorf("on the screen:\n%s", got)
	}

	out.Reset()
	s = &Screen{W: &out, Width: 60, Margin: 4}
	s.Draw(Text(Plain, "live"))
	s.Clear()
	s.Put(Text(Plain, "line"))
	if out.String() != "    line\n" {
		t.Errorf("where there is no terminal: %q", out.String())
	}
}

// onScreen is a terminal that knows what screen uses: up, to the line's end, to
// the screen's end.
func onScreen(t *testing.T, s string) string {
	t.Helper()
	rows, at := []string{""}, 0
	for s != "" {
		switch {
		case strings.HasPrefix(s, "\x1b["):
			end := strings.IndexAny(s, "AKJ")
			switch s[end] {
			case 'A':
				at -= int(s[2] - '0')
			case 'J':
				rows = append(rows[:at], "")
			}
			s = s[end+1:]
		case s[0] == '\n':
			if at++; at == len(rows) {
				rows = append(rows, "")
			}
			s = s[1:]
		case s[0] == '\r':
			s = s[1:]
		default:
			end := strings.IndexAny(s, "\x1b\n\r")
			if end < 0 {
				end = len(s)
			}
			if Cells(s[:end]) > 60 {
				t.Errorf("a row is wider than the screen: %q", s[:end])
			}
			rows[at] = s[:end]
			s = s[end:]
		}
	}
	return strings.Join(rows, "\n")
}

const example = `<!-- tidelock:1:2 -->
### 📋 Plan: 1 to add · +$5 a month

| project | plan | state |
|---|---|---|
| ` + "`a\\|b`" + ` | +1 | 📋 planned 🔒 |
| ` + "`network`" + ` | no changes | ✅ nothing to do |

- ⛔ **Open \(AWS\)** (high, ` + "`x.y`" + `): from &lt;0.0.0.0/0&gt; _Name the addresses._

<details open><summary>Plan of <code>a|b</code>: 1 to add</summary>

` + "```diff" + `
  # aws_x.new will be created
+   resource "aws_x" "new" {
+       id = (known after apply)
    }

  # aws_x.old will be updated in-place
~   resource "aws_x" "old" {
        id   = "1"
~       size = 1 -> 2
        # (3 unchanged attributes hidden)
    }
` + "```" + `

</details>

<details><summary>Cost of <code>a|b</code>: +$5</summary>

| resource | after |
|---|---:|
| ` + "`aws_x.new`" + ` | $5 |

</details>

<details><summary>Plan of <code>network</code></summary>

` + "```" + `
hidden
` + "```" + `

</details>

#### Next

- **Merge** this, or comment ` + "`plan`" + `.

<sub>commit abc · [details](http://x/y) · commands: <code>help</code></sub>
`

func TestComment(t *testing.T) {
	want := `📋 Plan: 1 to add · +$5 a month

project  plan        state
a|b      +1          📋 planned 🔒
network  no changes  ✅ nothing to do

• ⛔ Open (AWS) (high, x.y): from
  <0.0.0.0/0> Name the addresses.

▾ Plan of a|b: 1 to add

  + aws_x.new will be created
  ~ aws_x.old will be updated in-place
      ~ size = 1 -> 2

▸ Cost of a|b: +$5
▸ Plan of network

Next

• Merge this, or comment plan.

commit abc · details · commands: help`
	if diff := cmp.Diff(want, join(Comment(example, Shown{Width: 40}))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := join(Comment(example, Shown{Width: 40, Unfold: []string{"Cost of"}})); !strings.Contains(got, "▾ Cost of a|b: +$5\n\nresource   after\naws_x.new  $5\n") {
		t.Errorf("the cost is not unfolded:\n%s", got)
	}
	cost := "```diff\n+ aws_x.new  +$5\n+   Instance: 730 hours × $0.00685 = $5\n```"
	if got := join(Comment(cost, Shown{Width: 60})); !strings.Contains(got, "+   Instance: 730 hours") {
		t.Errorf("a diff that is no plan is told as it is:\n%s", got)
	}
	if got := Headline(example); got != "📋 Plan: 1 to add · +$5 a month" {
		t.Errorf("headline %q", got)
	}
	if got := join(Comment(TableOf(example), Shown{Width: 40})); strings.Count(got, "\n") != 2 {
		t.Errorf("table:\n%s", got)
	}
}

func join(lines []Line) string {
	var out []string
	for _, l := range lines {
		out = append(out, l.trimRight().String())
	}
	return strings.Join(out, "\n")
}

// TestCommentNeverPanics feeds it comments that end anywhere.
func TestCommentNeverPanics(t *testing.T) {
	for i := range example {
		for _, l := range Comment(example[:i], Shown{Width: 30}) {
			if l.Cells() > 60 {
				t.Fatalf("a line of %d cells: %q", l.Cells(), l)
			}
		}
	}
}

// TestWhole: nothing is folded or cut, and a plan keeps its words, in colours.
func TestWhole(t *testing.T) {
	var text, painted strings.Builder
	for _, l := range Comment(example, Shown{Width: 30, Whole: true}) {
		text.WriteString(l.String() + "\n")
		painted.WriteString(l.Paint(true) + "\n")
	}
	for _, want := range []string{"▾ Cost of a|b: +$5\n", "▾ Plan of network\n", "\n  hidden\n", "  # aws_x.new will be created\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
	for _, want := range []string{"\x1b[32m+ ", "\x1b[33m~ "} {
		if !strings.Contains(painted.String(), want) {
			t.Errorf("%q is not in\n%s", want, painted.String())
		}
	}
}

// TestThreat_TerminalIsNotObeyed: what a stranger wrote moves no cursor.
func TestThreat_TerminalIsNotObeyed(t *testing.T) {
	for _, l := range Comment("### a\x1b[2Jb\n\n```diff\n+ \x1b]0;x\x07\u009b1m\n```\n", Shown{Width: 80, Whole: true}) {
		if strings.ContainsAny(l.String(), "\x1b\x07\u009b") {
			t.Errorf("%q", l.String())
		}
	}
}

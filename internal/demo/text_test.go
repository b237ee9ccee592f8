package demo

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCells(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "✅": 2, "⏳ x": 4, "⚠": 1, "é": 1, "e\u0301": 1, "日本": 4, "a\u2060b": 2, "─╭": 2, "🔒": 2} {
		if got := cells(s); got != want {
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
		if got := text(plain, tc.in).cut(tc.width); got.String() != tc.want || got.cells() > tc.width {
			t.Errorf("cut(%q, %d) = %q", tc.in, tc.width, got)
		}
	}
}

func TestWrap(t *testing.T) {
	l := line{{"one ", plain}, {"two", bold}, {", three four-five", plain}}
	var got []string
	for _, w := range l.wrap(9, 2) {
		got = append(got, w.paint(true))
		if w.cells() > 11 {
			t.Errorf("%q is too wide", w)
		}
	}
	if diff := cmp.Diff([]string{"one \x1b[1mtwo\x1b[0m,", "  three", "  four-five"}, got); diff != "" {
		t.Error(diff)
	}
	if got := line(nil).wrap(10, 2); len(got) != 1 || got[0].cells() != 0 {
		t.Errorf("an empty line wraps to %q", got)
	}
}

// TestLiveLinesAreRedrawn plays the escape sequences back on a screen.
func TestLiveLinesAreRedrawn(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, true, 60, false)
	s.put(text(plain, "first"))
	s.draw(text(plain, "live 1"), text(plain, strings.Repeat("w", 200)))
	s.draw(text(plain, "live 2"))
	s.put(text(plain, "second"))
	s.draw(text(plain, "live 3"))
	s.clear()
	if got, want := onScreen(t, out.String()), "    first\n    second\n"; got != want {
		t.Errorf("on the screen:\n%s", got)
	}

	out.Reset()
	s = newScreen(&out, false, 60, false)
	s.draw(text(plain, "live"))
	s.clear()
	s.put(text(plain, "line"))
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
			if cells(s[:end]) > 60 {
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
	if diff := cmp.Diff(want, join(comment(example, 40))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := join(comment(example, 40, "Cost of")); !strings.Contains(got, "▾ Cost of a|b: +$5\n\nresource   after\naws_x.new  $5\n") {
		t.Errorf("the cost is not unfolded:\n%s", got)
	}
	if got := headline(example); got != "📋 Plan: 1 to add · +$5 a month" {
		t.Errorf("headline %q", got)
	}
	if got := join(comment(tableOf(example), 40)); strings.Count(got, "\n") != 2 {
		t.Errorf("table:\n%s", got)
	}
}

func join(lines []line) string {
	var out []string
	for _, l := range lines {
		out = append(out, l.trimRight().String())
	}
	return strings.Join(out, "\n")
}

// TestCommentNeverPanics feeds it comments that end anywhere.
func TestCommentNeverPanics(t *testing.T) {
	for i := range example {
		for _, l := range comment(example[:i], 30) {
			if l.cells() > 60 {
				t.Fatalf("a line of %d cells: %q", l.cells(), l)
			}
		}
	}
}

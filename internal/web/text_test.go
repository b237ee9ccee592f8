package web

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tidelock/tidelock/internal/terminal"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"as it is":                                  "as it is",
		"\x1b[1;31mred\x1b[0m":                      "red",
		"\x1b]0;a title\x07text":                    "text",
		"\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\": "link",
		"\x1b]0;never ends\nnext line":              "\nnext line",
		"\x1bPdevice\x1b\\after":                    "after",
		"cut off \x1b[":                             "cut off ",
		"cut off \x1b":                              "cut off \x1b", // shown by visible
		"\x1b(Bcharset":                             "charset",
		"\x1b[38;2;1;2;3mtrue colour":               "true colour",
		"a\r\nb\rc":                                 "a\nb\nc",
		"\x1b[2J\x1b[Hcleared":                      "cleared",
	} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestThreat_HiddenCharactersShow(t *testing.T) {
	for in, want := range map[string]string{
		"plain\ttext\n":     "plain\ttext\n",
		"Grüße 你好 👩‍💻":      "Grüße 你好 👩‍💻",
		"a\u202egnp.exe":    "a⟦U+202E⟧gnp.exe",
		"zero\u200bwidth":   "zero⟦U+200B⟧width",
		"\u2066iso\u2069":   "⟦U+2066⟧iso⟦U+2069⟧",
		"bell\x07 esc\x1b":  "bell␇ esc␛",
		"\x7f":              "␡",
		"bad\xffutf8\xc3":   "bad\uFFFDutf8\uFFFD",
		"c1\u009b31m":       "c1\uFFFD31m",
		"line\u2028sep":     "line⟦U+2028⟧sep",
		"tag\U000e0041":     "tag⟦U+E0041⟧",
		"sel\U000e0100":     "sel⟦U+E0100⟧",
		"filler\u3164":      "filler⟦U+3164⟧",
		"\ufeffmark":        "⟦U+FEFF⟧mark",
		"shown \uFFFD mark": "shown \uFFFD mark",
	} {
		if got := string(visible([]byte(in))); got != want {
			t.Errorf("visible(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzVisible(f *testing.F) {
	f.Add("a\u202eb\x1b[31m\xff<b>")
	f.Fuzz(func(t *testing.T, s string) {
		got := string(visible([]byte(plain(s))))
		if !utf8.ValidString(got) {
			t.Errorf("%q gives invalid UTF-8 %q", s, got)
		}
		for _, r := range got {
			if r != utf8.RuneError && terminal.Hidden(r) {
				t.Errorf("%q leaves %U", s, r)
			}
		}
		for _, c := range `<>&"'` {
			if strings.Count(got, string(c)) > strings.Count(s, string(c)) {
				t.Errorf("%q gains %q: %q", s, c, got)
			}
		}
		var joined strings.Builder
		for _, l := range diffLines(s) {
			joined.WriteString(l.Text)
		}
		if joined.String() != plain(s) {
			t.Errorf("the diff of %q is %q", s, joined.String())
		}
	})
}

func TestFlat(t *testing.T) {
	for in, want := range map[string]string{
		"":                                   "",
		`{"pull":12,"dir":"net","empty":""}`: "pull 12, dir net",
		`{"summary":{"create":2,"delete":0},"error":"a\u001b[1mb","none":null}`: "summary (create 2), error ab",
		`{"summary":{"create":0}}`: "",
		`[1,2]`:                    "[1,2]",
		`"text"`:                   `"text"`,
		`{"list":["a","b"]}`:       `list ["a","b"]`,
		`{"cut":`:                  `{"cut":`,
	} {
		if got := flat(json.RawMessage(in)); got != want {
			t.Errorf("flat(%s) = %q, want %q", in, got, want)
		}
	}
}

package command

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tidelock/tidelock/planner"
)

var live = regexp.MustCompile(`@[\pL\pN]|#[0-9]|://|www\.|<[a-zA-Z!/]|\]\(|\[[^\]]*\]\(`)

// withoutCode takes code in single backticks and what a backslash escapes out
// of s, and reports whether the last code was closed.
func withoutCode(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '`':
			n := strings.IndexByte(s[i+1:], '`')
			if n < 0 {
				return b.String(), false
			}
			i += n + 1
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), true
}

// harmless fails unless the answer to a command is one short line that mentions
// nobody, links nowhere and holds no HTML, once its code is taken away.
func harmless(t *testing.T, s string) {
	t.Helper()
	if len(s) > 1000 || strings.ContainsAny(s, "\r\n") || !utf8.ValidString(s) {
		t.Errorf("an answer of %d bytes: %q", len(s), s)
	}
	left, closed := withoutCode(s)
	if !closed {
		t.Errorf("code is left open: %q", s)
	}
	if found := live.FindString(left); found != "" {
		t.Errorf("%q is alive in %q", found, s)
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r != '\u2060' && invisible(string(r)) }); i >= 0 {
		t.Errorf("a character that can't be seen in %q", s)
	}
}

// What a stranger writes into a command is never said back so that it mentions
// people, links, or ends the code that it stands in.
func TestThreat_CommandEchoIsInert(t *testing.T) {
	for _, evil := range []string{"@org/team", "`@org/team`", "``@org", "<img/src=x>", "[x](https://evil.example)", "https://evil.example", "#1", "<!--",
		"**@org**", "x`@org`y", `\`, "\\`@org", "|", strings.Repeat("@org,", 3000), "x\x1b[31m", "x\u200b", "\u202ex"} {
		for _, line := range []string{
			"tidelock plan X", "tidelock plan --X", "tidelock plan -X=1", "tidelock plan -d X/[", "tidelock plan -w X", "tidelock plan --head X", "tidelock plan -p=-X",
			"tidelock plan -- X", "tidelock plan -- -X", "tidelock plan -- -target=X", "tidelock plan -- -var X", "tidelock plan -- -parallelism=X", "tidelock plan -- -refresh=X",
			"tidelock approve-policies --rule X", "tidelock approve-policies --rule=[X", "tidelock approve-policies --for X", "tidelock approve-policies --reason=X", "tidelock import -p x X y", "tidelock import -p x X", "tidelock import -p x aws_x.a -X", "tidelock state rm X", "tidelock state X", "tidelock X", "tidelock apply -d '../X'", "plan --X", "plan -p 'X", "@bot plan —X",
		} {
			for _, c := range Parse(strings.ReplaceAll(line, "X", evil), "bot") {
				harmless(t, c.Problem)
			}
		}
	}
}

// What looks like a command but is made of other letters is none: nobody can
// be shown one thing and have another done, and no filter is got round.
func TestThreat_CommandLookAlikes(t *testing.T) {
	for _, word := range []string{
		"\u0430pply",      // Cyrillic a
		"\uff41\uff50ply", // full width
		"unloc\u212a",     // the Kelvin sign, which Unicode lower-cases to k
		"app\u200bly", "\u200bapply", "apply\u200b", "ap\u00adply", "\u202eylppa", "\ufeffapply", "app\u2060ly", "appl\u0443",
		"apply\u0301", "apply\ufe0f", "dest\u0433oy", "rollb\u0430ck",
	} {
		for _, how := range []string{"", "/", "tidelock ", "@bot "} {
			for _, rest := range []string{"", " -p net"} {
				if got := Parse(how+word+rest, "bot"); len(got) > 0 {
					t.Errorf("%q gives %+v", how+word+rest, first(got))
				}
			}
		}
	}
	for _, line := range []string{"\u200btidelock apply", "t\u0456delock apply", "tideloc\u212a apply", "@b\u043et apply", "/\u200bapply", "\u2215apply"} {
		if got := Parse(line, "bot"); len(got) > 0 {
			t.Errorf("%q gives %+v", line, first(got))
		}
	}
}

// A character that can't be seen, or that turns text around, stands in no
// command that is obeyed.
func TestThreat_CommandInvisible(t *testing.T) {
	for _, bad := range []string{"\u200b", "\u202e", "\u2066", "\u00ad", "\ufeff", "\u2060", "\ufe0f", "\u3164", "\u2800", "\u2028", "\x00", "\x1b[1m", "\U000e0041", "\xff"} {
		for _, line := range []string{"plan -p nXet", "plan -d aX/b", "apply -w pXrod", "plan -- -target=aws_x.aX", "plan -- -var=a=X", "import -p x aws_x.a iX1", "plan -X", "state rm aws_x.X"} {
			got := Parse(strings.ReplaceAll(line, "X", bad), "bot")
			if len(got) != 1 || got[0].Problem != unseen {
				t.Errorf("%q gives %+v", strings.ReplaceAll(line, "X", bad), first(got))
			}
		}
	}
}

// A comment of any size or shape is read in time that grows with it alone, and
// gives little.
func TestThreat_CommandFlood(t *testing.T) {
	const mega = 1 << 20
	for name, body := range map[string]string{
		"one long line":       "plan " + strings.Repeat("-p x ", mega/5),
		"one long word":       "plan -p " + strings.Repeat("x", mega),
		"one long quote":      "plan -p \"" + strings.Repeat("x", mega),
		"backslashes":         "plan -p \"" + strings.Repeat("\\", mega),
		"many lines":          strings.Repeat("cost\n", mega/5),
		"many lines of typos": strings.Repeat("tidelock pln\n", mega/13),
		"fences":              strings.Repeat("```\n~~~~\n", mega/9),
		"HTML":                strings.Repeat("<!--", mega/4),
		"equals":              "plan -- -var=" + strings.Repeat("a=\"", 5000),
		"nothing":             strings.Repeat("\n", mega),
	} {
		got := Parse(body, "bot")
		if len(got) > maxCommands {
			t.Errorf("%s: %d commands", name, len(got))
		}
		for _, c := range got {
			if len(c.String()) > 2*maxLine {
				t.Errorf("%s: a command of %d bytes", name, len(c.String()))
			}
			if c.Problem != "" {
				harmless(t, c.Problem)
			}
		}
	}
	long := strings.Repeat("a", 300)
	for _, pattern := range []string{strings.Repeat("{a,a}", 60) + "b", strings.Repeat("*a", 150) + "b", strings.Repeat("**/", 100) + "b", strings.Repeat("*{a,*}", 50), strings.Repeat("[a-z]*", 50) + "b"} {
		if dirs(pattern).Match(projectAt(long)) || dirs(pattern).Match(projectAt(strings.Repeat("a/", 150)+"c")) || projects(pattern).Match(projectAt(long)) {
			t.Errorf("%q matches", pattern)
		}
	}
}

func projectAt(dir string) planner.Project { return planner.Project{Dir: dir, Name: dir} }

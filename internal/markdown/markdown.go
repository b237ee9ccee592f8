package markdown

import (
	"regexp"
	"strings"
	"unicode"
)

// Code returns s as inline code. Inside it nothing is interpreted: no mention,
// no HTML, no link. The fence is longer than any run of backticks in s.
func Code(s string) string {
	s = OneLine(s)
	if s == "" {
		return "`` ``"
	}
	fence := strings.Repeat("`", longestRun(s, '`')+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// Cell is code in a table, where even code must not hold a bare pipe.
func Cell(s string) string { return strings.ReplaceAll(Code(s), "|", "\\|") }

// Prose returns s as text in which nothing is interpreted.
func Prose(s string) string { return inert(OneLine(s)) }

func inert(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '@', '#':
			// A zero-width joiner keeps a name from being a mention, and a
			// number from being a reference.
			b.WriteRune(r)
			b.WriteRune('\u2060')
		case '\\', '`', '*', '_', '{', '}', '[', ']', '(', ')', '!', '|', '~':
			b.WriteRune('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	// What GitHub would make a link of by itself.
	return strings.NewReplacer("://", ":\u2060//", "www.", "www\u2060.").Replace(b.String())
}

// Mention calls a person by their login on GitHub. What can't be a login is
// shown as code.
func Mention(login string) string {
	if !loginForm.MatchString(login) {
		return Code(login)
	}
	return "@" + login
}

// loginForm is what GitHub lets a login look like.
var loginForm = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?$`)

// Calm lets each person be called once in a comment: what calls them again is
// left as text. Code is not touched, since nothing in it calls anybody.
func Calm(markdown string) string {
	var b strings.Builder
	called := map[string]bool{}
	for i := 0; i < len(markdown); {
		c := markdown[i]
		switch {
		case c == '\\' && i+1 < len(markdown):
			b.WriteString(markdown[i : i+2])
			i += 2
		case c == '`':
			n := codeSpan(markdown[i:])
			b.WriteString(markdown[i : i+n])
			i += n
		case c == '@':
			login := strings.ToLower(leadingLogin(markdown[i+1:]))
			b.WriteByte('@')
			if login != "" && called[login] {
				b.WriteString("\u2060")
			}
			called[login] = true
			i++
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

// codeSpan returns how long the code is that s begins with, its fences
// included; of a fence that nothing closes, the fence alone.
func codeSpan(s string) int {
	n := len(s) - len(strings.TrimLeft(s, "`"))
	for at := n; ; {
		i := strings.IndexByte(s[at:], '`')
		if i < 0 {
			return n
		}
		at += i
		m := len(s[at:]) - len(strings.TrimLeft(s[at:], "`"))
		at += m
		if m == n {
			return at
		}
	}
}

// leadingLogin returns the login, or the team, that s begins with.
func leadingLogin(s string) string {
	end := strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '/' || r == '_')
	})
	if end < 0 {
		return s
	}
	return s[:end]
}

// Sentences is prose in which inline code stays what it is: what the bot
// itself wrote down, with names in it that strangers chose.
func Sentences(s string) string {
	var b strings.Builder
	for s = OneLine(s); s != ""; {
		i := strings.IndexByte(s, '`')
		if i < 0 {
			i = len(s)
		}
		b.WriteString(inert(s[:i]))
		s = s[i:]
		if s == "" {
			break
		}
		n := codeSpan(s)
		if fence := len(s) - len(strings.TrimLeft(s, "`")); n == fence { // nothing closes it
			b.WriteString(inert(s[:n]))
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// Fenced returns s as a code block whose fence is longer than any in s.
func Fenced(language, s string) string {
	s = strings.TrimRight(clean(s), "\n")
	fence := strings.Repeat("`", max(3, longestRun(s, '`')+1))
	return fence + language + "\n" + s + "\n" + fence
}

// longestRun returns how often r stands in a row in s, at most.
func longestRun(s string, r rune) int {
	if !strings.ContainsRune(s, r) {
		return 0
	}
	longest, run := 0, 0
	for _, c := range s {
		if c == r {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	return longest
}

// clean takes out terminal escapes and every control or formatting character
// but line ends and tabs: among them the ones that turn text around.
func clean(s string) string {
	var b strings.Builder
	skip := 0  // 0: text; 1: after ESC; 2: in a control sequence; 3: in an operating system command
	from := -1 // where the stretch begins that is kept; plans of megabytes are not copied rune by rune
	for i, r := range s {
		keep := false
		switch {
		case skip == 1:
			switch r {
			case '[':
				skip = 2
			case ']':
				skip = 3
			default:
				skip = 0
			}
		case skip == 2:
			if r >= '@' && r <= '~' {
				skip = 0
			}
		case skip == 3:
			if r == '\a' || r == '\n' {
				skip = 0
			}
		case r == '\x1b':
			skip = 1
		case r >= ' ' && r <= '~', r == '\n', r == '\t', r == '\u2060':
			keep = true
		default: // a byte that is not UTF-8 comes as the replacement character
			keep = !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r) && r != unicode.ReplacementChar
		}
		switch {
		case keep && from < 0:
			from = i
		case !keep && from >= 0:
			b.WriteString(s[from:i])
			from = -1
		}
	}
	if from == 0 {
		return s
	}
	if from > 0 {
		b.WriteString(s[from:])
	}
	return b.String()
}

// OneLine returns s without terminal escapes and characters that can't be seen,
// each stretch of white space as one space. It is not inert yet.
func OneLine(s string) string {
	return strings.Join(strings.Fields(clean(s)), " ")
}

// Cut shortens s to at most n bytes at a line's end, if there is one.
func Cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = strings.ToValidUTF8(s[:n], "")
	if i := strings.LastIndexByte(s, '\n'); i > n/2 {
		s = s[:i]
	}
	return s
}

// Word makes a word of a stranger's safe to quote in backticks, where nothing
// is a mention, a link or HTML.
func Word(s string) string {
	s = strings.ReplaceAll(OneLine(s), "`", "")
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

// Abridged keeps the beginning of a text, n bytes of it, on one line.
func Abridged(s string, n int) string {
	s = OneLine(s)
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// Fold returns a body, which is Markdown, folded away under a title that may
// hold inline code of Code's.
func Fold(title, body string, open bool) string {
	tag := "<details>"
	if open {
		tag = "<details open>"
	}
	return tag + "<summary>" + inHTML(title) + "</summary>\n\n" + body + "\n\n</details>\n\n"
}

// inHTML turns the inline code of a title into HTML, since GitHub reads no
// Markdown inside a summary.
func inHTML(s string) string {
	start := strings.IndexByte(s, '`')
	if start < 0 {
		return s
	}
	n := 0
	for start+n < len(s) && s[start+n] == '`' {
		n++
	}
	fence := s[start : start+n]
	end := strings.Index(s[start+n:], fence)
	if end < 0 {
		return s
	}
	inside := strings.TrimSpace(s[start+n : start+n+end])
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "&#64;").Replace(inside)
	return s[:start] + "<code>" + escaped + "</code>" + s[start+n+end+n:]
}

// maxList is how much of a text List shows, in bytes.
const maxList = 12_000

// List shows a text as a list, a line an item, in which nothing is interpreted.
func List(lines string) string {
	var b strings.Builder
	for _, line := range strings.Split(Cut(lines, maxList), "\n") {
		if text := Prose(line); text != "" {
			b.WriteString("- \u2060" + text + "\n") // the joiner keeps it from beginning a block of its own
		}
	}
	return b.String() + "\n"
}

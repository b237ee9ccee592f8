package bot

import (
	"regexp"
	"strings"
	"unicode"
)

// Everything in this file makes text that a stranger chose (a project's name,
// a resource's address, an error of Terraform's) inert in GitHub's Markdown: it
// can't end the block it stands in, mention anybody, open HTML, or colour a
// terminal.

// code returns s as inline code. Inside it nothing is interpreted: no mention,
// no HTML, no link. The fence is longer than any run of backticks in s.
func code(s string) string {
	s = oneLine(s)
	if s == "" {
		return "`` ``"
	}
	fence := strings.Repeat("`", longestRun(s, '`')+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// codeCell is code in a table, where even code must not hold a bare pipe.
func codeCell(s string) string { return strings.ReplaceAll(code(s), "|", "\\|") }

// prose returns s as text in which nothing is interpreted.
func prose(s string) string { return inert(oneLine(s)) }

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

// mention calls a person by their login on GitHub. What can't be a login is
// shown as code.
func mention(login string) string {
	if !loginForm.MatchString(login) {
		return code(login)
	}
	return "@" + login
}

// loginForm is what GitHub lets a login look like.
var loginForm = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?$`)

// calm lets each person be called once in a comment: what calls them again is
// left as text. Code is not touched, since nothing in it calls anybody.
func calm(markdown string) string {
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

// sentences is prose in which inline code stays what it is: what the bot
// itself wrote down, with names in it that strangers chose.
func sentences(s string) string {
	var b strings.Builder
	for s = oneLine(s); s != ""; {
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

// fenced returns s as a code block whose fence is longer than any in s.
func fenced(language, s string) string {
	s = strings.TrimRight(clean(s), "\n")
	fence := strings.Repeat("`", max(3, longestRun(s, '`')+1))
	return fence + language + "\n" + s + "\n" + fence
}

// longestRun returns how often r stands in a row in s, at most.
func longestRun(s string, r rune) int {
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
	b.Grow(len(s))
	skip := 0 // 0: text; 1: after ESC; 2: in a control sequence; 3: in an operating system command
	for _, r := range s {
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
		case r == '\n' || r == '\t' || r == '\u2060':
			b.WriteRune(r)
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar:
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func oneLine(s string) string {
	return strings.Join(strings.Fields(clean(s)), " ")
}

// maxName is how much of a project's name is shown, in bytes.
const maxName = 120

// shorten keeps the end of a long name, which is what tells directories apart.
func shorten(name string) string {
	name = oneLine(name)
	if len(name) <= maxName {
		return name
	}
	return "…" + strings.ToValidUTF8(name[len(name)-maxName:], "")
}

// cut shortens s to at most n bytes at a line's end, if there is one.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = strings.ToValidUTF8(s[:n], "")
	if i := strings.LastIndexByte(s, '\n'); i > n/2 {
		s = s[:i]
	}
	return s
}

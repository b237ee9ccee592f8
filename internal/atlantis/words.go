package atlantis

import (
	"regexp"
	"slices"
	"strings"
)

// splitWords parts a line as a shell does, quotes and backslashes taken away,
// and puts in the variables that are known. ok is false where only a shell
// could tell what comes of it: it runs something, it has patterns or pipes,
// or a variable is not known, which is then named.
func splitWords(line string, known map[string]string) (words []string, unknown string, ok bool) {
	var word strings.Builder
	open := false // a word has begun, be it empty
	var quote byte
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == '\'' && c != '\'':
			word.WriteByte(c)
		case quote != 0 && c == quote:
			quote = 0
		case c == '\\' && i+1 < len(line):
			i++
			if quote == '"' && !strings.ContainsRune("$`\"\\", rune(line[i])) {
				word.WriteByte('\\')
			}
			word.WriteByte(line[i])
			open = true
		case c == '$':
			name, end := variable(line, i)
			value, has := known[name]
			if name == "" || !has {
				return nil, name, false
			}
			word.WriteString(value)
			open, i = true, end-1
		case c == '`':
			return nil, "", false
		case quote == '"':
			word.WriteByte(c)
		case c == '"' || c == '\'':
			quote, open = c, true
		case c == ' ' || c == '\t' || c == '\n':
			if open {
				words = append(words, word.String())
				word.Reset()
				open = false
			}
		case strings.IndexByte("|&;<>()*?[]{}~#", c) >= 0:
			// These mean themselves in the middle of what Terraform's flags are
			// made of, addresses above all, as far as no file has such a name.
			if !(open && strings.IndexByte("[]{}~#", c) >= 0) {
				return nil, "", false
			}
			word.WriteByte(c)
		default:
			word.WriteByte(c)
			open = true
		}
	}
	if quote != 0 {
		return nil, "", false
	}
	if open {
		words = append(words, word.String())
	}
	return words, "", true
}

// variable reads $NAME or ${NAME} at i, and where it ends. Anything else that
// a dollar begins has no name.
func variable(s string, i int) (name string, end int) {
	i++
	braces := i < len(s) && s[i] == '{'
	if braces {
		i++
	}
	start := i
	for i < len(s) && (s[i] == '_' || s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z' || i > start && s[i] >= '0' && s[i] <= '9') {
		i++
	}
	name = s[start:i]
	if braces {
		if i >= len(s) || s[i] != '}' {
			return "", i
		}
		i++
	}
	return name, i
}

// variablesIn returns the names of the variables that a shell's line uses, as
// far as can be told by looking for dollars, each once.
func variablesIn(line string) []string {
	var out []string
	for _, m := range shellVariable.FindAllStringSubmatch(line, -1) {
		if !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	return out
}

var shellVariable = regexp.MustCompile(`\$\{?[#!]?([A-Za-z_][A-Za-z0-9_]*)`)

// quoteShell quotes a text for a shell.
func quoteShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

package bot

import (
	"fmt"
	"path"
	"sort"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// Verb is a command's name.
type Verb string

const (
	VerbPlan   Verb = "plan"
	VerbApply  Verb = "apply"
	VerbUnlock Verb = "unlock"
	VerbHelp   Verb = "help"
)

// verbs lists the commands with what help says of them, in help's order.
var verbs = []struct {
	Verb  Verb
	Usage string
	About string
}{
	{VerbPlan, "plan [-d DIR] [-w WORKSPACE] [-p PROJECT]", "plan again: every project this pull request touches, or those that you name"},
	{VerbApply, "apply [-d DIR] [-w WORKSPACE] [-p PROJECT]", "apply the plans that were shown, exactly as they were shown"},
	{VerbUnlock, "unlock [-d DIR] [-w WORKSPACE] [-p PROJECT]", "give up this pull request's locks, so that others can go on"},
	{VerbHelp, "help", "show this"},
}

// Command is one command as it was written in a comment.
type Command struct {
	Verb    Verb
	Filter  Filter
	Problem string // why it can't be obeyed, a sentence for the author; "" when it can
}

// Filter narrows a command to some projects. Empty fields match everything.
type Filter struct {
	Dir       string `json:"dir,omitempty"` // clean path relative to the root, or a doublestar pattern
	Workspace string `json:"workspace,omitempty"`
	Project   string `json:"project,omitempty"`
}

// Empty reports whether the filter lets everything through.
func (f Filter) Empty() bool { return f == Filter{} }

// Match reports whether the project passes.
func (f Filter) Match(p planner.Project) bool {
	if f.Workspace != "" && f.Workspace != p.Workspace {
		return false
	}
	if f.Project != "" && f.Project != p.Name {
		return false
	}
	if f.Dir == "" || f.Dir == p.Dir {
		return true
	}
	ok, err := doublestar.Match(f.Dir, p.Dir)
	return err == nil && ok
}

// String returns the filter as it is typed.
func (f Filter) String() string {
	var b strings.Builder
	for _, o := range []struct{ flag, value string }{{"-d", f.Dir}, {"-w", f.Workspace}, {"-p", f.Project}} {
		if o.value != "" {
			fmt.Fprintf(&b, " %s %s", o.flag, quoteArg(o.value))
		}
	}
	return b.String()
}

func quoteArg(s string) string {
	if strings.ContainsAny(s, " \t'\"") {
		return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"`
	}
	return s
}

// maxCommands is how many commands of one comment are obeyed: nobody means
// more, and a comment is hostile input.
const maxCommands = 10

// ParseCommands finds the commands in a comment's body, in order. name is
// what the bot is called on GitHub, without "[bot]".
//
// A command stands on a line of its own: `plan`, `/plan`, `tidelock plan` or
// `@name plan`, with its flags. Quotes and code blocks hold no commands. A line
// that merely contains such a word is a sentence and says nothing to us. A
// line that addresses the bot by name but says no command that exists becomes
// a Command with a Problem, which suggests the nearest one.
func ParseCommands(body, name string) []Command {
	var found []Command
	fence := ""
	for _, line := range strings.Split(strings.ReplaceAll(body, "\r\n", "\n"), "\n") {
		trimmed := strings.TrimSpace(line)
		if mark := fenceMark(trimmed); mark != "" {
			switch {
			case fence == "":
				fence = mark
			case strings.HasPrefix(mark, fence) && strings.TrimLeft(trimmed, mark[:1]) == "":
				fence = ""
			}
			continue
		}
		indented := strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t")
		if fence != "" || indented || trimmed == "" || strings.HasPrefix(trimmed, ">") {
			continue
		}
		if c, ok := parseLine(trimmed, name); ok {
			found = append(found, c)
			if len(found) == maxCommands {
				break
			}
		}
	}
	return found
}

// fenceMark returns the run of backticks or tildes that opens or closes a code
// block, "" if the line does neither.
func fenceMark(line string) string {
	for _, c := range []string{"`", "~"} {
		if n := len(line) - len(strings.TrimLeft(line, c)); n >= 3 {
			return line[:n]
		}
	}
	return ""
}

// address is how a line speaks to us.
type address int

const (
	bare    address = iota // plan
	slashed                // /plan
	named                  // tidelock plan, @bot plan
)

func parseLine(line, name string) (Command, bool) {
	words, err := splitWords(line)
	if len(words) == 0 {
		return Command{}, false
	}
	how := bare
	switch first := strings.ToLower(words[0]); {
	case first == "tidelock", first == "@tidelock", name != "" && first == "@"+strings.ToLower(name):
		how, words = named, words[1:]
		if len(words) > 0 {
			words[0] = strings.TrimPrefix(words[0], "/")
		}
	case strings.HasPrefix(first, "/"):
		how = slashed
		words[0] = words[0][1:]
	}
	if len(words) == 0 {
		return Command{Verb: VerbHelp}, how == named
	}
	verb := Verb(strings.ToLower(words[0]))
	if !known(verb) {
		return unknown(words, how)
	}
	if err != nil {
		return Command{Verb: verb, Problem: errs.Sentence(err)}, how != bare
	}
	filter, problem, prose := parseFlags(words[1:])
	if how == bare && prose {
		return Command{}, false // "plan looks good to me"
	}
	if verb == VerbHelp {
		filter, problem = Filter{}, ""
	}
	return Command{Verb: verb, Filter: filter, Problem: problem}, true
}

func known(v Verb) bool {
	for _, k := range verbs {
		if k.Verb == v {
			return true
		}
	}
	return false
}

// unknown answers a line that has no command of ours. Only a line that calls
// the bot by name, and does not go on like a sentence, gets an answer: a slash
// may mean another bot.
func unknown(words []string, how address) (Command, bool) {
	if how != named || !verbLike(words[0]) {
		return Command{}, false
	}
	for i := 1; i < len(words); i++ {
		if strings.HasPrefix(words[i], "-") {
			i++ // a flag and its value
			continue
		}
		return Command{}, false
	}
	problem := fmt.Sprintf("I don't know the command `%s`.", words[0])
	if near := nearest(strings.ToLower(words[0])); near != "" {
		problem += fmt.Sprintf(" Did you mean `%s`?", near)
	}
	return Command{Verb: VerbHelp, Problem: problem}, true
}

func verbLike(word string) bool {
	if len(word) > 20 {
		return false
	}
	for _, r := range word {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_' {
			return false
		}
	}
	return true
}

// nearest returns the command that word most likely meant, "" if none is near.
func nearest(word string) Verb {
	type candidate struct {
		verb     Verb
		distance int
	}
	var all []candidate
	for _, k := range verbs {
		all = append(all, candidate{k.Verb, editDistance(word, string(k.Verb))})
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].distance < all[j].distance })
	if all[0].distance > 2 {
		return ""
	}
	return all[0].verb
}

// editDistance counts the insertions, deletions, changes and swaps of
// neighbours between two short words.
func editDistance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

// parseFlags reads -d, -w and -p. prose reports that a word which is no flag
// and no value stood there, as in a sentence.
func parseFlags(words []string) (f Filter, problem string, prose bool) {
	for i := 0; i < len(words); i++ {
		flag, value, joined := strings.Cut(words[i], "=")
		var into *string
		switch flag {
		case "-d", "--dir":
			into = &f.Dir
		case "-w", "--workspace":
			into = &f.Workspace
		case "-p", "--project":
			into = &f.Project
		default:
			if !strings.HasPrefix(flag, "-") {
				return Filter{}, fmt.Sprintf("I don't understand `%s`. Projects are named with `-d DIR`, `-w WORKSPACE` or `-p PROJECT`.", plain(words[i])), true
			}
			return Filter{}, fmt.Sprintf("I don't know the flag `%s`. There are `-d DIR`, `-w WORKSPACE` and `-p PROJECT`.", plain(flag)), false
		}
		if !joined {
			i++
			if i == len(words) || strings.HasPrefix(words[i], "-") {
				return Filter{}, fmt.Sprintf("`%s` needs a value.", flag), false
			}
			value = words[i]
		}
		if value == "" {
			return Filter{}, fmt.Sprintf("`%s` needs a value.", flag), false
		}
		*into = value
	}
	if f.Dir != "" {
		clean := path.Clean(strings.TrimPrefix(f.Dir, "./"))
		if path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") || strings.ContainsAny(clean, "\\\x00") {
			return Filter{}, "`-d` takes a directory inside the repository, such as `-d live/network`.", false
		}
		if !doublestar.ValidatePattern(clean) {
			return Filter{}, fmt.Sprintf("`%s` is no valid pattern.", plain(clean)), false
		}
		f.Dir = clean
	}
	if f.Workspace != "" && !planner.ValidWorkspace(f.Workspace) {
		return Filter{}, "`-w` takes the name of a workspace: letters, digits, `-`, `_` and `.`.", false
	}
	return f, "", false
}

// plain makes a word of a stranger's safe to quote in backticks.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == '`' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

// splitWords splits a line as a shell would read it, as far as quotes go:
// nothing is ever handed to a shell. An open quote is an error, and the words
// up to it are returned for whoever must see the first.
func splitWords(line string) ([]string, error) {
	var (
		words []string
		word  strings.Builder
		in    bool
		quote rune
	)
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case (r == '"' || r == '\'') && !in:
			quote, in = r, true
		case r == '"' && in && strings.HasSuffix(word.String(), "="):
			quote = r
		case r == ' ' || r == '\t' || r == '\u00a0':
			if in {
				words = append(words, word.String())
				word.Reset()
				in = false
			}
		default:
			word.WriteRune(r)
			in = true
		}
	}
	if in {
		words = append(words, word.String())
	}
	if quote != 0 {
		return words, errs.New(errs.Invalid, "A quote (%c) is not closed.", quote)
	}
	return words, nil
}

package command

import (
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// Verb is a command's name.
type Verb string

// The commands. What each takes stands in the table, in table.go.
const (
	Plan            Verb = "plan"
	Apply           Verb = "apply"
	Destroy         Verb = "destroy"
	Unlock          Verb = "unlock"
	Cancel          Verb = "cancel"
	ApprovePolicies Verb = "approve-policies"
	RevokePolicies  Verb = "revoke-policies"
	ApproveCost     Verb = "approve-cost"
	RevokeCost      Verb = "revoke-cost"
	Import          Verb = "import"
	StateRemove     Verb = "state rm"
	StateMove       Verb = "state mv"
	Drift           Verb = "drift"
	Cost            Verb = "cost"
	Version         Verb = "version"
	Help            Verb = "help"
	Retry           Verb = "retry"
	Rollback        Verb = "rollback"
)

// Command is one command as it was written in a comment.
type Command struct {
	Verb   Verb
	Filter Filter
	// Options is what stood after "--". Of a destroy it has Destroy set, of a
	// drift check RefreshOnly, so that nobody can forget what they mean.
	Options   planner.Options
	Operation planner.Operation // of import, state rm and state mv; checked
	Head      string            // of a plan: 7 to 40 small hexadecimal digits, the head that a maintainer has read; "" without --head
	Policies  Policies          // of approve-policies and revoke-policies
	Problem   string            // why it can't be obeyed, Markdown for the author; "" when it can
}

// String returns the command as it is typed, without how we are addressed.
// Parse reads the same command from it. Whoever shows it makes it
// inert: it holds a stranger's words.
func (c Command) String() string {
	var b strings.Builder
	b.WriteString(string(c.Verb) + c.Filter.String())
	if c.Head != "" {
		b.WriteString(" --head " + c.Head)
	}
	b.WriteString(c.Policies.String())
	for _, a := range c.Operation.Args {
		b.WriteString(" " + Quote(a))
	}
	o := c.Options
	o.Destroy, o.RefreshOnly = false, false // the verb says so
	if !o.Empty() {
		b.WriteString(" --")
		for _, f := range o.Flags() {
			b.WriteString(" " + Quote(f))
		}
	}
	return b.String()
}

// OfButton returns the command behind a button of a check, by the button's
// identifier, and whether there is one.
func OfButton(identifier string) (Command, bool) {
	switch v := Verb(identifier); v {
	case Plan, Apply, Unlock:
		return Command{Verb: v}, true
	}
	return Command{}, false
}

const (
	// maxCommands is how many commands of one comment are obeyed: nobody
	// means more, and a comment is hostile input.
	maxCommands = 10
	// maxText and maxLine are the bytes of a comment, and of a line of it, in
	// which commands are looked for. GitHub takes 65,536 characters.
	maxText = 4 * 65536
	maxLine = 16 << 10
)

// Parse finds the commands in a comment's body, in order. name is what the bot
// is called on GitHub, without "[bot]".
//
// A command stands on a line of its own: `plan`, `/plan`, `tidelock plan` or
// `@name plan`, with its flags. Quotes, code blocks and HTML comments hold no
// commands. A line that merely contains such a word is a sentence and says
// nothing to us. In the bare form, those that are everyday words or that nobody
// may give by mistake count only where the comment holds nothing but commands.
// After a slash, which may mean another bot, what makes no sense to us says
// nothing to us either. A line that addresses the bot by name but says no
// command that exists becomes a Command with a Problem, which suggests the
// nearest one.
func Parse(body, name string) []Command {
	var (
		found []spoken
		sure  int // of found: those that count whatever else the comment says
		text  bool
		skip  skipper
	)
	if len(body) > maxText {
		body, text = body[:maxText], true
	}
	for line := range strings.SplitSeq(body, "\n") {
		trimmed := strings.Trim(line, " \t\r\v\f\u00a0")
		if trimmed == "" {
			continue
		}
		if skip.line(line, trimmed) || len(trimmed) > maxLine {
			text = true
			continue
		}
		s, ok := parseLine(trimmed, name)
		switch {
		case !ok:
			text = true
		case !s.alone:
			found = append(found, s)
			sure++
		case !text && len(found) < maxCommands:
			found = append(found, s)
		}
		if sure == maxCommands {
			break
		}
	}
	var out []Command
	for _, s := range found {
		if (!s.alone || !text) && len(out) < maxCommands {
			out = append(out, s.Command)
		}
	}
	return out
}

// spoken is a command with whether it counts only in a comment of nothing but
// commands.
type spoken struct {
	Command
	alone bool
}

// skipper knows which lines hold no commands because of what surrounds them.
// Its zero value stands at the top of a comment.
type skipper struct {
	fence string // that opened the code block we are in
	html  bool   // in an HTML comment, which nobody sees
}

// line reports whether the next line, which is not empty, holds no command
// whatever it says.
func (s *skipper) line(line, trimmed string) bool {
	if s.html {
		s.html = !strings.Contains(trimmed, "-->")
		return true
	}
	if mark := fenceMark(trimmed); mark != "" {
		switch {
		case s.fence == "":
			s.fence = mark
		case strings.HasPrefix(mark, s.fence) && strings.TrimLeft(trimmed, mark[:1]) == "":
			s.fence = ""
		}
		return true
	}
	if s.fence != "" {
		return true
	}
	if i := strings.LastIndex(trimmed, "<!--"); i >= 0 {
		s.html = !strings.Contains(trimmed[i:], "-->")
		return true
	}
	return strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t") || strings.HasPrefix(trimmed, ">")
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

func parseLine(line, name string) (spoken, bool) {
	words, err := splitWords(line)
	if len(words) == 0 {
		return spoken{}, false
	}
	how := bare
	switch first := lower(words[0]); {
	case first == "tidelock", first == "@tidelock", name != "" && first == "@"+lower(name):
		how, words = named, words[1:]
		if len(words) > 0 {
			words[0] = strings.TrimPrefix(words[0], "/")
		}
	case strings.HasPrefix(first, "/"):
		how = slashed
		words[0] = words[0][1:]
	}
	if len(words) == 0 {
		return spoken{Command: Command{Verb: Help}}, how == named
	}
	spec, rest := lookUp(words)
	if spec == nil {
		c, ok := unknown(words, how)
		return spoken{Command: c}, ok
	}
	s := spoken{Command{Verb: spec.Verb}, how == bare && spec.Alone}
	if err != nil {
		s.Problem = errs.Sentence(err)
		return s, how != bare
	}
	c, wrong := parseArguments(spec, rest)
	switch wrong.kind {
	case fluent:
		s.Command = c
		return s, true
	case foreign:
		if how == slashed {
			return spoken{}, false // "/plan --sprint 12"
		}
	case sentence:
		if how != named {
			return spoken{}, false // "plan looks good to me"
		}
	}
	if spec.Verb != Help { // help answers what is wrong about it
		s.Problem = wrong.text
	}
	return s, true
}

// unknown answers a line that has no command of ours. Only a line that calls
// the bot by name, and does not go on like a sentence, gets an answer: a slash
// may mean another bot.
func unknown(words []string, how address) (Command, bool) {
	if how != named || !verbLike(words[0]) {
		return Command{}, false
	}
	said, rest := lower(words[0]), words[1:]
	if said == "state" && len(rest) > 0 && verbLike(rest[0]) {
		said, rest = said+" "+lower(rest[0]), rest[1:]
	}
	for i := 0; i < len(rest); i++ {
		if strings.HasPrefix(rest[i], "-") {
			i++ // a flag and its value
			continue
		}
		if !strings.HasPrefix(said, "state") || !planner.ValidAddress(rest[i]) {
			return Command{}, false
		}
	}
	problem := fmt.Sprintf("I don't know the command `%s`.", said)
	if near := nearest(said, Names(), 2); near != "" {
		problem += fmt.Sprintf(" Did you mean `%s`?", near)
	} else if strings.HasPrefix(said, "state") {
		problem += fmt.Sprintf(" There are `%s` and `%s`.", StateRemove, StateMove)
	}
	return Command{Verb: Help, Problem: problem}, true
}

// verbLike reports whether a word could be a command's name, well or badly
// spelt.
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

package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/planner"
)

// wrong is what is wrong with the words after a command's name.
type wrong struct {
	kind wrongKind
	text string // Markdown for the author
}

type wrongKind int

const (
	fluent   wrongKind = iota // nothing
	mistake                   // said in our own terms, but badly
	foreign                   // a flag that nobody here knows
	sentence                  // words that no command of ours goes on with
)

func mistaken(format string, args ...any) wrong { return wrong{mistake, fmt.Sprintf(format, args...)} }

// unseen is said of words whose letters are not what they seem.
const unseen = "There is a character in this command that can't be seen or that turns text around. Type it anew rather than pasting it."

// parseArguments reads what stands after a command's name.
func parseArguments(spec *verbSpec, words []string) (Command, wrong) {
	c := Command{Verb: spec.Verb}
	if slices.ContainsFunc(words, invisible) {
		return c, mistaken(unseen)
	}
	var args []string
	for i := 0; i < len(words); i++ {
		word := words[i]
		if word == "--" {
			if spec.Args != "" {
				args = append(args, words[i+1:]...)
				break
			}
			var w wrong
			if c.Options, w = parseOptions(spec, words[i+1:]); w.kind != fluent {
				return c, w
			}
			break
		}
		if !strings.HasPrefix(word, "-") {
			if spec.Args == "" {
				return c, notAFlag(spec, word)
			}
			args = append(args, word)
			continue
		}
		name, value, joined := strings.Cut(word, "=")
		letter, flag := flagOf(spec, name)
		if flag == "" {
			return c, unknownFlag(spec, name)
		}
		if !joined {
			i++
			if i == len(words) || strings.HasPrefix(words[i], "-") {
				return c, mistaken("`%s` needs a value.", name)
			}
			value = words[i]
		}
		if value == "" {
			return c, mistaken("`%s` needs a value.", name)
		}
		problem := ""
		switch letter {
		case 'h':
			problem = c.head(value)
		case 'r', 'f', 'm':
			problem = c.Policies.add(flag, value)
		default:
			problem = c.Filter.add(flag, value)
		}
		if problem != "" {
			return c, wrong{mistake, problem}
		}
	}
	return c.finish(spec, args)
}

// finish sees to what belongs to the whole command.
func (c Command) finish(spec *verbSpec, args []string) (Command, wrong) {
	if spec.Args != "" {
		c.Operation = planner.Operation{Kind: planner.OperationKind(spec.Verb), Args: args}
		if err := c.Operation.Check(); err != nil {
			w := mistaken("%s", markdown.Prose(errs.Sentence(err)))
			if c.Filter.Empty() && !slices.ContainsFunc(args, ours) {
				w.kind = sentence
			}
			return c, w
		}
		if !c.Filter.One() {
			return c, mistaken("`%s` is for one project: name it, as in `%s`.", spec.Verb, spec.Examples[0].Line)
		}
	}
	if spec.Naming && c.Filter.Empty() {
		return c, mistaken("`%s` needs to be told which projects, as in `%s`.", spec.Verb, spec.Examples[0].Line)
	}
	c.Options.Destroy, c.Options.RefreshOnly = c.Verb == Destroy, c.Verb == Drift
	if err := c.Options.Check(); err != nil {
		return c, mistaken("%s", markdown.Prose(errs.Sentence(err)))
	}
	return c, wrong{}
}

// ours reports whether a word can hardly be anything but an address of
// Terraform's: "aws_instance.a", but not "users.csv" or "os.path".
func ours(word string) bool {
	return planner.ValidAddress(word) && (strings.Contains(word, "_") || strings.HasPrefix(word, "module."))
}

func (c *Command) head(value string) string {
	sha := lower(value)
	hex := !strings.ContainsFunc(sha, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'f') })
	switch {
	case !hex || len(sha) < 7 || len(sha) > 40:
		return "`--head` takes a commit's SHA, 7 to 40 digits of it."
	case c.Head != "":
		return "`--head` can be given once."
	}
	c.Head = sha
	return ""
}

// flagOf returns the command's flag of that name, which may begin with one or
// two dashes, and "" where it has none.
func flagOf(spec *verbSpec, name string) (letter byte, flag string) {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "-"), "-")
	for _, f := range flagSpecs {
		if strings.IndexByte(spec.Flags, f.letter) >= 0 && slices.Contains(f.names, name) {
			return f.letter, f.flag
		}
	}
	return 0, ""
}

// notAFlag answers a word where a flag should stand.
func notAFlag(spec *verbSpec, word string) wrong {
	if strings.HasPrefix(word, "—") || strings.HasPrefix(word, "–") {
		return wrong{sentence, fmt.Sprintf("`%s` begins with a long dash. Type two hyphens instead: `--`.", markdown.Word(word))}
	}
	return wrong{sentence, fmt.Sprintf("I don't understand `%s`. %s", markdown.Word(word), spec.flagList())}
}

// unknownFlag answers a flag before "--" that the command does not have.
func unknownFlag(spec *verbSpec, name string) wrong {
	bareName := strings.TrimLeft(name, "-")
	if bareName == "" {
		return notAFlag(spec, name)
	}
	option := "-" + bareName
	if isOption(option) {
		switch {
		case slices.Contains(spec.Options, option):
			return mistaken("`%s` is Terraform's own flag. Put it after `--`: `%s -- %s`.", option, spec.Verb, optionUsage(option))
		case spec.Verb == Apply:
			return mistaken("`%s` belongs to the plan: `plan -- %s`, and then `apply`.", option, optionUsage(option))
		}
		return mistaken("`%s` can't stand with `%s`. %s", option, spec.Verb, spec.flagList())
	}
	if where := elsewhere[option]; where != "" {
		return mistaken("The flag `%s` is not taken. %s", option, where)
	}
	problem := fmt.Sprintf("I don't know the flag `%s`. ", markdown.Word(name))
	if near := nearFlag(spec, bareName); near != "" {
		if slices.Contains(spec.Options, near) {
			return mistaken("%sDid you mean `%s`? It goes after `--`: `%s -- %s`.", problem, near, spec.Verb, optionUsage(near))
		}
		return mistaken("%sDid you mean `%s`?", problem, near)
	}
	for _, f := range flagSpecs {
		if slices.Contains(f.names, bareName) {
			return mistaken("`%s` can't stand with `%s`. %s", f.flag, spec.Verb, spec.flagList())
		}
	}
	return wrong{foreign, problem + spec.flagList()}
}

func isOption(flag string) bool {
	for _, o := range optionSpecs {
		if o.flag == flag {
			return true
		}
	}
	return false
}

// nearFlag returns the flag that was most likely meant, with its dashes. Short
// words are near to everything, so nothing is guessed from them.
func nearFlag(spec *verbSpec, name string) string {
	if len(name) < 3 {
		return ""
	}
	most := 1
	if len(name) > 5 {
		most = 2
	}
	all := map[string]string{}
	var names []string
	for _, f := range flagSpecs {
		if strings.IndexByte(spec.Flags, f.letter) >= 0 {
			long := f.names[len(f.names)-1]
			all[long] = "--" + long
			names = append(names, long)
		}
	}
	for _, o := range spec.Options {
		all[o[1:]] = o
		names = append(names, o[1:])
	}
	return all[nearest(name, names, most)]
}

// parseOptions reads Terraform's flags after "--", those that the command
// takes.
func parseOptions(spec *verbSpec, words []string) (planner.Options, wrong) {
	if len(words) > 0 && !strings.HasPrefix(words[0], "-") {
		return planner.Options{}, wrong{sentence, fmt.Sprintf("I don't understand `%s`. %s", markdown.Word(words[0]), spec.optionList())}
	}
	for _, word := range words {
		if !strings.HasPrefix(word, "-") {
			continue // a value; ParseOptions sees to it
		}
		name, _, _ := strings.Cut(word, "=")
		bareName := strings.TrimLeft(name, "-")
		option := "-" + bareName
		if slices.Contains(spec.Options, option) {
			continue
		}
		_, own := flagOf(spec, name)
		switch near := nearFlag(spec, bareName); {
		case own != "":
			return planner.Options{}, mistaken("`%s` goes before `--`: what follows `--` is Terraform's.", markdown.Word(name))
		case isOption(option) && spec.Verb == Apply:
			return planner.Options{}, mistaken("`%s` belongs to the plan: `plan -- %s`, and then `apply`.", option, optionUsage(option))
		case elsewhere[option] != "":
			return planner.Options{}, mistaken("The flag `%s` is not taken. %s", option, elsewhere[option])
		case near != "" && !isOption(option):
			return planner.Options{}, mistaken("I don't know Terraform's flag `%s`. Did you mean `%s`?", markdown.Word(name), near)
		}
		return planner.Options{}, mistaken("The flag `%s` is not taken. %s", markdown.Word(name), spec.optionList())
	}
	o, err := planner.ParseOptions(words)
	if err != nil {
		return planner.Options{}, mistaken("%s", markdown.Prose(errs.Sentence(err)))
	}
	return o, wrong{}
}

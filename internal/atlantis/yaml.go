package atlantis

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tidelock/tidelock/planner"
)

// Bounds of a file.
const (
	maxFile  = 1 << 20 // bytes
	maxSteps = 500_000 // nodes that are looked at, each use of an alias counted: aliases can't blow a small file up
	maxMerge = 20      // maps that are merged into one another
	maxTold  = 200     // problems, and notes
	maxGuess = 20      // messages that look for what was meant
)

// document collects what is wrong with a file, and what is not carried over.
type document struct {
	file     string
	problems []planner.Problem
	notes    []planner.Problem
	told     map[string]bool
	steps    int
	guesses  int
}

func (d *document) say(line int, format string, args ...any) {
	d.problems = d.tell(d.problems, line, format, args...)
}

// note tells what is not carried over, once however many projects say it.
func (d *document) note(line int, format string, args ...any) {
	d.notes = d.tell(d.notes, line, format, args...)
}

func (d *document) tell(list []planner.Problem, line int, format string, args ...any) []planner.Problem {
	p := planner.Problem{Path: d.file, Line: line, Message: fmt.Sprintf(format, args...)}
	if d.told[p.String()] || len(list) > maxTold {
		return list
	}
	if len(list) == maxTold {
		p = planner.Problem{Path: d.file, Message: "There is more that is not told."}
	}
	d.told[p.String()] = true
	return append(list, p)
}

func (d *document) guess(name string, known []string) string {
	if d.guesses++; d.guesses > maxGuess {
		return ""
	}
	return planner.DidYouMean(name, known)
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

// parse returns the root of the file's first document, nil where it is empty
// or can't be read.
func (d *document) parse(src []byte) *yaml.Node {
	var root yaml.Node
	if err := yaml.Unmarshal(src, &root); err != nil {
		text := err.Error()
		m := yamlLine.FindStringSubmatch(text)
		line, _ := strconv.Atoi(m[1])
		d.say(line, "The file is not YAML: %s.", strings.TrimSuffix(text[len(m[0]):], "."))
		return nil
	}
	if root.Kind == 0 || len(root.Content) == 0 {
		return nil
	}
	return d.resolve(root.Content[0])
}

// resolve follows aliases. It returns nil where the file's bounds are used up.
func (d *document) resolve(n *yaml.Node) *yaml.Node {
	for range maxMerge {
		if d.steps++; d.steps > maxSteps {
			d.say(0, "The file is too large once its aliases are written out.")
			return nil
		}
		if n == nil || n.Kind != yaml.AliasNode {
			return n
		}
		n = n.Alias
	}
	return nil
}

// isNull reports whether nothing is said: no node, or null.
func isNull(n *yaml.Node) bool { return n == nil || n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// entry is a key of a mapping with its value.
type entry struct {
	key   string
	line  int // of the key
	value *yaml.Node
}

// entries returns what a mapping holds, keys that it merges in (<<) included,
// in the order of the file; its own keys go before those.
func (d *document) entries(n *yaml.Node, what string) []entry {
	n = d.resolve(n)
	if isNull(n) {
		return nil
	}
	var out []entry
	d.merge(n, what, map[string]int{}, &out, 0)
	return out
}

func (d *document) merge(n *yaml.Node, what string, seen map[string]int, out *[]entry, depth int) {
	switch {
	case n == nil || depth > maxMerge:
		return
	case n.Kind != yaml.MappingNode:
		d.say(n.Line, "%s must be a map of keys and values, but is %s.", what, describe(n))
		return
	}
	var merged []*yaml.Node
	own := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := d.resolve(n.Content[i]), d.resolve(n.Content[i+1])
		switch {
		case key == nil:
			return
		case key.Kind == yaml.ScalarNode && (key.Tag == "!!merge" || key.Value == "<<" && key.Style == 0):
			if value != nil && value.Kind == yaml.SequenceNode {
				merged = append(merged, value.Content...)
			} else {
				merged = append(merged, value)
			}
		case key.Kind != yaml.ScalarNode:
			d.say(key.Line, "A key of %s must be a word, but is %s.", lowerFirst(what), describe(key))
		case own[key.Value]:
			d.say(key.Line, "%s has the key %s on line %d already.", what, short(key.Value), seen[key.Value])
		default:
			own[key.Value] = true
			if _, before := seen[key.Value]; !before {
				seen[key.Value] = key.Line
				*out = append(*out, entry{key.Value, key.Line, value})
			}
		}
	}
	for _, m := range merged {
		d.merge(d.resolve(m), what, seen, out, depth+1)
	}
}

// known leaves out the entries whose keys are none of those that what can
// have, and tells of them.
func (d *document) known(entries []entry, what string, keys ...string) []entry {
	var out []entry
	for _, e := range entries {
		if slices.Contains(keys, e.key) {
			out = append(out, e)
			continue
		}
		d.say(e.line, "%s has no key %q.%s It can have %s.", what, short(e.key), d.guess(e.key, keys), strings.Join(keys, ", "))
	}
	return out
}

// describe names what stands where something else should.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return "empty"
		}
		return fmt.Sprintf("%q", short(n.Value))
	}
	return "something else"
}

// text reads a scalar; anything that YAML takes for a number or a bool is a
// text too, as Atlantis has it.
func (d *document) text(n *yaml.Node, line int, what string) (string, bool) {
	switch n = d.resolve(n); {
	case isNull(n):
		return "", false
	case n.Kind != yaml.ScalarNode:
		d.say(line, "%s must be a text, but is %s.", what, describe(n))
		return "", false
	case strings.ContainsRune(n.Value, 0):
		d.say(line, "%s has a character that no text can have.", what)
		return "", false
	}
	return n.Value, true
}

func (d *document) boolean(n *yaml.Node, line int, what string) *bool {
	if n = d.resolve(n); isNull(n) {
		return nil
	}
	var v bool
	if n.Kind != yaml.ScalarNode || n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 || n.Decode(&v) != nil {
		d.say(line, "%s must be true or false, but is %s.", what, describe(n))
		return nil
	}
	return &v
}

func (d *document) number(n *yaml.Node, line int, what string) (int, bool) {
	if n = d.resolve(n); isNull(n) {
		return 0, false
	}
	var v int
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || n.Decode(&v) != nil || v > 1_000_000 || v < -1_000_000 {
		d.say(line, "%s must be a whole number, but is %s.", what, describe(n))
		return 0, false
	}
	return v, true
}

// list returns the items of a list, nil where there is none.
func (d *document) list(n *yaml.Node, line int, what string) []*yaml.Node {
	switch n = d.resolve(n); {
	case isNull(n):
		return nil
	case n.Kind != yaml.SequenceNode:
		d.say(line, "%s must be a list, but is %s.", what, describe(n))
		return nil
	}
	out := []*yaml.Node{} // an empty list is not none
	for _, item := range n.Content {
		if item = d.resolve(item); item != nil {
			out = append(out, item)
		}
	}
	return out
}

// texts reads a list of texts, nil where there is none.
func (d *document) texts(n *yaml.Node, line int, what string) []string {
	items := d.list(n, line, what)
	if items == nil {
		return nil
	}
	out := []string{}
	for _, item := range items {
		if s, ok := d.text(item, item.Line, "An item of "+what); ok {
			out = append(out, s)
		}
	}
	return out
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func short(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}

package command

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github"
)

const (
	guide      = "../../docs/commands.md"
	guideBegin = "<!-- Made from the table in bot/command/table.go by: go test ./bot/command -run CommandsGuide -update -->\n"
	guideEnd   = "<!-- The rest is written by hand. -->\n"
)

var update = flag.Bool("update", false, "write the guide anew")

// guideSections is what the guide says of each command.
func guideSections() string {
	var b strings.Builder
	b.WriteString("\n## All commands\n\n| command | what it does | role that it needs |\n|---|---|---|\n")
	for _, s := range verbs {
		who := s.Verb.Role().String()
		if s.Also != "" {
			who += ", " + s.Also
		}
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s |\n", s.Verb, strings.ReplaceAll(string(s.Verb), " ", "-"), s.About, who)
	}
	b.WriteString("\nThe role is the one in the repository, asked of GitHub each time, and so is the comment itself.\n\n## Flags\n\n| flag | chooses |\n|---|---|\n")
	for _, f := range flagSpecs {
		long := ""
		if name := "--" + f.names[len(f.names)-1]; name != f.flag {
			long = ", `" + name + "`"
		}
		fmt.Fprintf(&b, "| `%s %s`%s | %s |\n", f.flag, f.value, long, f.about)
	}
	b.WriteString("\n`-d`, `-w` and `-p` may be repeated: any of those given must fit. Together they narrow each other. In patterns, `*` stands for any letters but `/`, `**` for directories of any depth, `?` for one letter, `[ab]` for one of these; in names of projects `*` stands for `/` too. What holds spaces or stars is safest in quotes, single or double.\n")
	b.WriteString("\n### Terraform's flags\n\nThese come last, after `--`. Any other is refused.\n\n| flag | what it does | with |\n|---|---|---|\n")
	for _, o := range optionSpecs {
		var with []string
		for _, s := range verbs {
			for _, taken := range s.Options {
				if taken == o.flag {
					with = append(with, "`"+string(s.Verb)+"`")
				}
			}
		}
		fmt.Fprintf(&b, "| `%s=%s` | %s | %s |\n", o.flag, o.value, o.about, strings.Join(with, ", "))
	}
	for _, s := range verbs {
		fmt.Fprintf(&b, "\n### %s\n\n```text\n%s\n```\n\n%s.", s.Verb, s.usage(), strings.ToUpper(s.About[:1])+s.About[1:])
		if s.Guide != "" {
			b.WriteString(" " + s.Guide)
		}
		b.WriteString("\n\n| example | means |\n|---|---|\n")
		for _, e := range s.Examples {
			fmt.Fprintf(&b, "| `%s` | %s |\n", e.Line, e.Means)
		}
	}
	b.WriteString("\n")
	return b.String()
}

// The guide's sections say what the table says.
func TestCommandsGuide(t *testing.T) {
	page, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(page), guideBegin)
	made, tail, ok2 := strings.Cut(rest, guideEnd)
	if !ok || !ok2 {
		t.Fatalf("%s lacks a mark: %q or %q", guide, guideBegin, guideEnd)
	}
	want := guideSections()
	if *update {
		if err := os.WriteFile(guide, []byte(head+guideBegin+want+guideEnd+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if made != want {
		t.Errorf("%s is behind the table; go test ./bot/command -run CommandsGuide -update writes it anew", guide)
	}
}

// Every command that the guide shows is read by the parser that reads
// comments, and every command is shown.
func TestCommandsGuideExamples(t *testing.T) {
	page, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	shown := map[Verb]int{}
	try := func(line string) {
		got := Parse(line, "your-app")
		if len(got) != 1 || got[0].Problem != "" {
			t.Errorf("the guide shows %q, which is read as %+v", line, first(got))
			return
		}
		shown[got[0].Verb]++
	}
	text := regexp.MustCompile("(?ms)^```text\n.*?^```\n").ReplaceAllString(string(page), "") // usages
	for _, block := range regexp.MustCompile("(?ms)^```\n(.*?)^```\n").FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(block[1]) {
			try(strings.TrimSpace(line))
		}
	}
	text = regexp.MustCompile("(?ms)^```.*?^```\n").ReplaceAllString(text, "")
	for _, span := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(text, -1) {
		words := strings.Fields(span[1])
		if spec, rest := lookUp(words); spec != nil && (len(rest) > 0 || len(spec.Args) == 0 && !spec.Naming) {
			try(span[1])
		}
	}
	for _, s := range verbs {
		if shown[s.Verb] == 0 {
			t.Errorf("the guide shows no %q", s.Verb)
		}
	}
}

// Nobody gives a command without a role: a command that the roles forgot
// would be everybody's.
func TestEveryCommandNeedsARole(t *testing.T) {
	for _, s := range verbs {
		if s.Verb.Role() < github.RoleRead {
			t.Errorf("%q needs no role", s.Verb)
		}
	}
}

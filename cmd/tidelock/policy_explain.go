package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policydoc"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/terminal"
)

func newPolicyExplainCommand(p *program) *cobra.Command {
	var flags policyFlags
	var plan string
	var asJSON, noColour bool
	cmd := &cobra.Command{
		Use:   "explain RULE",
		Short: "Say what a rule is about, why, and how to mend what it finds",
		Long: "Says what a rule is about, why, and how to mend what it finds. With --plan it also shows the rule's lines, and\n" +
			"which of them that plan reached: where a rule finds nothing, the last line that was reached says why.",
		Example: "  tidelock policy explain security.aws.public_ingress\n" +
			"  tidelock policy explain main.deny --pack ./policies\n" +
			"  tidelock policy explain main.deny --pack ./policies --plan plan.json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeRule,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := p.deskConfig()
			if err != nil {
				return err
			}
			judges, err := flags.judges(cfg)
			if err != nil {
				return err
			}
			judging, err := judges.of(cmd.Context(), policyset.Target{Dir: "."})
			if err != nil {
				return err
			}
			rules := judging.Engine.Rules()
			i := slices.IndexFunc(rules, func(r policy.Rule) bool { return r.ID == args[0] })
			if i < 0 {
				return noRule(args[0], rules)
			}
			levels, err := judging.Engine.Levels(judging.Overrides)
			if err != nil {
				return err
			}
			r := rules[i]
			r.Level = levels[r.Key()]
			var traced *tracedRule
			if plan != "" {
				if traced, err = p.traceRule(cmd.Context(), judging, r, plan); err != nil {
					return err
				}
				traced.source = judges.source(r)
			}
			if asJSON {
				return writeJSON(p.stdout, struct {
					policy.Rule
					Traced *tracedRule `json:"traced,omitempty"`
				}{r, traced})
			}
			look := lookOf(p.stdout, p.environ, noColour)
			s := terminal.Screen{W: p.stdout, Colour: look.colour, Width: look.width}
			putRule(s, r)
			if traced != nil {
				traced.put(s)
			}
			return nil
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&plan, "plan", "", "the JSON of a plan, to show which lines of the rule it reached; - reads standard input")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&noColour, "no-color", false, "print no colours; NO_COLOR in the environment says the same")
	return cmd
}

// noRule says that there is no such rule, and which may have been meant.
func noRule(id string, rules []policy.Rule) error {
	var near []string
	last := id[strings.LastIndexByte(id, '.')+1:]
	for _, r := range rules {
		if strings.HasPrefix(r.ID, id+".") || strings.HasSuffix(r.ID, "."+last) {
			near = append(near, r.ID)
		}
	}
	const most = 8
	meant := ""
	switch {
	case len(near) > most:
		meant = fmt.Sprintf(" %d rules begin so, such as %s.", len(near), near[0])
	case len(near) > 0:
		meant = " Perhaps you mean " + strings.Join(near, " or ") + "."
	}
	return errs.New(errs.NotFound, "There is no rule %s.%s tidelock policy list shows all.", id, meant)
}

// putRule shows all that is known of a rule.
func putRule(s terminal.Screen, r policy.Rule) {
	para := func(style terminal.Style, text string) {
		for _, l := range terminal.Text(style, terminal.Clean(text)).Wrap(s.Inner(), 0) {
			s.Put(l)
		}
		s.Put(nil)
	}
	s.Put(terminal.Text(terminal.Bold, terminal.Clean(r.Title)))
	s.Put(terminal.Text(terminal.Dim, terminal.Clean(fmt.Sprintf("%s   %s, %s   %s:%d", r.ID, r.Level, r.Severity, r.File, r.Line))), nil)
	for _, part := range []struct{ head, text string }{{"", r.Description}, {"Why", r.Why}, {"How to mend it", r.Mend}} {
		if part.text == "" {
			continue
		}
		if part.head != "" {
			s.Put(terminal.Text(terminal.Bold, part.head))
		}
		para(terminal.Plain, part.text)
	}
	for _, part := range []struct {
		head    string
		example *policy.Example
	}{{"Denied", r.Bad}, {"Not denied", r.Good}} {
		if part.example == nil {
			continue
		}
		s.Put(terminal.Text(terminal.Bold, part.head+exampleAside(*part.example)))
		for line := range strings.Lines(policydoc.ExampleText(*part.example)) {
			s.Put(terminal.Text(terminal.Cyan, "  "+terminal.Clean(strings.TrimRight(line, "\n"))))
		}
		s.Put(nil)
	}
	if len(r.Controls) > 0 {
		s.Put(terminal.Text(terminal.Bold, "Controls"))
		for _, framework := range slices.Sorted(maps.Keys(r.Controls)) {
			s.Put(terminal.Text(terminal.Plain, terminal.Clean("  "+framework+": "+strings.Join(r.Controls[framework], ", "))))
		}
		s.Put(nil)
	}
}

// exampleAside says what else an example is judged by.
func exampleAside(e policy.Example) string {
	if aside := policydoc.Circumstances(e); aside != "" {
		return " (" + aside + ")"
	}
	return ""
}

package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/terminal"
)

// policyTest is one call of `tidelock policy test`.
type policyTest struct {
	options  policy.TestOptions
	coverage bool
	least    float64
	asJSON   bool
	verbose  bool
	noColour bool
}

func newPolicyTestCommand(p *program) *cobra.Command {
	var c policyTest
	cmd := &cobra.Command{
		Use:   "test [DIR...]",
		Short: "Run the tests of policies, and say which of their lines none reaches",
		Long: "Runs the tests that stand in folders of policies (policies/, where none is named): rules whose name begins with\n" +
			"test_, in files that end in _test.rego. They are what `opa test` and `conftest verify` run, and have what the\n" +
			"bundled rules share at hand: data.tidelock.plan and the like, and data.tidelock.fixture to make plans with.\n\n" +
			"Exit codes: 0 all pass; 1 a test fails or can't be run, or less is reached than --least asks for.",
		Example: "  tidelock policy test\n" +
			"  tidelock policy test ./policies --run 'names' --verbose\n" +
			"  tidelock policy test ./policies --coverage --least 90\n" +
			"  tidelock policy test --bundled                         the tests of the bundled rules",
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, p, args) },
	}
	f := cmd.Flags()
	f.StringVar(&c.options.Run, "run", "", "only the tests whose name fits this regular expression")
	f.BoolVar(&c.options.Bundled, "bundled", false, "test the bundled policies too")
	f.BoolVar(&c.coverage, "coverage", false, "list the lines of the rules that no test reaches")
	f.Float64Var(&c.least, "least", 0, "percent of the rules' lines that tests must reach")
	f.DurationVar(&c.options.Time, "timeout", 10*time.Second, "how long one test may take")
	f.BoolVarP(&c.verbose, "verbose", "v", false, "list the tests that pass, too, and what tests print")
	f.BoolVar(&c.asJSON, "json", false, "print JSON")
	f.BoolVar(&c.noColour, "no-color", false, "print no colours; NO_COLOR in the environment says the same")
	for _, name := range []string{"run", "least", "timeout"} {
		complete(cmd, name, cobra.NoFileCompletions)
	}
	return cmd
}

func (c *policyTest) run(cmd *cobra.Command, p *program, dirs []string) error {
	if c.least < 0 || c.least > 100 {
		return errs.New(errs.Invalid, "--least is in percent, from 0 to 100, not %g.", c.least)
	}
	if len(dirs) == 0 && !c.options.Bundled {
		dirs = []string{"policies"}
	}
	packs, err := packsOfPaths(dirs)
	if err != nil {
		return err
	}
	report, err := policy.Test(cmd.Context(), packs, c.options)
	if err != nil {
		return err
	}
	if c.asJSON {
		if err := writeJSON(p.stdout, report); err != nil {
			return err
		}
	} else {
		look := lookOf(p.stdout, p.environ, c.noColour)
		c.write(terminal.Screen{W: p.stdout, Colour: look.colour, Width: look.width}, report)
	}
	switch {
	case report.Failed > 0:
		return told(errs.New(errs.Invalid, "%s failed.", counted(report.Failed, "test")))
	case len(report.Tests) == 0 && c.options.Run != "":
		return errs.New(errs.NotFound, "No test's name fits %q.", c.options.Run)
	case len(report.Tests) == 0:
		return errs.New(errs.NotFound, "There is no test in %s: tests are rules whose name begins with test_, in files that end in _test.rego.", strings.Join(dirs, ", "))
	case report.Coverage.Percent < c.least:
		return errs.New(errs.Invalid, "The tests reach %.1f %% of the rules' lines, and --least asks for %g %%. --coverage lists those that none reaches.", report.Coverage.Percent, c.least)
	}
	return nil
}

// packsOfPaths reads folders and files, each under a name of its own.
func packsOfPaths(paths []string) ([]policy.Pack, error) {
	names := map[string]bool{}
	var packs []policy.Pack
	for _, path := range paths {
		pack, err := packOfPath(path)
		if err != nil {
			return nil, err
		}
		for base, n := pack.Name, 2; names[pack.Name]; n++ {
			pack.Name = fmt.Sprintf("%s-%d", base, n)
		}
		names[pack.Name] = true
		packs = append(packs, pack)
	}
	return packs, nil
}

func (c *policyTest) write(s terminal.Screen, r policy.TestReport) {
	for _, t := range r.Tests {
		passed := t.Outcome == policy.Passed
		if passed && !c.verbose {
			continue
		}
		style, sign := terminal.Red, "✗"
		switch t.Outcome {
		case policy.Passed:
			style, sign = terminal.Green, "✓"
		case policy.Skipped:
			style, sign = terminal.Yellow, "-"
		}
		s.Put(terminal.Text(style, sign+" ").And(terminal.Bold, terminal.Clean(t.Package+"."+t.Name)).And(terminal.Dim, terminal.Clean(fmt.Sprintf("  %s:%d", t.File, t.Line))))
		for _, text := range []string{t.Message, t.Output} {
			for line := range strings.Lines(strings.TrimSpace(text)) {
				s.Put(terminal.Text(terminal.Plain, "    "+terminal.Clean(strings.TrimRight(line, "\n"))))
			}
		}
	}
	if c.coverage {
		for _, f := range r.Coverage.Files {
			for _, l := range f.Missed {
				s.Put(terminal.Text(terminal.Yellow, "no test reaches ").And(terminal.Plain, terminal.Clean(f.File+":"+linesText(l))))
			}
		}
	}
	style, sum := terminal.Green, fmt.Sprintf("%d passed", r.Passed)
	if r.Failed > 0 {
		style, sum = terminal.Red, sum+fmt.Sprintf(", %d failed", r.Failed)
	}
	if r.Skipped > 0 {
		sum += fmt.Sprintf(", %d skipped", r.Skipped)
	}
	s.Put(terminal.Text(style, sum).And(terminal.Plain, fmt.Sprintf("; they reach %.1f %% of the rules' lines.", r.Coverage.Percent)))
}

// linesText is a range of lines as people write it.
func linesText(l policy.Lines) string {
	if l.From == l.To {
		return strconv.Itoa(l.From)
	}
	return fmt.Sprintf("%d-%d", l.From, l.To)
}

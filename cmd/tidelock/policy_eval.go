package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/terminal"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// policyEval is one call of `tidelock policy eval`.
type policyEval struct {
	flags    policyFlags
	plan     string
	code     string // the project's directory in a work tree, "" for none
	root     string // of the work tree
	target   policyset.Target
	in       policy.Input
	pull     policy.Pull
	rules    []string
	format   string
	noColour bool
}

func newPolicyEvalCommand(p *program) *cobra.Command {
	var c policyEval
	cmd := &cobra.Command{
		Use:   "eval --plan FILE",
		Short: "Judge a plan, as `terraform show -json` prints it",
		Long: "Asks the policies about one plan, and shows what they find. The plan is JSON: what `terraform show -json PLANFILE`\n" +
			"prints. The policies are the bundled ones as a server without configuration has them, or those of the server\n" +
			"whose configuration --config or TIDELOCK_CONFIG names; --pack, --level and --set change them for this once.\n\n" +
			"Exit codes: 0 nothing forbids it; 1 it could not be judged, which on a server blocks; 2 the command line is\n" +
			"wrong; 3 a policy forbids it.",
		Example: "  terraform show -json tfplan | tidelock policy eval --plan -\n" +
			"  tidelock policy eval --plan plan.json --pack ./policies          with policies that are being written\n" +
			"  tidelock policy eval --plan plan.json --rule security.aws        those rules only\n" +
			"  tidelock policy eval --plan plan.json --label allow-destroy      as if the pull request had the label\n" +
			"  tidelock policy eval --plan plan.json --code live/net --format github\n" +
			"  tidelock policy eval --plan plan.json --json | jq '.findings[].address'",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), p) },
	}
	c.flags.add(cmd)
	f := cmd.Flags()
	f.StringVar(&c.plan, "plan", "", "the plan's JSON; - reads standard input")
	f.StringVar(&c.code, "code", "", "the project's directory in a work tree, to say in which file and line each finding stands")
	f.StringArrayVar(&c.rules, "rule", nil, "ask only this rule, or those whose ID begins so; may be given again")
	f.StringVar(&c.target.Project, "project", "", "name of the project")
	f.StringVar(&c.target.Dir, "dir", "", "its directory in the repository; else --code's")
	f.StringVar(&c.target.Workspace, "workspace", "default", "its workspace")
	f.StringVar(&c.in.Project.Environment, "environment", "", "its environment; else what the configuration says")
	f.StringVar(&c.target.Client, "client", "", "the client whose policies hold")
	f.StringVar(&c.target.Repo, "repo", "", "the repository, as owner/name")
	f.StringArrayVar(&c.pull.Labels, "label", nil, "a label of the pull request; may be given again")
	f.StringVar(&c.pull.Title, "title", "", "the pull request's title")
	f.StringVar(&c.pull.Author, "author", "", "who opened it")
	f.StringArrayVar(&c.pull.Approvals, "approval", nil, "somebody who approved it; may be given again")
	f.StringVar(&c.format, "format", "text", strings.Join(evalFormats, ", "))
	asJSON := f.Bool("json", false, "the same as --format json")
	f.BoolVar(&c.noColour, "no-color", false, "print no colours; NO_COLOR in the environment says the same")
	cmd.PreRun = func(*cobra.Command, []string) {
		if *asJSON {
			c.format = "json"
		}
	}
	cmd.MarkFlagsMutuallyExclusive("json", "format")
	complete(cmd, "format", cobra.FixedCompletions(evalFormats, cobra.ShellCompDirectiveNoFileComp))
	complete(cmd, "rule", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return prefixesOfRules(""), cobra.ShellCompDirectiveNoFileComp
	})
	for _, name := range []string{"project", "workspace", "environment", "client", "repo", "label", "title", "author", "approval"} {
		complete(cmd, name, cobra.NoFileCompletions)
	}
	if err := cmd.MarkFlagRequired("plan"); err != nil {
		panic(err) // the flag stands a few lines above
	}
	return cmd
}

var evalFormats = []string{"text", "json", "github"}

func (c *policyEval) run(ctx context.Context, p *program) error {
	write, ok := map[string]func(io.Writer, policy.Report, []policy.Rule) error{
		"text": func(w io.Writer, r policy.Report, _ []policy.Rule) error {
			look := lookOf(w, p.environ, c.noColour)
			return writeReport(terminal.Screen{W: w, Colour: look.colour, Width: look.width}, r)
		},
		"json":   func(w io.Writer, r policy.Report, _ []policy.Rule) error { return writeJSON(w, r) },
		"github": func(w io.Writer, r policy.Report, _ []policy.Rule) error { return writeAnnotations(w, r) },
	}[c.format]
	if !ok {
		return codedError{errs.New(errs.Invalid, "--format is one of %s, not %q.", strings.Join(evalFormats, ", "), c.format), exitUsage}
	}
	cfg, err := p.deskConfig()
	if err != nil {
		return err
	}
	judges, err := c.flags.judges(cfg)
	if err != nil {
		return err
	}
	if c.in.Plan, err = p.readPlan(c.plan); err != nil {
		return err
	}
	if err := c.facts(ctx); err != nil {
		return err
	}
	if len(c.rules) > 0 {
		if err := c.only(ctx, judges); err != nil {
			return err
		}
	}
	report, judging, err := judges.judge(ctx, c.target, c.in)
	if err != nil {
		return err
	}
	for _, n := range judging.Notes {
		fmt.Fprintf(p.stderr, "note: %s\n", terminal.Clean(n))
	}
	if err := c.locate(report.Findings); err != nil {
		return err
	}
	if err := write(p.stdout, report, judging.Engine.Rules()); err != nil {
		return err
	}
	switch {
	case report.Verdict == policy.Error:
		return told(errs.New(errs.Invalid, "The plan could not be judged."))
	case report.Verdict.Blocks():
		return codedError{told(errs.New(errs.Forbidden, "A policy forbids it.")), exitForbidden}
	}
	return nil
}

// facts fills in what the flags say beside the plan.
func (c *policyEval) facts(ctx context.Context) error {
	if c.code != "" {
		root, dir, err := placeOf(ctx, c.code)
		if err != nil {
			return err
		}
		c.root, c.target.Dir = root, cmp.Or(c.target.Dir, dir)
	}
	c.target.Dir = cmp.Or(c.target.Dir, ".")
	c.target.Project = cmp.Or(c.target.Project, c.target.Dir)
	c.in.Project.Name, c.in.Project.Dir, c.in.Project.Workspace = c.target.Project, c.target.Dir, c.target.Workspace
	c.in.Client.Slug, c.in.Client.Name = c.target.Client, c.target.Client
	if pull := c.pull; len(pull.Labels)+len(pull.Approvals) > 0 || pull.Title+pull.Author != "" {
		pull.Repo = c.target.Repo
		c.in.Pull = &pull
	}
	return nil
}

// only turns off what --rule does not name.
func (c *policyEval) only(ctx context.Context, j *judges) error {
	judging, err := j.of(ctx, c.target)
	if err != nil {
		return err
	}
	meant := func(id string) bool {
		for _, r := range c.rules {
			if id == r || strings.HasPrefix(id, r+".") {
				return true
			}
		}
		return false
	}
	n := 0
	for _, r := range judging.Engine.Rules() {
		if meant(r.ID) {
			n++
		} else {
			j.over.Levels[r.Key()] = policy.Off
		}
	}
	if n == 0 {
		return errs.New(errs.NotFound, "There is no rule %s. tidelock policy list shows all.", strings.Join(c.rules, ", "))
	}
	return nil
}

// locate says where in the code each finding stands, as far as that can be
// found.
func (c *policyEval) locate(findings []policy.Finding) error {
	if c.code == "" {
		return nil
	}
	root, err := openFolder(c.root)
	if err != nil {
		return err
	}
	defer root.Close()
	l := planner.NewLocator(root.FS(), planner.Project{Dir: c.target.Dir, Workspace: c.target.Workspace})
	for i := range findings {
		at := l.Find(findings[i].Address)
		findings[i].File, findings[i].Line, findings[i].EndLine = at.File, at.Line, at.EndLine
	}
	return nil
}

// placeOf finds the work tree around a directory, and the directory within it
// with slashes. Outside of Git the directory is the whole tree.
func placeOf(ctx context.Context, dir string) (root, within string, err error) {
	if root, err = checkout.Top(ctx, dir); err != nil {
		return dir, ".", nil
	}
	whole, err := filepath.Abs(dir)
	if err == nil {
		whole, err = filepath.EvalSymlinks(whole)
	}
	if err != nil {
		return "", "", err
	}
	within, err = filepath.Rel(root, whole)
	return root, filepath.ToSlash(within), err
}

// maxPlanJSON bounds what is read of a plan, in bytes.
const maxPlanJSON = 1 << 30

// readPlan reads a plan's JSON from a file or from standard input.
func (p *program) readPlan(path string) (*tfplan.Plan, error) {
	var from io.Reader = p.stdin
	shown := path
	if path == "-" {
		shown = "standard input"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, errs.Wrap(errs.NotFound, err, "The plan %s can't be opened.", path)
		}
		defer f.Close()
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, maxPlanJSON+1))
	switch {
	case err != nil:
		return nil, errs.Wrap(errs.Invalid, err, "The plan in %s can't be read.", shown)
	case len(text) > maxPlanJSON:
		return nil, errs.New(errs.TooLarge, "The plan in %s is larger than %d MB.", shown, maxPlanJSON>>20)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, errs.New(errs.Invalid, "There is no plan in %s: it is empty. `terraform show -json PLANFILE` prints one.", shown)
	case bytes.HasPrefix(text, []byte("PK\x03\x04")):
		return nil, errs.New(errs.Invalid, "%s is a saved plan as Terraform writes it. Print it as JSON first: terraform show -json %s > plan.json.", shown, shown)
	}
	plan, err := tfplan.ParsePlan(bytes.NewReader(text))
	if err != nil {
		var known *errs.Error
		if errors.As(err, &known) {
			return nil, errs.Wrap(known.Kind, err, "The plan in %s can't be read: %s", shown, known.Sentence)
		}
		return nil, errs.Wrap(errs.Invalid, err, "The plan in %s can't be read; it must be what `terraform show -json PLANFILE` prints.", shown)
	}
	return plan, nil
}

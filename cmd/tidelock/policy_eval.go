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
	"github.com/tidelock/tidelock/internal/sarif"
	"github.com/tidelock/tidelock/internal/terminal"
	"github.com/tidelock/tidelock/planner"
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
			"prints, or a whole input of the rules, with the plan under \"plan\" and the facts beside it.\n\n" +
			"The policies are the bundled ones as a server without configuration has them, or those of the server whose\n" +
			"configuration --config or TIDELOCK_CONFIG names; --pack, --level and --set change them for this once.\n\n" +
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
	f.StringVar(&c.target.Workspace, "workspace", "", "its workspace; else default")
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

var evalFormats = []string{"text", "json", "sarif", "github"}

func (c *policyEval) run(ctx context.Context, p *program) error {
	write, ok := map[string]func(io.Writer, policy.Report, policyset.Judging) error{
		"text": func(w io.Writer, r policy.Report, _ policyset.Judging) error {
			look := lookOf(w, p.environ, c.noColour)
			return writeReport(terminal.Screen{W: w, Colour: look.colour, Width: look.width}, r)
		},
		"json":   func(w io.Writer, r policy.Report, _ policyset.Judging) error { return writeJSON(w, r) },
		"sarif":  c.writeSARIF,
		"github": func(w io.Writer, r policy.Report, _ policyset.Judging) error { return writeAnnotations(w, r) },
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
	given, err := p.readPlan(c.plan)
	if err != nil {
		return err
	}
	if err := c.facts(ctx, given); err != nil {
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
	if err := write(p.stdout, report, judging); err != nil {
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

func (c *policyEval) writeSARIF(w io.Writer, r policy.Report, j policyset.Judging) error {
	rules := map[string]policy.Rule{}
	for _, rule := range j.Engine.Rules() {
		rules[rule.ID] = rule
	}
	return sarif.Write(w, sarif.Report{Report: r, Version: buildVersion().Version, Project: c.target.Project, Rules: rules})
}

// facts are those of the file, with what the flags say over them.
func (c *policyEval) facts(ctx context.Context, given policy.Input) error {
	environment := c.in.Project.Environment
	c.in = given
	dir := given.Project.Dir
	if c.code != "" {
		var err error
		if c.root, dir, err = placeOf(ctx, c.code); err != nil {
			return err
		}
	}
	t := &c.target
	t.Dir = cmp.Or(t.Dir, dir, ".")
	t.Project = cmp.Or(t.Project, given.Project.Name, t.Dir)
	t.Workspace = cmp.Or(t.Workspace, given.Project.Workspace, "default")
	t.Client = cmp.Or(t.Client, given.Client.Slug)
	c.in.Project = policy.Project{Name: t.Project, Dir: t.Dir, Workspace: t.Workspace, Environment: cmp.Or(environment, given.Project.Environment)}
	if t.Client != given.Client.Slug {
		c.in.Client = policy.Client{Slug: t.Client, Name: t.Client}
	}
	pull := policy.Pull{}
	if given.Pull != nil {
		pull = *given.Pull
		t.Repo = cmp.Or(t.Repo, pull.Repo)
	}
	flags := c.pull
	pull.Labels, pull.Approvals = append(pull.Labels, flags.Labels...), append(pull.Approvals, flags.Approvals...)
	pull.Title, pull.Author, pull.Repo = cmp.Or(flags.Title, pull.Title), cmp.Or(flags.Author, pull.Author), t.Repo
	if given.Pull != nil || len(flags.Labels)+len(flags.Approvals) > 0 || flags.Title+flags.Author != "" {
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

// readPlan reads a plan's JSON, or a whole input of the policies, from a file
// or from standard input.
func (p *program) readPlan(path string) (policy.Input, error) {
	var from io.Reader = p.stdin
	shown := path
	if path == "-" {
		shown = "standard input"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return policy.Input{}, errs.Wrap(errs.NotFound, err, "The plan %s can't be opened.", path)
		}
		defer f.Close()
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, maxPlanJSON+1))
	switch {
	case err != nil:
		return policy.Input{}, errs.Wrap(errs.Invalid, err, "The plan in %s can't be read.", shown)
	case len(text) > maxPlanJSON:
		return policy.Input{}, errs.New(errs.TooLarge, "The plan in %s is larger than %d MB.", shown, maxPlanJSON>>20)
	case len(bytes.TrimSpace(text)) == 0:
		return policy.Input{}, errs.New(errs.Invalid, "There is no plan in %s: it is empty. `terraform show -json PLANFILE` prints one.", shown)
	case bytes.HasPrefix(text, []byte("PK\x03\x04")):
		return policy.Input{}, errs.New(errs.Invalid, "%s is a saved plan as Terraform writes it. Print it as JSON first: terraform show -json %s > plan.json.", shown, shown)
	}
	in, err := policy.ReadInput(text)
	var known *errs.Error
	if errors.As(err, &known) {
		err = &errs.Error{Kind: known.Kind, Sentence: fmt.Sprintf("The plan in %s can't be read. %s", shown, known.Sentence), Err: known.Err}
	}
	return in, err
}

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/checkout"
	desks "github.com/tidelock/tidelock/internal/desk" // desk is a name in drift.go
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/terminal"
	"github.com/tidelock/tidelock/planner"
)

// The exit codes of `tidelock plan` beyond the usual ones.
const (
	exitChanges     = 2 // with --detailed-exitcode, as Terraform's own
	exitForbidden   = 3
	exitInterrupted = 130 // what a shell says of what SIGINT ended
)

// planCommand is one call of `tidelock plan`.
type planCommand struct {
	dir                          string
	base                         string
	all, ownConfig               bool
	projects, dirs, workspaces   []string
	labels                       []string
	parallel                     int
	noLock, hooks                bool
	sandbox                      string
	out                          string
	asJSON, asMarkdown, noColour bool
	detailed                     bool
}

// newPlanCommand returns `tidelock plan`.
func newPlanCommand(p *program) *cobra.Command {
	var c planCommand
	cmd := &cobra.Command{
		Use:   "plan [DIR] [flags] [-- TERRAFORM FLAGS]",
		Short: "Plan what a work tree changes, and show the comment that the bot would write",
		Long: "Plans, before anything is pushed, what a pull request of the work tree around DIR (the working directory where\n" +
			"none is named) would change, and shows the comment that the bot would write of it: projects, plans, cost and\n" +
			"what the policies say. What is not committed yet is part of it; what Git ignores is not, since the bot would not\n" +
			"have it either. As on a pull request the configuration is the one of the base, which is where origin's default\n" +
			"branch was when it was last fetched, unless --base names another.\n\n" +
			"Terraform works on a copy: neither the work tree nor any state is ever written, and nothing is applied. Projects\n" +
			"with a backend are planned against it, with its lock; where none is declared, against a copy of the state that\n" +
			"lies beside the code.\n\n" +
			"Your own environment, home and Terraform configuration (~/.terraformrc) reach Terraform, so that profiles, tokens\n" +
			"and logins work; TF_CLI_ARGS and the like do not. That is right at your desk, where you run code that you have in\n" +
			"front of you with rights that are yours. It would be wrong on a server, which runs everybody's code: there a run\n" +
			"gets a clean environment and what the configuration gives it.\n\n" +
			"Policies and costs are judged as a server without configuration does; --config or TIDELOCK_CONFIG names the file\n" +
			"of one, of which the blocks terraform, defaults, policy, cost and gate count.\n\n" +
			"After -- there may stand -target=ADDR, -replace=ADDR, -var=NAME=VALUE, -refresh=false and -parallelism=N.\n\n" +
			"Exit codes: 0 planned, and nothing forbids it; 1 something could not be planned; 2 planned with changes, where\n" +
			"--detailed-exitcode is given; 3 a policy forbids it; 130 interrupted.",
		Example: "  tidelock plan                                  what would my pull request say?\n" +
			"  tidelock plan -p network                       this project, touched or not\n" +
			"  tidelock plan -d live/net -- -target=aws_vpc.a a part of it\n" +
			"  tidelock plan --base origin/release            against another branch\n" +
			"  tidelock plan --markdown > comment.md          the comment as it would be posted\n" +
			"  tidelock plan --json | jq '.projects[].summary'",
		ValidArgsFunction: completeFolder,
		Args: func(cmd *cobra.Command, args []string) error {
			if n := cmd.ArgsLenAtDash(); n >= 0 {
				args = args[:n]
			}
			if len(args) > 1 {
				return codedError{errs.New(errs.Invalid, "%s takes one folder, but got %q too. Terraform's flags stand after --.", cmd.CommandPath(), args[1]), exitFault}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var flags []string
			if n := cmd.ArgsLenAtDash(); n >= 0 {
				args, flags = args[:n], args[n:]
			}
			c.dir = folderOf(args)
			return c.run(cmd.Context(), p, flags)
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return codedError{err, exitFault} }) // 2 means changes here
	f := cmd.Flags()
	f.StringVar(&c.base, "base", "", "branch, tag or commit to compare with; else origin's default branch")
	f.BoolVar(&c.all, "all", false, "plan every project, not only those that the change touches")
	f.StringArrayVarP(&c.projects, "project", "p", nil, "plan the project of this name or pattern; may be given again")
	f.StringArrayVarP(&c.dirs, "dir", "d", nil, "plan the projects in this directory, seen from DIR; may be given again")
	f.StringArrayVarP(&c.workspaces, "workspace", "w", nil, "plan the projects of this workspace; may be given again")
	f.BoolVar(&c.ownConfig, "own-config", false, "go by the work tree's tidelock.hcl, as it will hold once it is merged")
	f.StringArrayVar(&c.labels, "label", nil, "a label that the pull request will have, for the policies; may be given again")
	f.IntVar(&c.parallel, "parallel", 0, "how many projects are planned at once; else one for each core")
	f.BoolVar(&c.noLock, "no-lock", false, "plan without the state's lock, for who may read a state and not lock it")
	f.BoolVar(&c.hooks, "hooks", false, "run the programs that the configuration names as hooks")
	f.StringVar(&c.sandbox, "sandbox", "", "what Terraform is kept in: auto, strict or off; else as configured, which is auto")
	f.StringVar(&c.out, "out", "", "folder to keep plan files, their JSON and logs in; they can hold secrets")
	f.BoolVar(&c.asMarkdown, "markdown", false, "print the comment as it would be posted")
	f.BoolVar(&c.asJSON, "json", false, "print all that is known as JSON")
	f.BoolVar(&c.noColour, "no-color", false, "print no colours; NO_COLOR in the environment says the same")
	f.BoolVar(&c.detailed, "detailed-exitcode", false, "end with 2 where the plans change something")
	cmd.MarkFlagsMutuallyExclusive("json", "markdown")
	cmd.MarkFlagsMutuallyExclusive("all", "project")
	cmd.MarkFlagsMutuallyExclusive("all", "dir")
	cmd.MarkFlagsMutuallyExclusive("all", "workspace")
	if err := cmd.MarkFlagDirname("out"); err != nil {
		panic(err) // the flag stands a few lines above
	}
	for name, complete := range map[string]cobra.CompletionFunc{
		"dir": func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		"sandbox": cobra.FixedCompletions([]string{"auto", "strict", "off"}, cobra.ShellCompDirectiveNoFileComp),
		"project": completeProjects(func(p listedProject) string { return p.Name }), "workspace": completeProjects(func(p listedProject) string { return p.Workspace }),
		"base": cobra.NoFileCompletions, "label": cobra.NoFileCompletions, "parallel": cobra.NoFileCompletions,
	} {
		if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
			panic(err)
		}
	}
	return cmd
}

// completeProjects completes what the projects of the working directory have.
func completeProjects(of func(listedProject) string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx := cmd.Context()
		if ctx == nil {
			ctx = context.Background()
		}
		top, err := checkout.Top(ctx, ".")
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		l, err := list(ctx, top, "", "", nil)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		seen := map[string]bool{}
		var out []string
		for _, p := range l.Projects {
			if name := of(p); !seen[name] {
				seen[name] = true
				out = append(out, name)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

// run plans and tells.
func (c *planCommand) run(ctx context.Context, p *program, flags []string) error {
	options, err := planner.ParseOptions(flags)
	if err != nil {
		return err
	}
	o, err := c.options(ctx, p)
	if err != nil {
		return err
	}
	o.Plan = options
	shown := newPlanProgress(p, c.noColour)
	o.Progress = shown.event
	planned, err := desks.Plan(ctx, o)
	shown.close()
	if ctx.Err() != nil {
		// Whatever could still be told is told, but the code says what happened.
		if err == nil {
			_ = c.write(p, planned, o)
		}
		return codedError{errs.New(errs.Conflict, "Interrupted: Terraform was stopped, and nothing is left of the plans."), exitInterrupted}
	}
	if err != nil {
		return err
	}
	if planned.NoMatch {
		return errs.New(errs.NotFound, "No project of this repository matches%s. tidelock projects lists them.", planned.Filter)
	}
	for _, n := range planned.Notes {
		fmt.Fprintf(p.stderr, "note: %s\n", terminal.Clean(n))
	}
	if err := c.write(p, planned, o); err != nil {
		return err
	}
	return c.exit(planned)
}

// exit is the error whose code tells how the plans ended; nil for 0.
func (c *planCommand) exit(planned desks.Planned) error {
	n := run.TallyOf(planned.View.Pairs)
	switch phase := planned.View.Phase(); {
	case phase == run.PhaseFailed, n.Failed+n.Canceled > 0:
		return told(errs.New(errs.Invalid, "Not everything could be planned."))
	case n.Forbidden > 0:
		return codedError{told(errs.New(errs.Forbidden, "A policy forbids it.")), exitForbidden}
	case c.detailed && n.Ready+n.Deferred > 0:
		return codedError{told(errs.New(errs.Conflict, "There are changes.")), exitChanges}
	}
	return nil
}

// write prints the answer.
func (c *planCommand) write(p *program, planned desks.Planned, o desks.Options) error {
	switch {
	case c.asJSON:
		return writeJSON(p.stdout, newPlannedJSON(planned, o))
	case c.asMarkdown:
		_, err := fmt.Fprint(p.stdout, strings.Join(planned.Comments(), "\n---\n\n"))
		return err
	}
	look := lookOf(p.stdout, p.environ, c.noColour)
	s := terminal.Screen{W: p.stdout, Colour: look.colour, Width: look.width}
	for _, body := range planned.Comments() {
		s.Put(terminal.Comment(body, terminal.Shown{Width: s.Inner(), Whole: true})...)
	}
	if c.out != "" {
		kept, err := filepath.Abs(o.Out)
		if err != nil {
			kept = o.Out
		}
		if _, err := os.Stat(kept); err == nil {
			fmt.Fprintf(p.stderr, "The plans are kept in %s. They can hold secrets.\n", kept)
		}
	}
	return nil
}

package main

import (
	"context"
	"fmt"
	"io"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/drift"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// exitDrift is the exit code where something has drifted, as Terraform's own
// -detailed-exitcode has it.
const exitDrift = 2

// codedError ends the program with a code of its own.
type codedError struct {
	error
	code int
}

func (e codedError) Unwrap() error { return e.error }

// newDriftCommand returns `tidelock drift` with its subcommands.
func newDriftCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "drift",
		Short: "Compare projects with what is really there, and show what was found",
		Long: "Works on the server's database: `run` asks the server for a check now, `status` shows what is known of each\n" +
			"project, `history` what earlier checks found. They need the settings data_dir and database, and nothing of GitHub.",
		Example: "  tidelock drift run --repo acme/infra --wait\n  tidelock drift status\n  tidelock drift history --repo acme/infra",
		Args:    noArgs,
		RunE:    helpWithoutCommand,
	}
	cmd.AddCommand(newDriftRunCommand(p), newDriftStatusCommand(p), newDriftHistoryCommand(p))
	return cmd
}

// desk is the server's database as the command line works on it.
type desk struct {
	db      *db.DB
	clients *clients.Store
	drift   *drift.Store
	runs    *run.Store
	repos   []clients.Repo // those that were asked for
	billing actuals.Rules  // of the configuration
	budget  *budget.Store
}

// openDesk opens the database and finds the repositories: the one named, or all
// that the App is installed on.
func (p *program) openDesk(ctx context.Context, repo string) (_ *desk, err error) {
	l := config.Read(p.configPath, p.environ, config.NeedDatabase)
	if err := l.Problems.Err(); err != nil {
		return nil, codedError{err, exitFault} // 2 means drift here
	}
	if !l.Config.DatabaseExists() { // opening would make it
		return nil, errs.New(errs.NotFound, "There is no database yet at %s: no server has run on it.", l.Config.DatabaseShown())
	}
	d := &desk{billing: l.Config.Billing}
	if d.db, err = db.Open(ctx, l.Config.Database.Reveal()); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = d.db.Close()
		}
	}()
	have, want, err := d.db.Version(ctx)
	if err != nil {
		return nil, err
	}
	if have != want {
		return nil, errs.New(errs.Conflict, "The database has version %d, and this Tidelock works with %d. Use the server's own program, or run `tidelock migrate`.", have, want)
	}
	trail := access.NewTrail(d.db)
	d.budget = parts.Budgets(l.Config, d.db, trail)
	d.clients, d.drift, d.runs = clients.NewStore(d.db), drift.NewStore(d.db, trail, nil), run.NewStore(d.db, trail, nil)
	return d, d.find(ctx, repo)
}

func (d *desk) find(ctx context.Context, name string) error {
	all, err := d.clients.List(ctx, d.db)
	if err != nil {
		return err
	}
	var known []string
	for _, c := range all {
		if c.Status != clients.Active {
			continue
		}
		repos, err := d.clients.Repos(ctx, d.db, c.ID)
		if err != nil {
			return err
		}
		for _, r := range repos {
			if r.Status != clients.Active {
				continue
			}
			known = append(known, r.FullName())
			if name == "" || strings.EqualFold(name, r.FullName()) {
				d.repos = append(d.repos, r)
			}
		}
	}
	if name != "" && len(d.repos) == 0 {
		meant := ""
		if len(known) > 0 && len(known) <= 20 {
			meant = " It knows " + strings.Join(known, ", ") + "."
		}
		return errs.New(errs.NotFound, "This server knows no repository %q that the App is installed on.%s", name, meant)
	}
	return nil
}

// close gives the database back. What was read is read; nothing is lost if that
// fails.
func (d *desk) close() { _ = d.db.Close() }

func newDriftRunCommand(p *program) *cobra.Command {
	var repo, project string
	var wait, asJSON bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Ask the server for a check now",
		Long: "Stores that a check is wanted; a server on the same database begins it within seconds. With --wait the command\n" +
			"waits for the end and shows what was found, with exit code 0 where nothing has drifted, 2 where something has,\n" +
			"and 1 where something could not be compared.",
		Example: "  tidelock drift run\n" +
			"  tidelock drift run --repo acme/infra --project 'live/*'\n" +
			"  tidelock drift run --repo acme/infra --wait",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !doublestar.ValidatePattern(project) {
				return errs.New(errs.Invalid, "%q is not a pattern of project names.", project)
			}
			d, err := p.openDesk(cmd.Context(), repo)
			if err != nil {
				return err
			}
			defer d.close()
			if len(d.repos) == 0 {
				return errs.New(errs.NotFound, "This server knows no repository yet.")
			}
			checks, err := d.ask(cmd.Context(), project)
			if err != nil {
				return err
			}
			if !wait {
				if asJSON {
					return writeJSON(p.stdout, map[string]any{"checks": checks})
				}
				_, err := fmt.Fprintf(p.stdout, "Asked for %s. `tidelock drift status` shows what is found.\n", counted(len(checks), "check"))
				return err
			}
			if err := d.await(cmd.Context(), checks); err != nil {
				return err
			}
			return d.show(cmd.Context(), p.stdout, asJSON)
		},
	}
	repoFlag(cmd, &repo)
	cmd.Flags().StringVar(&project, "project", "", "only projects whose name fits this pattern")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait for the end and show what was found")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func repoFlag(cmd *cobra.Command, repo *string) {
	cmd.Flags().StringVar(repo, "repo", "", "only this repository, as owner/name (else all)")
}

// asked is a check that was asked for.
type asked struct {
	ID   string `json:"id"`
	Repo string `json:"repo"`
}

func (d *desk) ask(ctx context.Context, pattern string) ([]asked, error) {
	actor := access.Actor{Kind: "token", Name: "command line"}
	if u, err := user.Current(); err == nil {
		actor.Name += " of " + u.Username
	}
	checks := []asked{}
	err := d.db.Tx(ctx, func(tx *db.Tx) error {
		checks = checks[:0]
		for _, r := range d.repos {
			c, err := d.drift.Ask(ctx, tx, r.ClientID, r.ID, drift.Everything(pattern), actor)
			if err != nil {
				return err
			}
			checks = append(checks, asked{c.ID, r.FullName()})
		}
		return nil
	})
	return checks, err
}

// await waits until the checks are through.
func (d *desk) await(ctx context.Context, checks []asked) error {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for _, a := range checks {
		for {
			c, err := d.drift.Check(ctx, d.db, a.ID)
			if err != nil {
				return err
			}
			if c.Status == drift.Broken {
				return errs.New(errs.Unavailable, "%s could not be checked. %s", a.Repo, c.Error)
			}
			if c.Status.Finished() {
				break
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
			}
		}
	}
	return nil
}

func newDriftStatusCommand(p *program) *cobra.Command {
	var repo string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what is known of each project",
		Long: "Shows what the last check of each project found. The exit code is 0 where nothing has drifted, 2 where something\n" +
			"has, and 1 where nothing has but something could not be compared, or where the command itself failed.",
		Example: "  tidelock drift status\n  tidelock drift status --repo acme/infra --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := p.openDesk(cmd.Context(), repo)
			if err != nil {
				return err
			}
			defer d.close()
			return d.show(cmd.Context(), p.stdout, asJSON)
		},
	}
	repoFlag(cmd, &repo)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// driftRepo and driftProject are the answer of `tidelock drift status --json`.
type (
	driftRepo struct {
		Repo     string         `json:"repo"`
		Issue    int            `json:"issue,omitempty"`
		Next     *time.Time     `json:"next_check_at,omitempty"`
		Problem  string         `json:"problem,omitempty"` // why the schedule can't be read
		Trouble  string         `json:"trouble,omitempty"` // why GitHub could not be told
		Projects []driftProject `json:"projects"`
	}
	driftProject struct {
		Name      string          `json:"name"`
		Dir       string          `json:"dir"`
		Workspace string          `json:"workspace"`
		Status    drift.Status    `json:"status"`
		Since     time.Time       `json:"since"`
		Checked   time.Time       `json:"checked_at"`
		Summary   *tfplan.Summary `json:"summary,omitempty"`
		Error     string          `json:"error,omitempty"`
		Pull      int             `json:"pull,omitempty"`   // that is changing it
		Remedy    int             `json:"remedy,omitempty"` // the pull request that takes the drift back
		Run       string          `json:"run_id"`
	}
)

// show writes what is known and returns the error that makes the exit code.
func (d *desk) show(ctx context.Context, w io.Writer, asJSON bool) error {
	all := []driftRepo{}
	for _, r := range d.repos {
		one, err := d.known(ctx, r)
		if err != nil {
			return err
		}
		all = append(all, one)
	}
	drifted, failed := 0, 0
	for _, r := range all {
		for _, p := range r.Projects {
			switch p.Status {
			case drift.Drifted:
				drifted++
			case drift.Failed:
				failed++
			}
		}
	}
	err := writeDrift(w, all)
	if asJSON {
		err = writeJSON(w, map[string]any{"repos": all})
	}
	switch {
	case err != nil:
		return err
	case drifted > 0:
		return codedError{told(fmt.Errorf("%d projects have drifted", drifted)), exitDrift}
	case failed > 0:
		return told(fmt.Errorf("%d projects could not be compared", failed))
	}
	return nil
}

func (d *desk) known(ctx context.Context, r clients.Repo) (driftRepo, error) {
	out := driftRepo{Repo: r.FullName(), Projects: []driftProject{}}
	known, err := d.drift.Repo(ctx, d.db, r.ID)
	if err != nil {
		return out, err
	}
	out.Problem, out.Trouble = known.Problem, known.Trouble
	if known.Issue.State == drift.IssueOpen {
		out.Issue = known.Issue.Number
	}
	watches, err := d.drift.Watches(ctx, d.db, r.ID)
	if err != nil {
		return out, err
	}
	for _, w := range watches {
		if !w.Next.IsZero() && (out.Next == nil || w.Next.Before(*out.Next)) {
			next := w.Next.UTC()
			out.Next = &next
		}
	}
	projects, err := d.drift.Projects(ctx, d.db, "", r.ID)
	if err != nil {
		return out, err
	}
	for _, p := range projects {
		one := driftProject{Name: p.Name, Dir: p.Dir, Workspace: p.Workspace, Status: p.Status, Since: p.Since.UTC(), Checked: p.Checked.UTC(), Pull: p.Pull, Remedy: p.Remedy, Run: p.Run}
		last, err := d.runs.Run(ctx, d.db, p.Run)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return out, err
		}
		if err == nil && p.Status != drift.Failed {
			one.Summary = &last.Summary
		}
		one.Error = last.Error
		out.Projects = append(out.Projects, one)
	}
	return out, nil
}

func writeDrift(w io.Writer, all []driftRepo) error {
	t := newTable("REPOSITORY", "PROJECT", "STATUS", "SINCE", "LOOKED AT", "WHAT")
	n := 0
	for _, r := range all {
		for _, p := range r.Projects {
			n++
			t.row(r.Repo, p.Name, p.Status, p.Since.Format(driftTime), p.Checked.Format(driftTime), p.what())
		}
	}
	if n == 0 {
		fmt.Fprintln(w, "No project was compared yet. `tidelock drift run` asks for a check.")
	} else if err := t.write(w); err != nil {
		return err
	}
	for _, r := range all {
		for _, line := range []string{r.Problem, r.Trouble} {
			if line != "" {
				fmt.Fprintf(w, "\n%s: %s\n", r.Repo, hang(line))
			}
		}
		if r.Issue != 0 {
			fmt.Fprintf(w, "\n%s: issue #%d tells of it.\n", r.Repo, r.Issue)
		}
	}
	return nil
}

const driftTime = "2006-01-02 15:04"

// what says in a few words what was found.
func (p driftProject) what() string {
	var parts []string
	switch {
	case p.Status == drift.Failed:
		line, _, _ := strings.Cut(strings.TrimSpace(p.Error), "\n")
		if len(line) > 80 {
			line = strings.ToValidUTF8(line[:80], "") + "…"
		}
		parts = append(parts, line)
	case p.Summary != nil && !p.Summary.Empty():
		parts = append(parts, driftCounts(*p.Summary))
	}
	if p.Pull != 0 {
		parts = append(parts, fmt.Sprintf("#%d is changing it", p.Pull))
	}
	if p.Remedy != 0 {
		parts = append(parts, fmt.Sprintf("#%d takes it back", p.Remedy))
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

// driftCounts says how many objects were changed and how many are gone.
func driftCounts(s tfplan.Summary) string {
	var parts []string
	if s.Update > 0 {
		parts = append(parts, fmt.Sprintf("%d changed", s.Update))
	}
	if s.Delete > 0 {
		parts = append(parts, fmt.Sprintf("%d gone", s.Delete))
	}
	if len(parts) == 0 && s.Outputs > 0 {
		parts = append(parts, counted(s.Outputs, "output"))
	}
	return strings.Join(parts, ", ")
}

func newDriftHistoryCommand(p *program) *cobra.Command {
	var repo, project string
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "history",
		Short:   "Show what earlier checks found",
		Long:    "Lists drift checks of projects, the newest first. The pages show each one's differences and log. How long they are kept is the setting drift.keep.",
		Example: "  tidelock drift history --repo acme/infra --project live/db\n  tidelock drift history --limit 5 --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := p.openDesk(cmd.Context(), repo)
			if err != nil {
				return err
			}
			defer d.close()
			return d.history(cmd.Context(), p.stdout, repo != "", project, limit, asJSON)
		},
	}
	repoFlag(cmd, &repo)
	cmd.Flags().StringVar(&project, "project", "", "only the project in this directory")
	cmd.Flags().IntVar(&limit, "limit", 50, "how many to show")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// driftLook is one comparison, in `tidelock drift history --json`.
type driftLook struct {
	Run     string         `json:"run_id"`
	Repo    string         `json:"repo"`
	Project string         `json:"project"`
	Commit  string         `json:"commit"`
	Status  run.Status     `json:"status"`
	Drifted bool           `json:"drifted"`
	Summary tfplan.Summary `json:"summary"`
	Error   string         `json:"error,omitempty"`
	Actor   access.Actor   `json:"actor"`
	Created time.Time      `json:"created_at"`
}

func (d *desk) history(ctx context.Context, w io.Writer, one bool, dir string, limit int, asJSON bool) error {
	names := map[int64]string{}
	var repo int64
	for _, r := range d.repos {
		names[r.ID] = r.FullName()
		if one {
			repo = r.ID
		}
	}
	all, err := d.runs.WatchRuns(ctx, d.db, repo, dir, max(limit, 1))
	if err != nil {
		return err
	}
	looks := []driftLook{}
	for _, r := range all {
		looks = append(looks, driftLook{r.ID, names[r.Repo], r.Project.Name, r.Commit, r.Status, r.Status == run.Planned && !r.Summary.Empty(), r.Summary, r.Error, r.Actor, r.Created.UTC()})
	}
	if asJSON {
		return writeJSON(w, map[string]any{"runs": looks})
	}
	if len(looks) == 0 {
		_, err := fmt.Fprintln(w, "No project was compared yet.")
		return err
	}
	t := newTable("WHEN", "REPOSITORY", "PROJECT", "FOUND", "ASKED FOR BY", "RUN")
	for _, l := range looks {
		found := string(l.Status)
		switch {
		case l.Drifted:
			found = "drift: " + driftCounts(l.Summary)
		case l.Status == run.Planned:
			found = "clean"
		}
		t.row(l.Created.Format(driftTime), l.Repo, l.Project, found, l.Actor, l.Run)
	}
	return t.write(w)
}

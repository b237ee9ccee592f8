package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/replay"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/terminal"
)

// policyReplay is one call of `tidelock policy replay`.
type policyReplay struct {
	flags          policyFlags
	policies       string
	days           int
	repo           string
	all            bool
	asJSON, failed bool
	noColour       bool
}

func newPolicyReplayCommand(p *program) *cobra.Command {
	var c policyReplay
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Show what changed policies would have blocked in the last weeks",
		Long: "Judges the plans that the server has recorded anew, by policies that are not in force yet: those of --policies,\n" +
			"another configuration file, or the server's own with --pack, --level and --set over them. For each plan on which\n" +
			"the verdict differs it says what would be found now, and what not any more. Nothing is changed by it.\n\n" +
			"It needs the settings data_dir and database, and the encryption key that the plans are kept with. Rules are told\n" +
			"of a pull request what is stored of it now: labels as they are, and no approvals.",
		Example: "  tidelock policy replay --pack ./policies\n" +
			"  tidelock policy replay --days 90 --repo acme/infra --level security=mandatory\n" +
			"  tidelock policy replay --policies changed.hcl --json | jq '.plans[] | select(.change==\"blocked\")'",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), p) },
	}
	c.flags.add(cmd)
	f := cmd.Flags()
	f.StringVar(&c.policies, "policies", "", "configuration file whose policies are tried; else the server's own")
	f.IntVar(&c.days, "days", 30, "how many days back")
	f.BoolVar(&c.all, "all", false, "list the plans on which nothing differs, too")
	f.BoolVar(&c.asJSON, "json", false, "print JSON")
	f.BoolVar(&c.failed, "detailed-exitcode", false, "end with 2 where a plan would be blocked that was not")
	f.BoolVar(&c.noColour, "no-color", false, "print no colours; NO_COLOR in the environment says the same")
	repoFlag(cmd, &c.repo)
	complete(cmd, "days", cobra.NoFileCompletions)
	return cmd
}

func (c *policyReplay) run(ctx context.Context, p *program) error {
	if c.days < 1 || c.days > 3650 {
		return errs.New(errs.Invalid, "--days is how many days back, from 1 to 3650, not %d.", c.days)
	}
	judges, err := c.judges(p)
	if err != nil {
		return err
	}
	d, err := p.openDesk(ctx, c.repo)
	if err != nil {
		return err
	}
	defer d.close()
	y := replay.Replay{DB: d.db, Runs: d.runs, Clients: d.clients, Since: time.Now().AddDate(0, 0, -c.days)}
	if c.repo != "" {
		y.Client, y.Repo = d.repos[0].ClientID, d.repos[0].ID
	}
	if y.Blobs, err = p.openBlobs(ctx); err != nil {
		return err
	}
	y.Judge = func(ctx context.Context, r run.Run, in policy.Input) (policy.Report, error) {
		t := policyset.Target{Client: in.Client.Slug, Repo: in.Pull.Repo, Project: r.Project.Name, Dir: r.Project.Dir, Workspace: r.Project.Workspace}
		report, _, err := judges.judge(ctx, t, in)
		return report, err
	}
	look := lookOf(p.stderr, p.environ, c.noColour)
	live := terminal.Screen{W: p.stderr, Colour: look.colour, Live: look.terminal, Width: look.width}
	if look.terminal {
		y.Progress = func(done int) { live.Draw(terminal.Text(terminal.Dim, fmt.Sprintf("%d judged", done))) }
	}
	plans, err := y.Run(ctx)
	live.Clear()
	if err != nil {
		return err
	}
	if err := c.write(p, plans); err != nil {
		return err
	}
	if tally := replay.Tally(plans); c.failed && tally[replay.Blocked]+tally[replay.Unjudged] > 0 {
		return codedError{told(errs.New(errs.Forbidden, "Plans would be blocked that were not.")), exitChanges}
	}
	return nil
}

// judges are the policies that are tried.
func (c *policyReplay) judges(p *program) (*judges, error) {
	tried := *p
	if c.policies != "" {
		tried.configPath = c.policies
	}
	l := config.Read(tried.configPath, tried.environ, config.NeedNothing)
	var bad config.Problems
	for _, problem := range l.Problems {
		if problem.Setting == "" || strings.HasPrefix(problem.Setting, "policy") || strings.HasPrefix(problem.Setting, "environment") {
			bad = append(bad, problem)
		}
	}
	if err := bad.Err(); err != nil {
		return nil, err
	}
	return c.flags.judges(l.Config)
}

// openBlobs opens what the server keeps encrypted. Unlike the server it makes
// no key: without the right one there is nothing to read.
func (p *program) openBlobs(ctx context.Context) (*blob.Store, error) {
	cfg := config.Read(p.configPath, p.environ, config.NeedDatabase).Config
	key := cfg.EncryptionKey
	if key.Empty() {
		var err error
		key, err = config.ReadEncryptionKey(cfg)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errs.Wrap(errs.NotFound, err, "There is no encryption key at %s: the server's plans can't be read without it.", cfg.EncryptionKeyFile)
		}
		if err != nil {
			return nil, err
		}
	}
	return parts.Blobs(ctx, cfg, key)
}

// replayedJSON is the answer of `tidelock policy replay --json`.
type replayedJSON struct {
	Days  int                   `json:"days"`
	Total int                   `json:"total"`
	Tally map[replay.Change]int `json:"tally"`
	Plans []replay.Plan         `json:"plans"` // those that differ, or all with --all
}

func (c *policyReplay) write(p *program, plans []replay.Plan) error {
	tally := replay.Tally(plans)
	if c.asJSON {
		out := replayedJSON{Days: c.days, Total: len(plans), Tally: tally, Plans: []replay.Plan{}}
		for _, plan := range plans {
			if c.all || plan.Change != replay.Same {
				out.Plans = append(out.Plans, plan)
			}
		}
		return writeJSON(p.stdout, out)
	}
	look := lookOf(p.stdout, p.environ, c.noColour)
	s := terminal.Screen{W: p.stdout, Colour: look.colour, Width: look.width}
	for _, change := range replay.Changes() {
		for _, plan := range plans {
			if plan.Change == change && (c.all || change != replay.Same) {
				putReplayed(s, plan)
			}
		}
	}
	var parts []string
	for _, change := range replay.Changes() {
		if n := tally[change]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, replayWords[change].many))
		}
	}
	if len(plans) == 0 {
		parts = []string{"none was recorded"}
	}
	s.Put(terminal.Text(terminal.Bold, fmt.Sprintf("%s of the last %s: ", counted(len(plans), "plan"), counted(c.days, "day"))).And(terminal.Plain, strings.Join(parts, ", ")+"."))
	return nil
}

// replayWords are how each change is told, of one plan and of several.
var replayWords = map[replay.Change]struct {
	one, many string
	style     terminal.Style
}{
	replay.Blocked:  {"would be blocked", "would be blocked", terminal.Red},
	replay.Unjudged: {"could not be judged", "could not be judged", terminal.Red},
	replay.Stricter: {"blocked for more", "blocked for more", terminal.Yellow},
	replay.Freed:    {"would pass", "would pass now", terminal.Green},
	replay.Looser:   {"blocked for less", "blocked for less", terminal.Green},
	replay.Warned:   {"other warnings", "with other warnings", terminal.Plain},
	replay.Same:     {"the same", "as before", terminal.Dim},
	replay.Gone:     {"not kept", "not kept any more", terminal.Dim},
}

// maxReplayed is how many findings of one plan are listed.
const maxReplayed = 10

func putReplayed(s terminal.Screen, p replay.Plan) {
	word := replayWords[p.Change]
	s.Put(terminal.Text(word.style, word.one).And(terminal.Bold, terminal.Clean(fmt.Sprintf("  %s#%d", p.Repo, p.Pull))).
		And(terminal.Plain, terminal.Clean(fmt.Sprintf("  %s  %.8s  %s  %s", p.Project, p.Commit, p.Made.Format("2006-01-02"), p.Title))))
	if p.Why != "" {
		s.Put(terminal.Text(terminal.Dim, "  "+terminal.Clean(p.Why)))
	}
	for _, problem := range p.Problems {
		s.Put(terminal.Text(terminal.Red, "  ✗ "+terminal.Clean(problem.String())))
	}
	for _, side := range []struct {
		sign     string
		style    terminal.Style
		findings []policy.Finding
	}{{"+", terminal.Red, p.Found}, {"-", terminal.Green, p.Gone}} {
		for i, f := range side.findings {
			if i == maxReplayed {
				s.Put(terminal.Text(terminal.Dim, fmt.Sprintf("  %s … and %d more", side.sign, len(side.findings)-i)))
				break
			}
			s.Put(terminal.Text(side.style, "  "+side.sign+" ").And(terminal.Plain, terminal.Clean(fmt.Sprintf("%s %s %s: %s", f.Level, f.Rule, f.Address, f.Message))))
		}
	}
}

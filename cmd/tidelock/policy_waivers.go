package main

import (
	"context"
	"fmt"
	"io"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/terminal"
)

// newPolicyWaiversCommand returns `tidelock policy waivers` with its
// subcommands.
func newPolicyWaiversCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "waivers",
		Short: "List what was accepted of the policies' findings, and take it back",
		Long: "Works on the server's database: `list` shows what stands accepted, `show` one of it, and `revoke` takes it back.\n" +
			"To accept a finding, comment approve-policies on its pull request. They need the settings data_dir and database,\n" +
			"and nothing of GitHub.",
		Example: "  tidelock policy waivers list --expiring 7d\n  tidelock policy waivers revoke ID --reason \"the VPN is there\"",
		Args:    noArgs,
		RunE:    helpWithoutCommand,
	}
	cmd.AddCommand(newPolicyWaiversListCommand(p), newPolicyWaiversShowCommand(p), newPolicyWaiversRevokeCommand(p))
	return cmd
}

// waiverJSON is a waiver in `tidelock policy waivers --json`.
type waiverJSON struct {
	ID          string        `json:"id"`
	Client      string        `json:"client"` // slug
	Repo        string        `json:"repo"`   // owner/name
	Project     string        `json:"project"`
	Dir         string        `json:"dir"`
	Workspace   string        `json:"workspace"`
	Pull        int           `json:"pull"` // where the word was given
	PlanDigest  string        `json:"plan_digest,omitempty"`
	Fingerprint string        `json:"fingerprint,omitempty"` // left out for everything in one plan
	Rule        string        `json:"rule,omitempty"`
	Pack        string        `json:"pack,omitempty"`
	Address     string        `json:"address,omitempty"`
	Message     string        `json:"message,omitempty"`
	Actor       access.Actor  `json:"actor"`
	Reason      string        `json:"reason,omitempty"`
	Given       time.Time     `json:"given_at"`
	Expires     *time.Time    `json:"expires_at,omitempty"` // left out for one plan's
	Stands      bool          `json:"stands"`
	Ended       run.Ending    `json:"ended,omitempty"` // revoked, expired or replaced
	EndedAt     *time.Time    `json:"ended_at,omitempty"`
	EndedBy     *access.Actor `json:"ended_by,omitempty"`
}

// waiverNames knows what clients and repositories are called, those that are
// gone too.
type waiverNames struct {
	clients map[string]string
	repos   map[int64]string
}

func (d *desk) waiverNames(ctx context.Context) (waiverNames, error) {
	n := waiverNames{map[string]string{}, map[int64]string{}}
	all, err := d.clients.List(ctx, d.db)
	if err != nil {
		return n, err
	}
	for _, c := range all {
		n.clients[c.ID] = c.Slug
		repos, err := d.clients.Repos(ctx, d.db, c.ID)
		if err != nil {
			return n, err
		}
		for _, r := range repos {
			n.repos[r.ID] = r.FullName()
		}
	}
	return n, nil
}

func (n waiverNames) view(w run.Waiver, now time.Time) waiverJSON {
	v := waiverJSON{
		ID: w.ID, Client: n.clients[w.Client], Repo: n.repos[w.Repo], Project: w.Project, Dir: w.Dir, Workspace: w.Workspace, Pull: w.Pull, PlanDigest: w.PlanDigest,
		Fingerprint: w.Fingerprint, Rule: w.Rule, Pack: w.Pack, Address: w.Address, Message: w.Message, Actor: w.Actor, Reason: w.Reason,
		Given: w.Given.UTC(), Stands: w.Stands(now), Ended: w.Ended,
	}
	if v.Repo == "" {
		v.Repo = strconv.FormatInt(w.Repo, 10)
	}
	if !w.Expires.IsZero() {
		t := w.Expires.UTC()
		v.Expires = &t
	}
	if w.Ended != "" {
		t, by := w.EndedAt.UTC(), w.EndedBy
		v.EndedAt, v.EndedBy = &t, &by
	}
	return v
}

// until says for people how long the word counts, or that it does not.
func (w waiverJSON) until() string {
	switch {
	case w.Ended != "":
		return string(w.Ended) + " " + w.EndedAt.Format(time.DateOnly)
	case w.Expires == nil:
		return "this plan"
	case !w.Stands:
		return "expired " + w.Expires.Format(time.DateOnly)
	}
	return w.Expires.Format("2006-01-02 15:04")
}

// what names the finding.
func (w waiverJSON) what() string {
	if w.Fingerprint == "" {
		return "everything in one plan"
	}
	return strings.TrimSpace(w.Rule + " " + w.Address)
}

func newPolicyWaiversListCommand(p *program) *cobra.Command {
	var client, repo, expiring string
	var all, asJSON bool
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what stands accepted",
		Long: "Lists the words that count now, the newest first: those that last, and those for one plan of pull requests that\n" +
			"are open. With --all also those that were taken back, replaced or have expired.",
		Example: "  tidelock policy waivers list\n" +
			"  tidelock policy waivers list --repo acme/infra --expiring 7d\n" +
			"  tidelock policy waivers list --client acme --all --json | jq '.waivers[].reason'",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f := run.WaiverFilter{Standing: !all, Limit: limit}
			if limit < 1 || limit > 10000 {
				return errs.New(errs.Invalid, "--limit is how many to show, from 1 to 10000, not %d.", limit)
			}
			if expiring != "" {
				within, err := wholeTime(expiring)
				if err != nil {
					return err
				}
				f.Before = time.Now().Add(within)
			}
			d, err := p.openDesk(cmd.Context(), "")
			if err != nil {
				return err
			}
			defer d.close()
			if f.Client, f.Repo, err = d.narrow(cmd.Context(), client, repo); err != nil {
				return err
			}
			return d.listWaivers(cmd.Context(), p.stdout, f, asJSON)
		},
	}
	repoFlag(cmd, &repo)
	cmd.Flags().StringVar(&client, "client", "", "only this client's, by its slug")
	cmd.Flags().StringVar(&expiring, "expiring", "", "only those that expire within this time, as 7d or 12h")
	cmd.Flags().BoolVar(&all, "all", false, "also those that count no more")
	cmd.Flags().IntVar(&limit, "limit", 500, "how many to show")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	for _, flag := range []string{"repo", "client", "expiring", "limit"} {
		complete(cmd, flag, cobra.NoFileCompletions)
	}
	return cmd
}

// wholeTime reads a span of days, weeks or hours, as comments have it.
func wholeTime(s string) (time.Duration, error) {
	if n := len(s); n > 1 {
		unit := map[byte]time.Duration{'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[s[n-1]]
		if count, err := strconv.ParseUint(s[:n-1], 10, 16); err == nil && unit != 0 {
			return time.Duration(count) * unit, nil
		}
	}
	return 0, errs.New(errs.Invalid, "%q is no time such as 7d, 2w or 12h.", s)
}

// narrow finds a client by its slug and a repository by its name, those too
// that the App is no longer installed on.
func (d *desk) narrow(ctx context.Context, slug, name string) (client string, repo int64, err error) {
	if client, err = clientID(ctx, d.clients, d.db, slug); err != nil || name == "" {
		return client, 0, err
	}
	all, err := d.clients.List(ctx, d.db)
	if err != nil {
		return "", 0, err
	}
	for _, c := range all {
		if client != "" && c.ID != client {
			continue
		}
		repos, err := d.clients.Repos(ctx, d.db, c.ID)
		if err != nil {
			return "", 0, err
		}
		for _, r := range repos {
			if strings.EqualFold(r.FullName(), name) {
				return c.ID, r.ID, nil
			}
		}
	}
	return "", 0, errs.New(errs.NotFound, "This server knows no repository %q.", name)
}

func (d *desk) listWaivers(ctx context.Context, w io.Writer, f run.WaiverFilter, asJSON bool) error {
	all, err := d.runs.Waivers(ctx, d.db, f)
	if err != nil {
		return err
	}
	names, err := d.waiverNames(ctx)
	if err != nil {
		return err
	}
	views := []waiverJSON{}
	for _, one := range all {
		views = append(views, names.view(one, time.Now()))
	}
	if asJSON {
		return writeJSON(w, map[string]any{"waivers": views})
	}
	if len(views) == 0 {
		_, err := fmt.Fprintln(w, "Nothing is accepted.")
		return err
	}
	t := newTable("ID", "REPOSITORY", "PROJECT", "FINDING", "BY", "UNTIL", "REASON")
	for _, v := range views {
		t.row(v.ID, v.Repo, v.Project, v.what(), v.Actor, v.until(), v.Reason)
	}
	return t.write(w)
}

func newPolicyWaiversShowCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show one of what was accepted",
		Long:    "Shows who accepted what, when, for how long and why, and how it ended.",
		Example: "  tidelock policy waivers show 0199f2c4-7d1e-7c55-a0d9-5d2c5a3b9e10",
		Args:    cobra.ExactArgs(1),

		ValidArgsFunction: p.completeWaivers,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := p.openDesk(cmd.Context(), "")
			if err != nil {
				return err
			}
			defer d.close()
			w, err := d.runs.Waiver(cmd.Context(), d.db, args[0])
			if err != nil {
				return err
			}
			names, err := d.waiverNames(cmd.Context())
			if err != nil {
				return err
			}
			v := names.view(w, time.Now())
			if asJSON {
				return writeJSON(p.stdout, v)
			}
			return v.show(p.stdout)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (w waiverJSON) show(out io.Writer) error {
	t := newTable()
	for _, line := range [][2]string{
		{"finding", w.what()}, {"message", w.Message}, {"policies", w.Pack}, {"repository", w.Repo}, {"project", w.Project + " (" + w.Dir + ", workspace " + w.Workspace + ")"},
		{"accepted by", w.Actor.String()}, {"on", fmt.Sprintf("%s, in #%d", w.Given.Format("2006-01-02 15:04 MST"), w.Pull)}, {"until", w.until()}, {"reason", w.Reason},
	} {
		if line[1] != "" {
			t.row(line[0]+":", line[1])
		}
	}
	if w.EndedBy != nil {
		t.row("ended by:", w.EndedBy)
	}
	return t.write(out)
}

func newPolicyWaiversRevokeCommand(p *program) *cobra.Command {
	var reason string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "revoke ID...",
		Short: "Take back what was accepted",
		Long: "Takes words back by their IDs, all of them or none. They count for nothing from that moment: an apply that has\n" +
			"not begun is held. A server on the same database has the pull requests say so within seconds. Whoever may\n" +
			"write the database may do this; the audit trail has it with their name on this machine.",
		Example: "  tidelock policy waivers revoke 0199f2c4-7d1e-7c55-a0d9-5d2c5a3b9e10 --reason \"the VPN is there\"",
		Args:    cobra.MinimumNArgs(1),

		ValidArgsFunction: p.completeWaivers,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := p.openDesk(cmd.Context(), "")
			if err != nil {
				return err
			}
			defer d.close()
			ended, err := d.revoke(cmd.Context(), args, strings.TrimSpace(reason))
			if err != nil {
				return err
			}
			names, err := d.waiverNames(cmd.Context())
			if err != nil {
				return err
			}
			views := []waiverJSON{}
			for _, w := range ended {
				views = append(views, names.view(w, time.Now()))
			}
			if asJSON {
				return writeJSON(p.stdout, map[string]any{"revoked": views})
			}
			for _, w := range views {
				if _, err := fmt.Fprintf(p.stdout, "Taken back: %s in %s, which %s had accepted.\n", terminal.Clean(w.what()), terminal.Clean(w.Project), terminal.Clean(w.Actor.String())); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// completeWaivers completes the IDs of what stands accepted.
func (p *program) completeWaivers(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if cmd.Name() == "show" && len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	d, err := p.openDesk(cmd.Context(), "")
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer d.close()
	all, err := d.runs.Waivers(cmd.Context(), d.db, run.WaiverFilter{Standing: true, Limit: 100})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []cobra.Completion
	for _, w := range all {
		v := waiverJSON{Fingerprint: w.Fingerprint, Rule: w.Rule, Address: w.Address}
		out = append(out, cobra.CompletionWithDesc(w.ID, terminal.Clean(strings.Join(strings.Fields(v.what()), " "))))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// revoke takes words back, all or none.
func (d *desk) revoke(ctx context.Context, ids []string, reason string) (ended []run.Waiver, err error) {
	actor := access.Actor{Kind: access.Token, Name: "command line"}
	if u, err := user.Current(); err == nil {
		actor.Name += " of " + u.Username
	}
	err = d.db.Tx(ctx, func(tx *db.Tx) error {
		var words []run.Waiver
		seen := map[string]bool{}
		for _, id := range ids {
			w, err := d.runs.Waiver(ctx, tx, id)
			if errs.Is(err, errs.NotFound) {
				return errs.New(errs.NotFound, "There is no waiver %q. `tidelock policy waivers list` shows those that stand.", id)
			}
			if err != nil {
				return err
			}
			if w.Ended != "" {
				return errs.New(errs.Conflict, "The waiver %s was %s already, at %s. Nothing was taken back.", id, w.Ended, w.EndedAt.UTC().Format("2006-01-02 15:04 MST"))
			}
			if !seen[id] {
				seen[id] = true
				words = append(words, w)
			}
		}
		var err error
		ended, err = d.runs.Revoke(ctx, tx, words, actor, reason, true)
		return err
	})
	return ended, err
}

package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/planner"
)

// setsCommand is `tidelock policy sets`.
type setsCommand struct {
	target policyset.Target
	dir    string
	admin  string
	asJSON bool
}

func newPolicySetsCommand(p *program) *cobra.Command {
	c := &setsCommand{}
	cmd := &cobra.Command{
		Use:   "sets",
		Short: "Show what judges a project, and why",
		Long: "Shows the packs, the environment, the levels, settings and owners by which a project is judged, and where\n" +
			"each comes from: a rule itself, the server's settings, a policy_scope, or the repository's tidelock.hcl.\n\n" +
			"The server is the one whose configuration --config or TIDELOCK_CONFIG names. The admin repository is read\n" +
			"from the clone that --admin names. The repository's own policies are those of the working directory, or of\n" +
			"the folder that --dir names; a pull request is judged by those of its base branch.",
		Example: "  tidelock policy sets\n" +
			"  tidelock policy sets --repo acme/infra --project live/prod\n" +
			"  tidelock policy sets --config tidelock-server.hcl --admin ../policies --project live/prod --json",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), p) },
	}
	f := cmd.Flags()
	f.StringVar(&c.target.Dir, "project", ".", "the project's directory within the repository")
	f.StringVar(&c.target.Workspace, "workspace", planner.DefaultWorkspace, "its workspace")
	f.StringVar(&c.target.Project, "name", "", "its name, where that is not its directory")
	f.StringVar(&c.target.Repo, "repo", "", "the repository, as owner/name")
	f.StringVar(&c.target.Client, "client", "", "the client")
	f.StringVar(&c.dir, "dir", ".", "the repository's folder")
	f.StringVar(&c.admin, "admin", "", "a clone of the admin repository, as it is checked out")
	f.BoolVar(&c.asJSON, "json", false, "print JSON")
	for _, name := range []string{"project", "workspace", "name", "repo", "client"} {
		complete(cmd, name, cobra.NoFileCompletions)
	}
	return cmd
}

func (c *setsCommand) run(ctx context.Context, p *program) error {
	cfg, err := p.deskConfig()
	if err != nil {
		return err
	}
	o := parts.PolicyOptions(cfg)
	switch {
	case c.admin != "":
		if o.Admin, err = localAdmin(o.Admin, c.admin); err != nil {
			return err
		}
	case o.Admin.Repo != "":
		fmt.Fprintf(p.stderr, "note: The admin repository %s is not asked from here; --admin names a clone of it.\n", o.Admin.Repo)
		o.Admin = policyset.Admin{}
	}
	sets, err := policyset.New(o)
	if err != nil {
		return err
	}
	if c.target.Project == "" {
		c.target.Project = c.target.Dir
	}
	repo, err := repoPolicyIn(os.DirFS(c.dir))
	if err != nil {
		return err
	}
	judging, err := sets.For(ctx, c.target, repo)
	if err != nil {
		return err
	}
	if c.asJSON {
		return writeJSON(p.stdout, setsJSON{
			Target: c.target, Environment: judging.Environment, EnvironmentOrigin: judging.EnvironmentOrigin, Scopes: append([]string{}, judging.Scopes...),
			Packs: append([]policyset.PackState{}, judging.Packs...), Levels: judging.Levels, Settings: append([]policyset.Setting{}, judging.Settings...),
			Owners: judging.Owners, OwnerOrigins: judging.OwnerOrigins, Notes: append([]string{}, judging.Notes...),
		})
	}
	return c.print(p, judging)
}

// setsJSON is what --json prints.
type setsJSON struct {
	Target            policyset.Target            `json:"target"`
	Environment       string                      `json:"environment"`
	EnvironmentOrigin policyset.Origin            `json:"environment_origin,omitempty"`
	Scopes            []string                    `json:"scopes"` // the strongest last
	Packs             []policyset.PackState       `json:"packs"`
	Levels            []policyset.Level           `json:"levels"`
	Settings          []policyset.Setting         `json:"settings"`
	Owners            map[string]policy.Owners    `json:"owners"`
	OwnerOrigins      map[string]policyset.Origin `json:"owner_origins"`
	Notes             []string                    `json:"notes"`
}

// repoPolicyIn reads what a repository's folder says of its policies.
func repoPolicyIn(tree fs.FS) (policyset.RepoPolicy, error) {
	text, err := fs.ReadFile(tree, planner.ConfigFile)
	if os.IsNotExist(err) {
		return policyset.RepoPolicy{}, nil
	}
	if err != nil {
		return policyset.RepoPolicy{}, errs.Wrap(errs.Invalid, err, "%s can't be read.", planner.ConfigFile)
	}
	cfg, err := planner.ParseConfig(text, planner.ConfigFile)
	if err != nil {
		return policyset.RepoPolicy{}, err
	}
	repo := proposal.RepoPolicy(cfg.Policy)
	repo.Packs, err = policyset.ReadRepoPacks(tree, cfg.Policy.Packs)
	return repo, err
}

// localAdmin reads the admin repository from a folder.
func localAdmin(a policyset.Admin, dir string) (policyset.Admin, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return a, err
	}
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		return a, errs.New(errs.NotFound, "--admin %s is no folder.", dir)
	}
	if a.Repo == "" {
		a.Repo = filepath.Base(abs)
	}
	a.Folder, a.Source, a.Store = abs, nil, nil
	return a, nil
}

func (c *setsCommand) print(p *program, j policyset.Judging) error {
	say := func(format string, args ...any) { fmt.Fprintf(p.stdout, format+"\n", args...) }
	if j.Environment == "" {
		say("Environment: none")
	} else {
		say("Environment: %s (%s)", j.Environment, j.EnvironmentOrigin)
	}
	say("Scopes, the strongest last: %s", orNone(strings.Join(j.Scopes, "; ")))
	for _, pack := range j.Packs {
		if pack.Name == policyset.RepositoryPack {
			say("Pack %s: %s, of the folders that %s names", pack.Name, counted(pack.Rules, "rule"), pack.From)
			continue
		}
		say("Pack %s", pack.Line())
	}
	for _, pack := range sortedOwners(j.Owners) {
		o, of := j.Owners[pack], "Owners"
		if pack != "" {
			of = "Owners of " + pack
		}
		who := strings.Join(o.Who, ", ")
		if who == "" {
			who = "whoever has the role maintain"
		}
		if o.Needed() > 1 {
			who = fmt.Sprintf("%d of %s", o.Needed(), who)
		}
		say("%s: %s (%s)", of, who, j.OwnerOrigins[pack])
	}
	say("")
	t := newTable("RULE", "LEVEL", "BECAUSE OF")
	for _, l := range j.Levels {
		name := l.Rule
		if l.Pack != "" {
			name = l.Pack + "/" + l.Rule
		}
		t.row(name, l.Level, l.Origin)
	}
	if err := t.write(p.stdout); err != nil {
		return err
	}
	if len(j.Settings) > 0 {
		say("")
		t = newTable("SETTING", "VALUE", "BECAUSE OF")
		for _, s := range j.Settings {
			t.row(s.Name, fmt.Sprint(s.Value), s.Origin)
		}
		if err := t.write(p.stdout); err != nil {
			return err
		}
	}
	for _, note := range j.Notes {
		fmt.Fprintf(p.stderr, "note: %s\n", note)
	}
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func sortedOwners(m map[string]policy.Owners) []string {
	out := []string{""}
	for pack := range m {
		if pack != "" {
			out = append(out, pack)
		}
	}
	slices.Sort(out)
	return out
}

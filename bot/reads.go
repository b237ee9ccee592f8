package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// A project reads the outputs of another one by a data source that names this
// server. Which it may read is for the base branch to say, within a repository,
// and for an administrator, between repositories of one client: the code of a
// pull request can name any. A run is given copies of the outputs that its
// project may read, as it is given a copy of its own state; it gets no
// credential, which hostile code could take elsewhere.

// server is where this server is reached.
func (b *Bot) server() planner.Server {
	us, err := url.Parse(b.PublicURL)
	if err != nil || us.Host == "" {
		return planner.Server{}
	}
	return planner.Server{Host: us.Host, Path: us.Path + state.Prefix}
}

// readable returns the names of the states whose outputs the project may read,
// sorted: its own, those of the projects that the base branch names, and those
// that were shared with it.
func (b *Bot) readable(ctx context.Context, repo clients.Repo, p planner.Project) ([]string, error) {
	if b.States == nil || b.server() == (planner.Server{}) || p.Kind == planner.KindTerragrunt {
		return nil, nil
	}
	own := state.Owner{Client: repo.ClientID, Repo: repo.ID, Project: p.Key()}
	names, err := b.States.SharedWith(ctx, own)
	if err != nil {
		return nil, err
	}
	for _, key := range append([]string{p.Key()}, p.ReadsState...) {
		name, err := b.States.NameOf(ctx, state.Owner{Client: own.Client, Repo: own.Repo, Project: key})
		if errs.Is(err, errs.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// consented returns the configuration of a pull's base branch with only what the
// repository's default branch lets projects read as well: a branch that somebody
// pushes can be the base of a pull request too.
func (b *Bot) consented(ctx context.Context, src checkout.Source, repo clients.Repo, p run.Pull, cfg planner.RepoConfig) (planner.RepoConfig, error) {
	asks := slices.ContainsFunc(cfg.Projects, func(pc planner.ProjectConfig) bool { return len(pc.ReadsState) > 0 })
	if !asks || p.BaseRef == repo.DefaultBranch {
		return cfg, nil
	}
	var main planner.RepoConfig // which lets nobody read anything, where it can't be read
	if repo.DefaultBranch != "" {
		var err error
		main, _, err = b.repoConfig(ctx, src, tipPull(repo.ID, repo.DefaultBranch))
		if err != nil && !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.NotFound) {
			return cfg, err
		}
	}
	return bothConsent(cfg, main), nil
}

// bothConsent returns cfg with only those of the states that its projects read
// which main lets the same projects read.
func bothConsent(cfg, main planner.RepoConfig) planner.RepoConfig {
	allowed := map[string][]string{}
	for _, pc := range main.Projects {
		allowed[planner.Project{Dir: pc.Dir, Workspace: pc.Workspace}.Key()] = pc.ReadsState
	}
	cfg.Projects = slices.Clone(cfg.Projects)
	for i, pc := range cfg.Projects {
		var both []string
		for _, key := range pc.ReadsState {
			if slices.Contains(allowed[planner.Project{Dir: pc.Dir, Workspace: pc.Workspace}.Key()], key) {
				both = append(both, key)
			}
		}
		cfg.Projects[i].ReadsState = both
	}
	return cfg
}

// readNow returns which versions of the states count that the project may read,
// by name: what a plan of it may depend on beside its own.
func (b *Bot) readNow(ctx context.Context, repo clients.Repo, p planner.Project) ([]tfrun.ReadState, error) {
	names, err := b.readable(ctx, repo, p)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	client, err := b.Clients.Client(ctx, b.DB, repo.ClientID)
	if err != nil {
		return nil, err
	}
	var all []tfrun.ReadState
	for _, name := range names {
		st, err := b.States.State(ctx, client.ID, name)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return nil, err
		}
		s := tfrun.ReadState{State: client.Slug + "/" + name}
		if err == nil && st.Exists() {
			s.Ref = tfrun.StateRef{Lineage: st.Lineage, Serial: st.Serial}
		}
		all = append(all, s)
	}
	return all, nil
}

// layReads gives a run that is about to start copies of what its code reads of
// other states. Code that names one which its project may not read is refused,
// and that stands in the audit trail; whether there is one is not told.
func (b *Bot) layReads(ctx context.Context, r run.Run, s *tfrun.Spec) error {
	us := b.server()
	if b.States == nil || us == (planner.Server{}) {
		return nil
	}
	if s.Terragrunt != nil { // nobody but Terragrunt knows what its code is
		s.Reads = &tfrun.Reads{Server: us}
		return nil
	}
	repo, err := b.Clients.Repo(ctx, b.DB, r.Repo)
	if err != nil {
		return err
	}
	may, err := b.readNow(ctx, repo, r.Project)
	if err != nil {
		return err
	}
	s.Reads = &tfrun.Reads{Server: us, Tofu: toolOf(r, s.Binary) == planner.ToolOpenTofu, States: may}
	named, all, err := b.namedReads(ctx, r, repo, s)
	if err != nil {
		return err
	}
	// What hooks write is read when they have run.
	all = all || slices.ContainsFunc(s.Hooks, planner.Hook.Writes)
	for i := range may {
		if all || named[may[i].State] {
			if err := b.copyOutputs(ctx, repo.ClientID, &may[i], s); err != nil {
				return err
			}
		}
	}
	return nil
}

// namedReads returns the states that the run's code reads, as CLIENT/NAME; all
// says that some of them only Terraform knows.
func (b *Bot) namedReads(ctx context.Context, r run.Run, repo clients.Repo, s *tfrun.Spec) (named map[string]bool, all bool, err error) {
	root, err := os.OpenRoot(s.Root)
	if errors.Is(err, fs.ErrNotExist) { // the runner says so
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read work tree: %w", err)
	}
	defer root.Close()
	named = map[string]bool{}
	for i, dir := range append([]string{r.Project.Dir}, r.Project.Modules...) {
		reads, err := planner.StateReads(root.FS(), dir, s.Reads.Tofu)
		if err != nil {
			return nil, false, err
		}
		for _, read := range reads {
			switch {
			case read.Unknown || !s.Reads.Server.Names(read.Backend, read.StatePlace):
			case i > 0:
				return nil, false, errs.New(errs.Invalid, "%s: a module reads a state of Tidelock's by data.terraform_remote_state.%s, and only the code in a project's own directory can. Read it there, and give the module what it needs as a variable. Nothing was read or planned.", read.At(), read.Name)
			case read.Problem != "":
				return nil, false, errs.New(errs.Invalid, "%s: data.terraform_remote_state.%s %s", read.At(), read.Name, read.Problem)
			case read.Computed:
				all = true
			default:
				if err := b.mayRead(ctx, r, repo, s, read); err != nil {
					return nil, false, err
				}
				named[read.State(s.Reads.Server)] = true
			}
		}
	}
	return named, all, nil
}

// mayRead refuses a data source that names a state which the run's project may
// not read, or which has nothing in it yet.
func (b *Bot) mayRead(ctx context.Context, r run.Run, repo clients.Repo, s *tfrun.Spec, read planner.StateRead) error {
	address := read.State(s.Reads.Server)
	i := slices.IndexFunc(s.Reads.States, func(one tfrun.ReadState) bool { return one.State == address })
	switch {
	case i < 0:
		if err := b.tellForeign(ctx, r, address, read.At(), "the state is none that the project may read"); err != nil {
			return err
		}
		project := r.Project.Dir
		if r.Project.Workspace != planner.DefaultWorkspace {
			project = r.Project.Key()
		}
		return errs.New(errs.Forbidden, "%s For a state of another repository an administrator says so with `tidelock state share %s --with %s/%s`.", tfrun.NotReadable(read, address), address, repo.FullName(), project)
	case s.Reads.States[i].Ref == (tfrun.StateRef{}) && s.Kind == tfrun.KindPlan:
		return errs.New(errs.Conflict, "%s", tfrun.NothingToRead(read, address))
	}
	return nil
}

// copyOutputs lays the outputs of a state into the run's folder; none where
// there is no version that counts.
func (b *Bot) copyOutputs(ctx context.Context, client string, to *tfrun.ReadState, s *tfrun.Spec) error {
	_, name, _ := strings.Cut(to.State, "/")
	v, outputs, err := b.States.ReadOutputs(ctx, client, name)
	if errs.Is(err, errs.NotFound) {
		to.Ref = tfrun.StateRef{}
		return nil
	}
	if err != nil {
		return err
	}
	if s.Reads.Dir == "" {
		if s.Reads.Dir, err = b.Runner.NewStateDir(s.RunID); err != nil {
			return err
		}
	}
	sum := sha256.Sum256([]byte(to.State)) // plan and apply call it the same
	to.File, to.Ref = hex.EncodeToString(sum[:12])+".tfstate", tfrun.StateRef{Lineage: v.Lineage, Serial: v.Serial}
	if err := os.WriteFile(filepath.Join(s.Reads.Dir, to.File), outputs, 0o600); err != nil {
		return fmt.Errorf("copy the outputs of the state %s: %w", name, err)
	}
	return nil
}

// readBy returns which versions of other states the run's plan was made of, as
// readNow does.
func (b *Bot) readBy(r run.Run) ([]tfrun.ReadState, error) {
	s, err := b.Runner.Spec(r.ID)
	if err != nil || s.Reads == nil {
		return nil, err
	}
	for i := range s.Reads.States {
		s.Reads.States[i].File = ""
	}
	return s.Reads.States, nil
}

// masked reports whether the plan's JSON of a project was masked as it was made.
// An apply is then given it beside the saved plan: what the one has and the other
// has not is what its runner masks.
func (b *Bot) masked(ctx context.Context, r run.Run) (bool, error) {
	p := r.Project
	if !p.Secrets.Empty() || len(p.ReadsState) > 0 || slices.ContainsFunc(p.Hooks, func(h planner.Hook) bool { return h.Sensitive }) {
		return true, nil
	}
	if b.States == nil {
		return false, nil
	}
	names, err := b.States.SharedWith(ctx, state.Owner{Client: r.Client, Repo: r.Repo, Project: p.Key()})
	return len(names) > 0, err
}

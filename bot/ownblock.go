package bot

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/internal/state/tfe"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// Whoever works from a laptop against Tidelock has a cloud block, or a backend
// "remote" or "http", that names Tidelock itself. To the bot the state of such a
// project is one that is kept here: a run works on a copy of it, as it does where
// the code names no backend, and the block is not asked. It says one thing
// alone, which state is meant, and a pull request may change what it says: so
// that state must be the project's by what the database knows.

// namesUs reports whether the code names this server as the place of its state.
func (b *Bot) namesUs(p planner.Project) bool {
	return p.StatePlace != nil && b.server().Names(p.Backend, *p.StatePlace)
}

// namedState is which state a block names.
type namedState struct {
	client    string // slug
	name      string
	workspace string // as Terraform calls it
}

// stateNamed reads the block of a project that names this server. The error is
// errs.Invalid where it names no single state.
func (b *Bot) stateNamed(p planner.Project) (n namedState, err error) {
	place, of := p.StatePlace, p.Workspace != "" && p.Workspace != planner.DefaultWorkspace
	wrong := func(format string, args ...any) (namedState, error) {
		return namedState{}, errs.New(errs.Invalid, "%s: %s", place.At(), fmt.Sprintf(format, args...))
	}
	n.workspace = planner.DefaultWorkspace
	if p.Backend == "http" {
		u, err := url.Parse(place.Address)
		if err != nil {
			return wrong("the address of the backend can't be read.")
		}
		n.client, n.name, _ = strings.Cut(strings.TrimPrefix(u.Path, b.server().Path), "/")
		if of {
			return wrong("the http backend has no workspaces, and the project's is %s. Give each an address of its own.", p.Workspace)
		}
		if err := errors.Join(state.CheckName(n.client), state.CheckName(n.name)); err != nil {
			return wrong("%s", errs.Sentence(err))
		}
		return n, nil
	}
	workspace := place.Workspace
	switch {
	case place.Organization == "":
		return wrong("the block names no organization, as a plain text: whose the state is has to be known before Terraform reads it.")
	case workspace != "" && of && (p.Workspace != workspace || p.Backend == "remote"):
		return wrong("the block names a workspace, and the project another one, %s.", p.Workspace)
	case p.Backend == "cloud" && workspace == "" && !of, p.Backend == "remote" && workspace == "" && place.Prefix == "":
		return wrong("the block does not say which workspace is meant. Write its name there.")
	case p.Backend == "remote" && workspace == "" && !of:
		return wrong("the block has a prefix, and the project no workspace. Say which in tidelock.hcl, or write a name in place of the prefix.")
	case p.Backend == "remote" && workspace == "":
		n.workspace, workspace = p.Workspace, place.Prefix+p.Workspace
	case p.Backend == "cloud" && workspace == "":
		n.workspace, workspace = p.Workspace, p.Workspace
	case p.Backend == "cloud": // Terraform has it by that name, too
		n.workspace = workspace
	}
	n.client = place.Organization
	if n.name, err = tfe.StateName(workspace); err != nil {
		return wrong("%s", errs.Sentence(err))
	}
	if strings.Contains(n.client, "/") || state.CheckName(n.client) != nil { // it is told to people
		return wrong("the organization is no client's name.")
	}
	return n, nil
}

// ownBlock returns the state that the code of a run's project names on this
// server, once it is known to be the project's. One that is not is refused, and
// the refusal stands in the audit trail; whether there is one is not told.
func (b *Bot) ownBlock(ctx context.Context, r run.Run, repo clients.Repo, kind tfrun.Kind) (namedState, error) {
	n, err := b.stateNamed(r.Project)
	if err != nil {
		return n, err
	}
	client, err := b.Clients.Client(ctx, b.DB, repo.ClientID)
	if err != nil {
		return n, err
	}
	owner, _ := ownerOf(repo, r.Project)
	address, where := path.Join(n.client, n.name), r.Project.StatePlace.At()
	if n.client != client.Slug {
		if err := b.tellForeign(ctx, r, address, where, "the state is another client's, or nobody's"); err != nil {
			return n, err
		}
		return n, errs.New(errs.Forbidden, "%s: there is no state %s that is this project's. Nothing was read or planned.", where, address)
	}
	err = b.States.Named(ctx, owner, n.name, kind != tfrun.KindPlan)
	project := r.Project.Dir
	if r.Project.Workspace != planner.DefaultWorkspace {
		project = r.Project.Key()
	}
	var elsewhere *state.Elsewhere
	switch {
	case errors.As(err, &elsewhere):
		return n, errs.Wrap(errs.Conflict, err, "%s: the code names the state %s, and this project's is %s/%s. Name that one. Nothing was read or planned.", where, address, client.Slug, elsewhere.Name)
	case errs.Is(err, errs.Forbidden):
		if err := b.tellForeign(ctx, r, address, where, "the state is not the project's"); err != nil {
			return n, err
		}
		return n, errs.Wrap(errs.Forbidden, err, "%s: there is no state %s that is this project's. Nothing was read or planned. If it is to be, an administrator says so with `tidelock state bind %s --repo %s --project %s`.",
			where, address, address, repo.FullName(), project)
	}
	return n, err
}

// tellForeign records that a project's code named a state that is not its own:
// to the project's client, not to its neighbour.
func (b *Bot) tellForeign(ctx context.Context, r run.Run, address, where, why string) error {
	return b.DB.Tx(ctx, func(tx *db.Tx) error {
		return b.States.Trail.Record(ctx, tx, access.Event{
			Client: r.Client, Action: "state.refused", Subject: fmt.Sprintf("state %q", address), Actor: r.Actor, At: b.Now(),
			Detail: map[string]any{"run": r.ID, "repo": r.Repo, "project": r.Project.Key(), "commit": r.Commit, "at": where, "reason": why},
		})
	})
}

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/planner"
)

func newStateShareCommand(p *program) *cobra.Command {
	return stateShareCommand(p, &cobra.Command{
		Use:   "share CLIENT/PROJECT --with OWNER/NAME[/DIRECTORY[:WORKSPACE]]",
		Short: "Let a project of another repository read a state's outputs",
		Long: "The code of the project, or of all projects of the repository, may then read the outputs of the state, the sensitive\n" +
			"ones too, by data \"terraform_remote_state\": so may whoever opens a pull request there that is planned. It opens nothing\n" +
			"else of the state, and no token reads more than before. Both are of one client. Projects of one repository need no\n" +
			"command: their tidelock.hcl says so with reads_state.",
		Example: "  tidelock state share acme/network/prod --with acme/apps/live/shop\n  tidelock state share acme/network/prod --with acme/apps/live/shop:staging\n  tidelock state share acme/network/prod --with acme/apps",
	}, func(ctx context.Context, v *vault, c clients.Client, name string, with state.Owner) (string, error) {
		return "is shared with", v.states.Share(ctx, c.ID, name, with, v.who)
	})
}

func newStateUnshareCommand(p *program) *cobra.Command {
	return stateShareCommand(p, &cobra.Command{
		Use:     "unshare CLIENT/PROJECT --with OWNER/NAME[/DIRECTORY[:WORKSPACE]]",
		Short:   "Take back what state share gave",
		Long:    "Runs that begin from now on read the state's outputs no more. What code has read stands in its project's own state.",
		Example: "  tidelock state unshare acme/network/prod --with acme/apps/live/shop",
	}, func(ctx context.Context, v *vault, c clients.Client, name string, with state.Owner) (string, error) {
		return "is not shared any more with", v.states.Unshare(ctx, c.ID, name, with, v.who)
	})
}

// stateShareCommand completes one of the two.
func stateShareCommand(p *program, cmd *cobra.Command, do func(context.Context, *vault, clients.Client, string, state.Owner) (string, error)) *cobra.Command {
	var with string
	var asJSON bool
	cmd.Args = oneState
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.onState(cmd.Context(), args[0], false, func(ctx context.Context, v *vault, c clients.Client, name string) error {
			owner, err := v.sharer(ctx, with)
			if err != nil {
				return err
			}
			done, err := do(ctx, v, c, name, owner)
			if err != nil {
				return err
			}
			if asJSON {
				shares, err := v.shares(ctx, c.ID)
				if err != nil {
					return err
				}
				return writeJSON(p.stdout, map[string]any{"state": args[0], "shared_with": shares[name]})
			}
			_, err = fmt.Fprintf(p.stdout, "%s %s %s.\n", args[0], done, with)
			return err
		})
	}
	cmd.Flags().StringVar(&with, "with", "", "the project, or the repository for all of its projects: OWNER/NAME[/DIRECTORY[:WORKSPACE]]")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what the state is shared with now as JSON")
	complete(cmd, "with", cobra.NoFileCompletions)
	return cmd
}

// sharer reads OWNER/NAME[/DIRECTORY[:WORKSPACE]]. A repository that nobody has
// is returned as one that is nobody's: sharing with it is refused as with
// another client's.
func (v *vault) sharer(ctx context.Context, arg string) (state.Owner, error) {
	wrong := errs.New(errs.Invalid, "Say with what: --with OWNER/NAME for all projects of a repository, or --with OWNER/NAME/DIRECTORY[:WORKSPACE] for one, not %q.", arg)
	owner, rest, _ := strings.Cut(arg, "/")
	name, project, one := strings.Cut(rest, "/")
	if owner == "" || name == "" || one && project == "" {
		return state.Owner{}, wrong
	}
	key := ""
	if one {
		dir, workspace, ok := strings.Cut(project, ":")
		if !ok {
			workspace = planner.DefaultWorkspace
		}
		dir, err := planner.InRepo(".", dir)
		if err != nil || !planner.ValidWorkspace(workspace) {
			return state.Owner{}, wrong
		}
		key = planner.Project{Dir: dir, Workspace: workspace}.Key()
	}
	all, err := v.clients.List(ctx, v.db)
	if err != nil {
		return state.Owner{}, err
	}
	for _, c := range all {
		repos, err := v.clients.Repos(ctx, v.db, c.ID)
		if err != nil {
			return state.Owner{}, err
		}
		for _, r := range repos {
			if strings.EqualFold(r.FullName(), owner+"/"+name) {
				return state.Owner{Client: c.ID, Repo: r.ID, Project: key}, nil
			}
		}
	}
	return state.Owner{Project: key}, nil
}

// shares returns what the client's states are shared with, by name, as --with
// takes it.
func (v *vault) shares(ctx context.Context, client string) (map[string][]string, error) {
	all, err := v.states.Shares(ctx, client)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	repos, err := v.clients.Repos(ctx, v.db, client)
	if err != nil {
		return nil, err
	}
	names := map[int64]string{}
	for _, r := range repos {
		names[r.ID] = r.FullName()
	}
	out := map[string][]string{}
	for name, list := range all {
		for _, with := range list {
			text := names[with.Repo]
			if with.Project != "" {
				text += "/" + strings.TrimSuffix(with.Project, ":"+planner.DefaultWorkspace)
			}
			out[name] = append(out[name], text)
		}
	}
	return out, nil
}

// sharesOf returns what the states are shared with, by their IDs.
func (v *vault) sharesOf(ctx context.Context, states []state.State) (map[string][]string, error) {
	byClient, out := map[string]map[string][]string{}, map[string][]string{}
	for _, s := range states {
		shares, known := byClient[s.Client]
		if !known {
			var err error
			if shares, err = v.shares(ctx, s.Client); err != nil {
				return nil, err
			}
			byClient[s.Client] = shares
		}
		out[s.ID] = shares[s.Name]
	}
	return out, nil
}

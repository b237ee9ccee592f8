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

// projectFlags name a project of a repository.
type projectFlags struct{ repo, project string }

func (f *projectFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.repo, "repo", "", "the repository whose project it is: OWNER/NAME")
	cmd.Flags().StringVar(&f.project, "project", "", "the project in it: DIRECTORY or DIRECTORY:WORKSPACE")
	complete(cmd, "repo", cobra.NoFileCompletions)
	complete(cmd, "project", cobra.NoFileCompletions)
}

// owner returns the project of the client's that the flags name.
func (f projectFlags) owner(ctx context.Context, v *vault, c clients.Client) (state.Owner, error) {
	if f.repo == "" || f.project == "" {
		return state.Owner{}, errs.New(errs.Invalid, "Name the project with --repo OWNER/NAME and --project DIRECTORY.")
	}
	all, err := v.clients.Repos(ctx, v.db, c.ID)
	if err != nil {
		return state.Owner{}, err
	}
	for _, r := range all {
		if !strings.EqualFold(r.FullName(), f.repo) {
			continue
		}
		dir, workspace, ok := strings.Cut(f.project, ":")
		if !ok {
			workspace = planner.DefaultWorkspace
		}
		if dir, err = planner.InRepo(".", dir); err != nil || !planner.ValidWorkspace(workspace) {
			return state.Owner{}, errs.New(errs.Invalid, "%q is no project: it is a directory in the repository, and perhaps a colon and a workspace.", f.project)
		}
		return state.Owner{Client: c.ID, Repo: r.ID, Project: planner.Project{Dir: dir, Workspace: workspace}.Key()}, nil
	}
	return state.Owner{}, errs.New(errs.NotFound, "The client %s has no repository %s.", c.Slug, f.repo)
}

func newStateBindCommand(p *program) *cobra.Command {
	var of projectFlags
	cmd := &cobra.Command{
		Use:   "bind CLIENT/PROJECT --repo OWNER/NAME --project DIRECTORY",
		Short: "Say which project of a repository a state is of",
		Long: "A project that declares no backend gets a state of its own with its first apply, and keeps it when the repository\n" +
			"is renamed. With bind it gets one that is there already, pushed from a laptop for example. Tidelock never does so by\n" +
			"itself: the code of a pull request would open a state by having a directory of its name, or a backend or cloud block\n" +
			"that names it.",
		Example: "  tidelock state bind acme/network/prod --repo acme/infra --project live/network",
		Args:    oneState,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onState(cmd.Context(), args[0], false, func(ctx context.Context, v *vault, c clients.Client, name string) error {
				owner, err := of.owner(ctx, v, c)
				if err != nil {
					return err
				}
				if err := v.states.Bind(ctx, owner, name, v.who); err != nil {
					return err
				}
				_, err = fmt.Fprintf(p.stdout, "%s is the state of %s in %s.\n", args[0], owner.Project, of.repo)
				return err
			})
		},
	}
	of.add(cmd)
	return cmd
}

func newStatePushErroredCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "push-errored CLIENT/PROJECT VERSION",
		Short: "Write a state that a run could not write",
		Long: "An apply whose state could not be written at its end leaves it here, encrypted, as a version that does not count;\n" +
			"`tidelock state errored` lists those. It is written if nobody wrote since the run began: lineage and serial must be\n" +
			"those that it began from. Then the lock goes that the run left.",
		Example: "  tidelock state errored\n  tidelock state push-errored acme/network/prod 13",
		Args:    func(cmd *cobra.Command, args []string) error { return stateArgs(cmd, args, 2) },
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := versionNumber(args[1])
			if err != nil {
				return err
			}
			return p.onState(cmd.Context(), args[0], true, func(ctx context.Context, v *vault, c clients.Client, name string) error {
				done, err := v.states.PushErrored(ctx, c.ID, name, number, v.who)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(p.stdout, "%s has version %d, with serial %d.\n", args[0], done.Seq, done.Serial)
				return err
			})
		},
	}
}

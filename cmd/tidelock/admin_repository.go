package main

import (
	"context"
	"strings"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
)

// adminRepository says where the commits of policy.admin_repo come from, and
// its default branch.
func (s *server) adminRepository(ctx context.Context) (checkout.Source, string, error) {
	store := clients.NewStore(s.db)
	all, err := store.List(ctx, s.db)
	if err != nil {
		return checkout.Source{}, "", err
	}
	for _, c := range all {
		if c.Status != clients.Active {
			continue
		}
		repos, err := store.Repos(ctx, s.db, c.ID)
		if err != nil {
			return checkout.Source{}, "", err
		}
		for _, r := range repos {
			if r.Status == clients.Active && strings.EqualFold(r.FullName(), s.config.Policy.AdminRepo) {
				auth := s.app.Installation(c.InstallationID).GitAuth(r.ID)
				return checkout.Source{RepoID: r.ID, URL: r.CloneURL, Auth: auth}, r.DefaultBranch, nil
			}
		}
	}
	return repositoryAtGitHub(ctx, s.app, s.config.Policy.AdminRepo) // it may not be known here yet
}

// newDoctorApp is the App of a configuration, for a few questions.
func newDoctorApp(c Config) (*github.App, error) {
	return github.NewApp(github.Options{ID: c.GitHub.AppID, Key: c.GitHub.PrivateKey, BaseURL: c.GitHub.APIURL, WebhookSecret: c.GitHub.WebhookSecret})
}

// repositoryAtGitHub finds a repository among those that the App is installed on.
func repositoryAtGitHub(ctx context.Context, app *github.App, name string) (checkout.Source, string, error) {
	installations, err := app.Installations(ctx)
	if err != nil {
		return checkout.Source{}, "", err
	}
	for _, in := range installations {
		gh := app.Installation(in.ID)
		repos, err := gh.Repos(ctx)
		if err != nil {
			return checkout.Source{}, "", err
		}
		for _, r := range repos {
			if strings.EqualFold(r.FullName(), name) {
				return checkout.Source{RepoID: r.ID, URL: r.CloneURL, Auth: gh.GitAuth(r.ID)}, r.DefaultBranch, nil
			}
		}
	}
	return checkout.Source{}, "", errs.New(errs.NotFound, "The App is not installed on policy.admin_repo %s.", name)
}

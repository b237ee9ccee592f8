package main

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/policyset"
)

// policySets returns what judges each project at a server.
func (s *server) policySets(admin policyset.Admin) (*policyset.Sets, error) {
	o := parts.PolicyOptions(s.config)
	o.Dir, o.Log = filepath.Join(s.config.DataDir, "policies"), s.log
	if o.Admin.Repo != "" {
		o.Admin.Source, o.Admin.Store = admin.Source, admin.Store
	}
	return policyset.New(o)
}

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
	return parts.Repository(ctx, s.app, s.config.Policy.AdminRepo) // it may not be known here yet
}

package main

import (
	"path/filepath"

	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/policyset"
)

// serverSets returns what judges each project at a server.
func (s *server) policySets(admin policyset.Admin) (*policyset.Sets, error) {
	o := parts.PolicyOptions(s.config)
	o.Dir, o.Log = filepath.Join(s.config.DataDir, "policies"), s.log
	if o.Admin.Repo != "" {
		o.Admin.Source, o.Admin.Store = admin.Source, admin.Store
	}
	return policyset.New(o)
}

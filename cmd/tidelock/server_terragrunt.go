package main

import (
	"context"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// terragrunt finds Terragrunt, where there is one: nil is none, which only
// keeps its units from being planned. One that the configuration names must be
// there.
func (s *server) terragrunt(ctx context.Context) (*tfrun.Terragrunt, error) {
	configured := s.config.Terraform.Terragrunt
	found, err := tfrun.FindTerragrunt(ctx, configured)
	switch {
	case configured == "" && errs.Is(err, errs.NotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	s.log.Info("terragrunt found", "path", found.Path, "version", found.Version)
	return &found, nil
}

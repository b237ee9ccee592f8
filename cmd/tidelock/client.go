package main

import (
	"context"
	"strings"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// clientNamed finds a client by its slug. Where there is none, it names a near
// one, or those that there are.
func clientNamed(ctx context.Context, s *clients.Store, q db.Querier, slug string) (clients.Client, error) {
	all, err := s.List(ctx, q)
	if err != nil {
		return clients.Client{}, err
	}
	var slugs []string
	for _, c := range all {
		if c.Slug == slug {
			return c, nil
		}
		slugs = append(slugs, c.Slug)
	}
	hint := planner.DidYouMean(slug, slugs)
	if hint == "" && len(slugs) > 0 {
		hint = " It knows " + strings.Join(slugs[:min(len(slugs), 20)], ", ") + "."
	}
	return clients.Client{}, errs.New(errs.NotFound, "This server knows no client %q.%s", slug, hint)
}

// clientID returns the ID that a filter by client stands for, "" for none.
func clientID(ctx context.Context, s *clients.Store, q db.Querier, slug string) (string, error) {
	if slug == "" {
		return "", nil
	}
	c, err := clientNamed(ctx, s, q, slug)
	return c.ID, err
}

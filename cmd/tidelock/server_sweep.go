package main

import (
	"context"
	"time"
)

// sweepEvery is how often mirrors and work trees are looked at.
const sweepEvery = time.Hour

// sweepCopies deletes what can be fetched again and is not likely to be needed
// soon, now and every hour until ctx ends.
func (s *server) sweepCopies(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		s.sweepMirrors()
		s.sweepProviders(ctx)
		if err := s.bot.SweepTrees(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("work trees not swept", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sweepMirrors deletes copies of repositories that are too old or too many.
func (s *server) sweepMirrors() {
	swept, err := s.mirrors.Sweep(time.Now(), s.config.Mirrors.MaxAge, int64(s.config.Mirrors.MaxSize)<<20)
	switch {
	case err != nil:
		s.log.Warn("mirrors not swept", "error", err)
	case swept.Removed > 0:
		s.log.Info("mirrors removed", "count", swept.Removed, "bytes_kept", swept.Kept)
	}
}

// sweepProviders deletes providers that no run has used for long.
func (s *server) sweepProviders(ctx context.Context) {
	c := s.config.Terraform.Providers
	swept, err := s.providers.Sweep(ctx, c.MaxAge, int64(c.MaxSize)<<20)
	switch {
	case err != nil && ctx.Err() == nil:
		s.log.Warn("providers not swept", "error", err)
	case len(swept.Removed) > 0:
		s.log.Info("providers removed", "count", len(swept.Removed), "bytes_freed", swept.Freed, "bytes_kept", swept.Kept)
	}
}

package main

import (
	"context"
	"time"
)

// benchIdle measures a server that has started and does nothing.
func benchIdle(ctx context.Context, b *bench) error {
	begin := time.Now()
	s, err := newStage(ctx, b.tools)
	if err != nil {
		return err
	}
	defer s.close()
	ready := time.Since(begin)
	// Idle is when the first beats and sweeps are over.
	const rest = 6 * time.Second
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rest):
	}
	before := effortOf(s.pid())
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rest):
	}
	rss, err := resident(s.pid())
	if err != nil {
		return err
	}
	if err := b.note("server: ready after", ready.Seconds(), "s"); err != nil {
		return err
	}
	if err := b.note("server: processor when idle", effortOf(s.pid()).since(before).own/rest.Seconds()*100, "% of one"); err != nil {
		return err
	}
	return b.aim("server: RSS when idle", float64(rss)/mega, "MB", 60)
}

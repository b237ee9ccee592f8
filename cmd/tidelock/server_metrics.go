package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/tidelock/tidelock/bot"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/metrics"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/internal/state/tfe"
	"github.com/tidelock/tidelock/internal/web"
)

// newMetrics returns the figures, nil where they are told nowhere.
func (s *server) newMetrics() *metrics.Metrics {
	if s.config.Metrics.Listen == "" {
		return nil
	}
	v := buildVersion()
	m := metrics.New(metrics.Options{Log: s.log, Version: v.Version, Commit: v.Commit, Database: s.db.Dialect(), Clients: s.config.Metrics.Clients})
	for _, r := range bot.Receipts() {
		m.Webhooks(string(r))
	}
	return m
}

// observe has the rooms tell what happens in them, and their state read. It is
// for when all are there and none is used yet.
func (s *server) observe() {
	m := s.metrics
	if m == nil {
		return
	}
	s.queue.Observe(m.Job)
	s.runs.Observe(m.Run)
	s.states.Observed = m.State
	s.states.Tokens.Observe(m.Token)
	s.blobs.Observe(m.Blobs("blobs"))
	s.bot.Received = func(r bot.Receipt) { m.Webhook(string(r)) }
	m.Read(metrics.Sources{
		DB: s.db, Queue: s.queue, Runs: s.runs, States: s.states, Drift: s.drift, Budgets: s.budget, GitHub: s.app, Replica: s.replica, Folders: s.folders(),
		Webhooks: func(ctx context.Context) (metrics.Backlog, error) {
			l, err := s.bot.Backlog(ctx)
			return metrics.Backlog(l), err
		},
	})
}

// counted has the requests at the server's own address counted, by kinds of
// address that their rooms know.
func (s *server) counted(router *mux.Router, pages, next http.Handler) http.Handler {
	if s.metrics == nil {
		return next
	}
	return s.metrics.HTTP(func(r *http.Request) string {
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, state.Prefix):
			return state.Route(r)
		case strings.HasPrefix(path, tfe.Prefix), strings.HasPrefix(path, tfe.HostedPrefix):
			return tfe.Route(r)
		}
		route := web.RouteOf(router, r)
		if route == pagesPrefix {
			return web.Route(pages, r)
		}
		return route
	}, next)
}

// listenFigures takes the address of the figures, where there is one.
func (s *server) listenFigures(ctx context.Context) (err error) {
	if s.metrics == nil {
		return nil
	}
	if s.figures, err = (&net.ListenConfig{}).Listen(ctx, "tcp", s.config.Metrics.Listen); err != nil {
		return errs.Wrap(errs.Invalid, err, "Figures can't be told at %s, the address of metrics.listen", s.config.Metrics.Listen)
	}
	return nil
}

// tellFigures serves them there until ctx ends.
func (s *server) tellFigures(ctx context.Context) {
	if s.figures == nil {
		return
	}
	h := &http.Server{
		Handler: s.metrics.Handler(s.config.Metrics.Token), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	down := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(down)
		short, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		_ = h.Shutdown(short) // who still reads then is cut off
	})
	s.log.Info("telling figures", "listen", s.figures.Addr().String())
	if err := h.Serve(s.figures); !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("figures are not told any more", "error", err)
		return
	}
	<-down
}

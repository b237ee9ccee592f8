package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// startReplica begins to follow the database.
func (s *server) startReplica(ctx context.Context, key redact.Secret) (err error) {
	if s.config.Replica.URL == "" {
		return nil
	}
	if s.db.Path() == "" {
		return errs.New(errs.Invalid, parts.NotForPostgres)
	}
	to, err := parts.Replica(ctx, s.config, "", key)
	if err != nil {
		return err
	}
	if s.metrics != nil {
		to.Observe(s.metrics.Blobs("replica"))
	}
	if s.replica, err = backup.StartReplica(ctx, s.db.Path(), to, slog.New(warnings{s.log.Handler()}), s.log); err != nil {
		return err
	}
	s.log.Info("the database is replicated", "to", to.Where())
	return nil
}

// warnings passes on what is a warning at least: Litestream tells of each look
// at the log, five times a second.
type warnings struct{ slog.Handler }

// Enabled implements slog.Handler.
func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}

// WithAttrs implements slog.Handler.
func (w warnings) WithAttrs(a []slog.Attr) slog.Handler { return warnings{w.Handler.WithAttrs(a)} }

// WithGroup implements slog.Handler.
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

// watchReplica notes the lag where doctor finds it.
func (s *server) watchReplica(ctx context.Context) {
	if s.replica != nil {
		s.replica.Watch(ctx, 5*time.Second, func(l backup.Lag) { parts.NoteReplica(s.config, l) })
	}
}

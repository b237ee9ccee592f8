package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// ReplicaConfig says where the SQLite database is replicated to.
type ReplicaConfig struct {
	URL string // of a bucket, or the absolute path of a folder; "" is none
}

func checkReplicaURL(c *Config) string {
	u := c.Replica.URL
	switch {
	case u == "":
		return ""
	case !strings.Contains(u, "://") && filepath.IsAbs(u):
		return ""
	}
	if wrong := blob.CheckURL(u); wrong != "" {
		return strings.Replace(wrong, "must be a bucket's URL", "must be the absolute path of a folder or a bucket's URL", 1)
	}
	return ""
}

// openReplica opens the place of the replica, where url is or, where that is
// empty, what the configuration says.
func (c Config) openReplica(ctx context.Context, url string, key redact.Secret) (*blob.Store, error) {
	if url == "" {
		url = c.Replica.URL
	}
	if url == "" {
		return nil, errs.New(errs.Invalid, "No replica is configured: name its folder or bucket, as replica.url would.")
	}
	earlier, err := c.earlierKeys()
	if err != nil {
		return nil, err
	}
	if strings.Contains(url, "://") {
		return blob.OpenURL(ctx, url, key, earlier...)
	}
	return blob.Open(url, key, earlier...)
}

const notForPostgres = "replica.url is for an SQLite database. PostgreSQL has replicas of its own."

// startReplica begins to follow the database.
func (s *server) startReplica(ctx context.Context, key redact.Secret) (err error) {
	if s.config.Replica.URL == "" {
		return nil
	}
	if s.db.Path() == "" {
		return errs.New(errs.Invalid, notForPostgres)
	}
	to, err := s.config.openReplica(ctx, "", key)
	if err != nil {
		return err
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
		s.replica.Watch(ctx, 5*time.Second, func(l backup.Lag) { noteReplica(s.config, l) })
	}
}

func (c Config) replicaNote() string { return filepath.Join(c.DataDir, "replica.json") }

// noteReplica writes the lag down. A failure leaves an old note, which doctor
// takes for what it is.
func noteReplica(c Config, l backup.Lag) {
	text, err := json.Marshal(l)
	if err != nil {
		return
	}
	temp := c.replicaNote() + ".new"
	if err := os.WriteFile(temp, text, 0o600); err == nil {
		_ = os.Rename(temp, c.replicaNote())
	}
}

// checkReplica looks at what the server noted.
func checkReplica(_ context.Context, c *clinic) diagnosis {
	if c.problems.of("replica.url") != nil {
		return skip("replica.url is not right, see configuration")
	}
	if c.config.Replica.URL == "" {
		if strings.HasPrefix(c.config.Database.Reveal(), "postgres") {
			return ok("PostgreSQL is replicated by its own means")
		}
		return ok("none: with the disk, what was written since the last backup is lost; see replica.url")
	}
	if strings.HasPrefix(c.config.Database.Reveal(), "postgres") {
		return fail("take replica.url out of the configuration", notForPostgres)
	}
	info, err := os.Stat(c.config.replicaNote())
	if errors.Is(err, fs.ErrNotExist) {
		return warn("start the server; it notes how far the replica is", "nothing is known of the replica yet")
	}
	var l backup.Lag
	text, rerr := os.ReadFile(c.config.replicaNote())
	if err := errors.Join(err, rerr); err != nil {
		return fail("", "%v", err)
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return fail("", "%s: %v", c.config.replicaNote(), err)
	}
	const mend = "the server's log says why; may its credentials write to replica.url?"
	behind := l.Since.Round(time.Second)
	switch age := time.Since(info.ModTime()); {
	case age > time.Minute:
		return warn("is the server running?", "the server last told of the replica %s ago", age.Round(time.Second))
	case l.Since > time.Minute:
		return fail(mend, "the replica is %s behind, %d commits at least: they would be lost with the disk", behind, l.Commits)
	case l.Since > 10*time.Second:
		return warn(mend, "the replica is %s behind", behind)
	case c.config.Blobs.URL == "":
		return warn("name a bucket with blobs.url", "the replica is up to date, but plans, logs and large states lie on this disk alone")
	}
	return ok("up to date within %s", max(l.Since.Round(100*time.Millisecond), 100*time.Millisecond))
}

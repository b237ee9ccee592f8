package parts

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// Replica opens the place of the replica, where url is or, where that is
// empty, what the configuration says.
func Replica(ctx context.Context, c config.Config, url string, key redact.Secret) (*blob.Store, error) {
	if url == "" {
		url = c.Replica.URL
	}
	if url == "" {
		return nil, errs.New(errs.Invalid, "No replica is configured: name its folder or bucket, as replica.url would.")
	}
	earlier, err := EarlierKeys(c)
	if err != nil {
		return nil, err
	}
	if strings.Contains(url, "://") {
		return blob.OpenURL(ctx, url, key, earlier...)
	}
	return blob.Open(url, key, earlier...)
}

// NotForPostgres says why there is no replica of a PostgreSQL database.
const NotForPostgres = "replica.url is for an SQLite database. PostgreSQL has replicas of its own."

// NoteReplica writes down how far the replica is behind, where replicaLag
// finds it. A failure leaves an old note, which tells by its time that it is.
func NoteReplica(c config.Config, l backup.Lag) {
	text, err := json.Marshal(l)
	if err != nil {
		return
	}
	temp := c.ReplicaNote() + ".new"
	if err := os.WriteFile(temp, text, 0o600); err == nil {
		_ = os.Rename(temp, c.ReplicaNote())
	}
}

// ReplicaLag returns what the server noted last and when that was;
// fs.ErrNotExist where it noted nothing yet.
func ReplicaLag(c config.Config) (l backup.Lag, noted time.Time, err error) {
	info, err := os.Stat(c.ReplicaNote())
	if err != nil {
		return l, noted, err
	}
	text, err := os.ReadFile(c.ReplicaNote())
	if err != nil {
		return l, noted, err
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return l, noted, fmt.Errorf("%s: %w", c.ReplicaNote(), err)
	}
	return l, info.ModTime(), nil
}

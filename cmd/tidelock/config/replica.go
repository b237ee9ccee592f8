package config

import (
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/internal/blob"
)

// Replica says where the SQLite database is replicated to.
type Replica struct {
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

// ReplicaNote is the file in which the server notes how far the replica is.
func (c Config) ReplicaNote() string { return filepath.Join(c.DataDir, "replica.json") }

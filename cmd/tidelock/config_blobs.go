package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"

	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/redact"
)

// BlobsConfig says where plans, logs and large states are kept.
type BlobsConfig struct {
	URL string // of a bucket; "" is the folder BlobDir
}

func checkBlobsURL(c *Config) string {
	if c.Blobs.URL == "" {
		return ""
	}
	return blob.CheckURL(c.Blobs.URL)
}

// openBlobs opens the store of plans, logs and large states, with the keys that
// they may have been encrypted with before.
func (c Config) openBlobs(ctx context.Context, key redact.Secret) (*blob.Store, error) {
	earlier, err := c.earlierKeys()
	if err != nil {
		return nil, err
	}
	if c.Blobs.URL != "" {
		return blob.OpenURL(ctx, c.Blobs.URL, key, earlier...)
	}
	return blob.Open(c.BlobDir(), key, earlier...)
}

// checkBlobs writes, reads and deletes a blob of its own, with a key that is
// nobody's: whether the key is right is another check's question.
func checkBlobs(ctx context.Context, c *clinic) diagnosis {
	if c.problems.of("blobs.url") != nil {
		return skip("blobs.url is not right, see configuration")
	}
	config := c.config
	config.WrappingKeys = nil
	if config.Blobs.URL == "" {
		if config.DataDir == "" {
			return skip("data_dir is not set")
		}
		if _, err := os.Stat(config.BlobDir()); errors.Is(err, os.ErrNotExist) {
			return ok("%s does not exist yet; the server makes it", config.BlobDir())
		}
	}
	key := make([]byte, 32)
	rand.Read(key)
	store, err := config.openBlobs(ctx, redact.NewSecret(base64.StdEncoding.EncodeToString(key)))
	if err != nil {
		return fail("", "%s", explain(err))
	}
	defer store.Close()
	if err := store.Probe(ctx); err != nil {
		return fail("the server's credentials for the bucket come from its environment; see docs/backup.md", "%s", explain(err))
	}
	return ok("%s can be written, read and deleted from", store.Where())
}

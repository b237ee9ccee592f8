package doctor

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"

	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// checkBlobs writes, reads and deletes a blob of its own, with a key that is
// nobody's: whether the key is right is another check's question.
func checkBlobs(ctx context.Context, c *Clinic) Diagnosis {
	if c.problems.Of("blobs.url") != nil {
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
	store, err := parts.Blobs(ctx, config, redact.NewSecret(base64.StdEncoding.EncodeToString(key)))
	if err != nil {
		return fail("", "%s", errs.Explain(err))
	}
	defer store.Close()
	if err := store.Probe(ctx); err != nil {
		return fail("the server's credentials for the bucket come from its environment; see docs/backup.md", "%s", errs.Explain(err))
	}
	return ok("%s can be written, read and deleted from", store.Where())
}

package parts

import (
	"context"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/redact"
)

// Blobs opens the store of plans, logs and large states, with the keys that
// they may have been encrypted with before.
func Blobs(ctx context.Context, c config.Config, key redact.Secret) (*blob.Store, error) {
	earlier, err := EarlierKeys(c)
	if err != nil {
		return nil, err
	}
	if c.Blobs.URL != "" {
		return blob.OpenURL(ctx, c.Blobs.URL, key, earlier...)
	}
	return blob.Open(c.BlobDir(), key, earlier...)
}

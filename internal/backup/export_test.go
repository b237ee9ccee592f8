package backup

import (
	"context"
	"io"

	"github.com/tidelock/tidelock/internal/keyring"
)

// WriteEmpty writes a backup with that head, of nothing.
func WriteEmpty(ctx context.Context, w io.Writer, h Head, ring *keyring.Ring) error {
	h, dataKey, err := newHead(ctx, h, ring, nil)
	if err != nil {
		return err
	}
	out, err := newWriter(w, h, dataKey)
	if err != nil {
		return err
	}
	return out.close(&Manifest{})
}

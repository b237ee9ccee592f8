package keyring

import (
	"context"
	"time"
)

// Renew looks at the key's token once.
func Renew(ctx context.Context, k Key) (left, of time.Duration, err error) {
	return k.(leased).renew(ctx)
}

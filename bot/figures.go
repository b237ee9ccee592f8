package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/db"
)

// Receipt is what became of a request at the webhook's address.
type Receipt string

// What becomes of webhooks.
const (
	ReceiptStored    Receipt = "stored"    // a job works it off
	ReceiptIdle      Receipt = "ignored"   // stored too, and nothing is to be done
	ReceiptDuplicate Receipt = "duplicate" // known already
	ReceiptRefused   Receipt = "refused"   // forged, too large, or no webhook
	ReceiptLost      Receipt = "lost"      // it could not be stored: GitHub is asked for it again
)

// Receipts are all there are.
func Receipts() []Receipt {
	return []Receipt{ReceiptStored, ReceiptIdle, ReceiptDuplicate, ReceiptRefused, ReceiptLost}
}

// Backlog is what the webhooks that are stored still ask for.
type Backlog struct {
	Waiting  int           // that no job has worked off yet
	Oldest   time.Duration // since the oldest of them came; 0 where none waits
	SetAside int           // that could not be worked off: a person may look at them
}

const (
	waitingQuery  = `SELECT count(*), coalesce(min(received_ms), 0) FROM deliveries WHERE status = 'queued'`
	setAsideQuery = `SELECT count(*) FROM deliveries WHERE status = 'failed'`
)

// Backlog returns what the webhooks still ask for, of all servers together. It
// reads an index entry for each that waits or was set aside.
func (b *Bot) Backlog(ctx context.Context) (l Backlog, err error) {
	var received int64
	if err := b.DB.QueryRowContext(ctx, waitingQuery).Scan(&l.Waiting, &received); err != nil {
		return l, fmt.Errorf("count webhooks that wait: %w", err)
	}
	if received > 0 {
		l.Oldest = max(0, b.Now().Sub(db.FromMillis(received)))
	}
	if err := b.DB.QueryRowContext(ctx, setAsideQuery).Scan(&l.SetAside); err != nil {
		return l, fmt.Errorf("count webhooks that were set aside: %w", err)
	}
	return l, nil
}

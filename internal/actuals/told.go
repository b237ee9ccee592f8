package actuals

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/tidelock/tidelock/internal/db"
)

// mostTold is how many clients' months are remembered.
const mostTold = 512

// toldMonths remembers what was told of clients' months, so that a page that
// shows half a year does not read some hundred thousand rows for each who looks
// at it. What was told holds as long as what it was made of is what it was.
type toldMonths struct {
	mu  sync.Mutex
	all map[[2]string]toldMonth
}

type toldMonth struct {
	stamp [sha256.Size]byte
	month Month
}

func (t *toldMonths) of(client, month string, stamp [sha256.Size]byte) (Month, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	have, ok := t.all[[2]string{client, month}]
	return have.month, ok && have.stamp == stamp
}

func (t *toldMonths) keep(m Month, stamp [sha256.Size]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil || len(t.all) >= mostTold {
		t.all = map[[2]string]toldMonth{}
	}
	t.all[[2]string{m.Client, m.Month}] = toldMonth{stamp, m}
}

// stampOf tells what a client's month is made of: the rows of its parts, which
// are never changed, and the resources of the client's projects. The rules are
// the store's own.
func stampOf(ctx context.Context, q db.Querier, client string, parts []kept) (stamp [sha256.Size]byte, err error) {
	sum := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(sum, "%q %q %q\n", p.id, p.imported, p.client)
	}
	err = db.Each(ctx, q, func(scan func(...any) error) error {
		var repo int64
		var dir, workspace, name, digest string
		err := scan(&repo, &dir, &workspace, &name, &digest)
		fmt.Fprintf(sum, "%d %q %q %q %q\n", repo, dir, workspace, name, digest)
		return err
	}, `SELECT p.repo_id, p.dir, p.workspace, p.name, p.digest FROM resource_projects p JOIN clients c ON c.id = p.client_id WHERE c.slug = $1 ORDER BY p.repo_id, p.dir, p.workspace`, client)
	return [sha256.Size]byte(sum.Sum(nil)), err
}

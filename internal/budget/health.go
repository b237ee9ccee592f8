package budget

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/db"
)

// Trouble is why a budget does not do what whoever wrote it must have meant.
type Trouble struct {
	Budget string
	Place  string // file:line of its block
	Text   string // what is so, going on after the budget's name
	Mend   string // what to do about it, in the imperative
}

// Troubles looks at the budgets as they stand in a ledger that has projects. A
// budget that is exceeded is no trouble: that is what it is for.
func (s *Store) Troubles(ctx context.Context) ([]Trouble, error) {
	var out []Trouble
	err := s.db.Read(ctx, func(q db.Querier) error {
		out = nil
		l, err := s.load(ctx, q, part{})
		if err != nil {
			return err
		}
		say := func(b Budget, mend, format string, args ...any) {
			out = append(out, Trouble{b.Name, b.Place, fmt.Sprintf(format, args...), mend})
		}
		for _, b := range s.budgets {
			m, current := b.month(l.now)
			if !current {
				say(b, "remove it, or set another month", "is for %s, which is over, and judges nothing", m)
				continue
			}
			if len(l.all) == 0 {
				continue // nothing was planned yet, so nobody knows what it will look at
			}
			p, err := s.stand(ctx, l, b, "")
			if err != nil {
				return err
			}
			left := p.x.leftOut()
			switch {
			case p.projects == 0:
				say(b, "compare its client, environment, repos and projects with the names that `tidelock cost report` shows", "looks at no project of those that were planned here (%d)", len(l.all))
			case len(left) > 0 && b.OnExceed == Gate:
				say(b, "tidelock prices rate set", "leaves out what is in %s, for which there is no rate to %s; what raises that is kept from being applied", strings.Join(left, ", "), b.Currency)
			case len(left) > 0:
				say(b, "tidelock prices rate set", "leaves out what is in %s, for which there is no rate to %s", strings.Join(left, ", "), b.Currency)
			}
		}
		return nil
	})
	return out, err
}

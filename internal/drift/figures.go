package drift

import (
	"context"
	"fmt"

	"github.com/tidelock/tidelock/internal/db"
)

// Statuses are all that a project's last check may have found.
func Statuses() []Status { return []Status{Clean, Drifted, Failed} }

const countQuery = `SELECT status, count(*) FROM drift_projects GROUP BY status`

// Counts returns how many projects stand in each status, by what was last found
// of them. It reads an index entry for each project that was ever checked.
func (s *Store) Counts(ctx context.Context, q db.Querier) (map[Status]int, error) {
	type count struct {
		status Status
		n      int
	}
	all, err := rows(ctx, q, func(scan func(...any) error) (c count, err error) {
		err = scan(&c.status, &c.n)
		return c, err
	}, countQuery)
	if err != nil {
		return nil, fmt.Errorf("count projects by drift: %w", err)
	}
	counts := map[Status]int{}
	for _, c := range all {
		counts[c.status] = c.n
	}
	return counts, nil
}

package db

import "context"

// Each calls f for every row of a query, with what reads the row's columns, and
// ends with the first error. It holds one row at a time.
func Each(ctx context.Context, q Querier, f func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

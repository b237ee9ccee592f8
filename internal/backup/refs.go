package backup

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/db"
)

// Ref names a blob.
type Ref struct{ Client, Name string }

// String returns it as it stands in a backup.
func (r Ref) String() string { return r.Client + "/" + r.Name }

func (r Ref) compare(o Ref) int {
	return cmp.Or(cmp.Compare(r.Client, o.Client), cmp.Compare(r.Name, o.Name))
}

// columns are all that name blobs, with the client's beside them.
var columns = []struct{ table, column string }{
	{"runs", "plan_blob"}, {"runs", "plan_json_blob"}, {"runs", "log_blob"},
	{"state_versions", "blob_ref"},
}

// References returns the blobs that the database names.
func References(ctx context.Context, q db.Querier) (map[Ref]bool, error) {
	refs := map[Ref]bool{}
	collect := func(query string, take func(client, text string) error) error {
		rows, err := q.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var client, text string
			if err := rows.Scan(&client, &text); err != nil {
				return err
			}
			if err := take(client, text); err != nil {
				return err
			}
		}
		return rows.Err()
	}
	for _, c := range columns {
		query := fmt.Sprintf(`SELECT client_id, %s FROM %s WHERE %s <> ''`, c.column, c.table, c.column)
		if err := collect(query, func(client, ref string) error {
			refs[Ref{client, ref}] = true
			return nil
		}); err != nil {
			return nil, fmt.Errorf("find blobs of %s: %w", c.table, err)
		}
	}
	// A state that a run could not write is named by its event alone.
	err := collect(`SELECT coalesce(client_id, ''), detail FROM events WHERE action = 'state.errored'`, func(client, detail string) error {
		var d struct {
			Blob string `json:"blob"`
		}
		if err := json.Unmarshal([]byte(detail), &d); err == nil && d.Blob != "" && client != "" {
			refs[Ref{client, d.Blob}] = true
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find blobs of events: %w", err)
	}
	return refs, nil
}

func parseRef(s string) (Ref, bool) {
	client, name, ok := strings.Cut(s, "/")
	return Ref{client, name}, ok
}

package explorer

import (
	"testing"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
)

// BenchmarkSearch looks through 100,000 resources of a client, in 100 states.
func BenchmarkSearch(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchSearch(b, dbtest.SQLite(b)) })
	b.Run("postgres", func(b *testing.B) { benchSearch(b, dbtest.Postgres(b)) })
}

func benchSearch(b *testing.B, d *db.DB) {
	w := newWorld(b, d)
	manyStates(w, 100_000)
	for _, c := range []struct {
		name string
		q    Query
		want int
	}{
		{"address", Query{Address: "module.m3.aws_type_3.r00000003"}, 1},
		{"type", Query{Type: "aws_type_3", Limit: 100}, 100},
		{"glob", Query{Address: "*r0000ffff*"}, 1},
		{"text", Query{Text: "thing/0000ffff"}, 1},
		{"attribute", Query{Attributes: []Match{{"tags.Name", "tag-0000ffff"}}}, 1},
		{"attribute of a type", Query{Type: "aws_type_15", Attributes: []Match{{"tags.Name", "tag-0000ffff"}}}, 1},
		{"attribute that some have", Query{Attributes: []Match{{"name", "name-0000f*"}}, Limit: 100}, 100},
		{"common attribute, a page", Query{Attributes: []Match{{"enabled", "true"}}, Limit: 100}, 100},
	} {
		c.q.Client = w.acme
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				p, err := w.index.Search(b.Context(), c.q)
				if err != nil || len(p.Resources) != c.want {
					b.Fatalf("%d, %v", len(p.Resources), err)
				}
			}
		})
	}
}

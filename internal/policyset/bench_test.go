package policyset

import (
	"fmt"
	"testing"

	"github.com/tidelock/tidelock/internal/policy"
)

// BenchmarkFor asks what judges a project where 50 scopes may match: what each
// plan costs beside its judging.
func BenchmarkFor(b *testing.B) {
	o := Options{}
	for i := range 50 {
		o.Config.Scopes = append(o.Config.Scopes, Scope{Name: fmt.Sprint("s", i), Match: Match{Repos: []string{"acme/*"}}, Levels: map[string]policy.Level{"security.aws": policy.Hard, "tagging": policy.Mandatory}})
	}
	s, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.For(b.Context(), Target{Repo: "acme/infra", Dir: "live"}, RepoPolicy{}); err != nil {
			b.Fatal(err)
		}
	}
}

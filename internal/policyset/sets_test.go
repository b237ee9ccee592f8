package policyset

import (
	"testing"

	"github.com/tidelock/tidelock/internal/policy"
)

func TestForWithoutScopes(t *testing.T) {
	s, err := New(Options{Overrides: policy.Overrides{Levels: map[string]policy.Level{"tagging": policy.Hard}}, Owners: policy.Owners{Who: []string{"alice"}}})
	if err != nil {
		t.Fatal(err)
	}
	j, err := s.For(t.Context(), Target{Repo: "acme/infra", Dir: "."}, RepoPolicy{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range j.Engine.Rules() {
		if r.ID == "tagging.required" && r.Level != policy.Hard {
			t.Errorf("tagging.required is %s", r.Level)
		}
	}
	if who := j.Owners[""].Who; len(who) != 1 || who[0] != "alice" {
		t.Errorf("owners %v", j.Owners)
	}
	if _, err := New(Options{Overrides: policy.Overrides{Levels: map[string]policy.Level{"no.such": policy.Hard}}}); err == nil {
		t.Error("a level of no rule is taken")
	}
}

package policies_test

import (
	"slices"
	"testing"

	"github.com/tidelock/tidelock/policies"
)

func TestPacks(t *testing.T) {
	packs := policies.Packs()
	for _, want := range []string{"cost", "destruction", "naming", "security", "tagging", "terraform"} {
		if !slices.Contains(packs, want) {
			t.Errorf("%v lacks %s", packs, want)
		}
	}
	for _, other := range []string{"lib", "compliance"} {
		if slices.Contains(packs, other) {
			t.Errorf("%s has no rules and is said to", other)
		}
	}
	if !slices.IsSorted(packs) {
		t.Errorf("%v is not sorted", packs)
	}
}

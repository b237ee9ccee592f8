package tfplan

import (
	"strings"
	"testing"
)

func parsed(t *testing.T, text string) *Plan {
	t.Helper()
	p, err := ParsePlan(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

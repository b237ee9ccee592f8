package bot

import (
	"testing"

	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/run"
)

// GitHub appends annotations and takes none away: no check is given any twice,
// and none keeps those of an earlier plan.
func TestGitHubRule10_AnnotationsAreGivenOnce(t *testing.T) {
	one := []github.Annotation{{Path: "a.tf", StartLine: 1}}
	two := []github.Annotation{{Path: "b.tf", StartLine: 1}}
	none := []github.Annotation{}
	row := func(id int64, state string) run.Check { return run.Check{ID: id, State: state} }
	for _, c := range []struct {
		name         string
		shown, given run.Check
		want         []github.Annotation
		id           int64
		give         bool
	}{
		{"the first check", row(0, ""), row(0, ""), one, 0, true},
		{"a first check without any", row(0, ""), row(0, ""), none, 0, false},
		{"one that has none yet", row(5, "x"), row(0, ""), one, 5, true},
		{"one that has none and needs none", row(5, "x"), row(0, ""), none, 5, false},
		{"one that has them", row(5, "x"), row(5, fingerprint(one)), one, 5, false},
		{"one that has others", row(5, "x"), row(5, fingerprint(one)), two, 0, true},
		{"one that has some and needs none", row(5, "x"), row(5, fingerprint(one)), none, 0, false},
		{"under way, with those of before", row(5, "x"), row(5, fingerprint(one)), nil, 5, false},
		{"its predecessor had them", row(6, "x"), row(5, fingerprint(one)), one, 6, true},
		{"nobody knows whether it has them", row(5, "x"), row(0, sending), one, 0, true},
		{"nobody knows, and it needs none", row(5, "x"), row(0, sending), none, 0, false},
		{"nobody knows, and it is under way", row(5, "x"), row(0, sending), nil, 5, false},
		{"nobody knows whether there is one", row(0, ""), row(0, sending), one, 0, true},
	} {
		if id, give := annotate(c.shown, c.given, c.want); id != c.id || give != c.give {
			t.Errorf("%s: check %d, given %v; want %d, %v", c.name, id, give, c.id, c.give)
		}
	}
}

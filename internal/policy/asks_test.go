package policy_test

import (
	"testing"
	"testing/fstest"

	"github.com/tidelock/tidelock/internal/policy"
)

// What rules can look at is known from their text: of what none asks for,
// nothing need be found out.
func TestEngineAsks(t *testing.T) {
	engine := func(rule string) *policy.Engine {
		t.Helper()
		e, err := policy.New(policy.Options{Packs: []policy.Pack{{Name: "own", FS: fstest.MapFS{"a.rego": {Data: []byte("package own\n\ndeny contains \"no\" if " + rule + "\n")}}}}})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	bundled, err := policy.New(policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, fact := range []string{"change", "change.head_sha", "actor", "pull.approvals", "pull.head_sha"} {
		if bundled.Asks(fact) {
			t.Errorf("a bundled rule looks at %s, which differs with each commit: no plan stands for the next", fact)
		}
	}
	if !bundled.Asks("pull.labels") || !bundled.Asks("cost") {
		t.Error("bundled rules look at labels and costs")
	}
	for _, tc := range []struct {
		rule      string
		asks, not []string
	}{
		{`input.change.files[_] == "a"`, []string{"change", "change.files"}, []string{"change.head_sha", "actor"}},
		{`count(input.pull.approvals) < 2`, []string{"pull.approvals"}, []string{"change"}},
		{`input.pull[_] == "x"`, []string{"pull.approvals", "pull.title"}, []string{"change"}},
		{`input[_].login == "x"`, []string{"actor", "pull.approvals", "change.files"}, nil},
		{`object.get(input.actor, "login", "") == "bob"`, []string{"actor", "actor.login"}, []string{"change"}},
	} {
		e := engine(tc.rule)
		for _, fact := range tc.asks {
			if !e.Asks(fact) {
				t.Errorf("%s asks for %s", tc.rule, fact)
			}
		}
		for _, fact := range tc.not {
			if e.Asks(fact) {
				t.Errorf("%s does not ask for %s", tc.rule, fact)
			}
		}
	}
}

package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/config/configtest"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/planner"
)

// TestExamplesOfPolicies reads every example of docs/policies.md as what it is:
// a repository's tidelock.hcl, or a piece of the server's file, of which the
// blocks of policies are right in the admin repository too.
func TestExamplesOfPolicies(t *testing.T) {
	text := read(t, filepath.Join("..", "..", "docs", "policies.md"))
	examples := regexp.MustCompile("(?s)```hcl\n(.*?)```").FindAllStringSubmatch(text, -1)
	if len(examples) < 6 {
		t.Fatalf("there are %d examples", len(examples))
	}
	for _, e := range examples {
		text := e[1]
		if strings.HasPrefix(text, "# tidelock.hcl") {
			if c, err := planner.ParseConfig([]byte(text), planner.ConfigFile); err != nil || c.Policy.IsZero() {
				t.Errorf("%v\n%s", err, text)
			}
			continue
		}
		_, file := configtest.Good(t, text)
		c, problems := config.Load(file, nil)
		if len(problems) > 0 {
			t.Errorf("%v\n%s", problems, text)
			continue
		}
		if c.Policies.Empty() && c.Policy.AdminRepo == "" {
			t.Errorf("it says nothing of policies:\n%s", text)
		}
		o := parts.PolicyOptions(c)
		o.Dir = t.TempDir()
		if _, err := policyset.New(o); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
	// Each attribute of the blocks is explained, here or in the reference.
	reference := read(t, filepath.Join("..", "..", "docs", "configuration.md"))
	for _, a := range policyset.Attributes() {
		if !strings.Contains(reference, "**`"+a.Name+"`**") {
			t.Errorf("%s of %s is not explained", a.Name, a.Block)
		}
	}
}

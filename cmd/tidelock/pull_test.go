package main

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
)

func network(input string) githubtest.Files {
	return githubtest.Files{"network/main.tf": "resource \"terraform_data\" \"net\" {\n  input = \"" + input + "\"\n}\n"}
}

func TestPullRequestAllTheWay(t *testing.T) {
	s := newStage(t, stageOptions{})
	p := s.open("feature", network("v2"))
	body := s.says(p, "📋 Plan: 1 to add, 0 to change, 0 to destroy")
	for _, want := range []string{"`network`", "terraform_data.net", "```diff", "**Merge** this pull request"} {
		if !strings.Contains(body, want) {
			t.Errorf("the comment lacks %q:\n%s", want, body)
		}
	}
	s.check(p, "tidelock/plan", "success")
	s.check(p, "tidelock: network", "success")
	s.check(p, "tidelock/apply", "neutral")

	if _, err := p.Merge("grace", "merge"); err != nil {
		t.Fatal(err)
	}
	s.says(p, "✅ Applied 1 project")
	s.check(p, "tidelock/apply", "success")

	runs := s.runs()
	if len(runs) != 2 || runs[0].Kind != run.Apply || runs[0].Status != run.Applied || runs[1].Status != run.Planned {
		t.Errorf("history: %+v", runs)
	}
}

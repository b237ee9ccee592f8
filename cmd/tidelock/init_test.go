package main

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/blueprint"
	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// TestInitialisedRepositoryIsPlannedAndApplied has a client's way from the
// starter to its first change, through a whole server.
func TestInitialisedRepositoryIsPlannedAndApplied(t *testing.T) {
	t.Parallel()
	made, err := blueprint.Render(defaultBlueprint, blueprint.Values{Client: "acme", Owner: "acme/platform"})
	if err != nil {
		t.Fatal(err)
	}
	files := githubtest.Files{}
	for _, f := range made {
		files[f.Path] = string(f.Data)
	}
	const variables = "live/example/terraform.tfvars"
	greeted := strings.Replace(files[variables], `"hello"`, `"good morning"`, 1)
	if greeted == files[variables] {
		t.Fatalf("no greeting to change:\n%s", files[variables])
	}
	s := newStage(t, stageOptions{files: files})
	p := s.open("greet", githubtest.Files{variables: greeted})
	body := s.says(p, "### 📋 Plan: 1 to add")
	if !strings.Contains(body, "`live/example`") {
		t.Errorf("the project is not named:\n%s", body)
	}
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
}

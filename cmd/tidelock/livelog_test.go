package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/run"
)

// The log of an apply is shown while Terraform still runs, by the server that
// runs it. A value that the plan marks as sensitive, and that the code has
// printed all the same, does not show.
func TestThreat_LogOfARunningApplyHidesSecrets(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true"}})
	p := s.open("feature", githubtest.Files{"network/main.tf": fmt.Sprintf(`variable "secret" {
  sensitive = true
  default   = "hunter2-canary"
}

resource "terraform_data" "net" {
  triggers_replace = "v2"
  provisioner "local-exec" {
    command = "echo it-is ${nonsensitive(var.secret)}; echo ran >> %s; cat %s"
  }
}
`, g.ran, g.path)})
	s.says(p, "### 📋 Plan: 1 to add")
	p.Comment("ada", "apply")
	g.reached()
	id := ""
	for _, r := range s.runs() {
		if r.Kind == run.Apply {
			id = r.ID
		}
	}
	if id == "" {
		t.Fatal("there is no apply")
	}
	get := func(path string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.listen+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var text string
	s.until("the log of the apply", func() bool {
		text = get("/api/v1/runs/" + id + "/log")
		return strings.Contains(text, "it-is "+redact.Mask)
	})
	if !strings.Contains(text, `"complete": false`) || strings.Contains(text, "hunter2") {
		t.Errorf("while it runs the log is %s", text)
	}
	if page := get("/runs/" + id); !strings.Contains(page, "as it grows") || strings.Contains(page, "hunter2") {
		t.Errorf("while it runs the page is %s", page)
	}
	g.open()
	s.says(p, "✅ Applied")
	s.until("the stored log", func() bool { return strings.Contains(get("/api/v1/runs/"+id+"/log"), `"complete": true`) })
	if text := get("/runs/" + id + "/log"); !strings.Contains(text, "it-is "+redact.Mask) || strings.Contains(text, "hunter2") {
		t.Errorf("the stored log is %s", text)
	}
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var regoBlock = regexp.MustCompile("(?s)```rego\n(.*?)```")

// TestPoliciesGuideWorks runs what docs/policies-testing.md shows: its rule
// compiles, and its test passes and reaches all of it.
func TestPoliciesGuideWorks(t *testing.T) {
	t.Parallel()
	blocks := regoBlock.FindAllStringSubmatch(read(t, filepath.Join("..", "..", "docs", "policies-testing.md")), -1)
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of Rego in the guide", len(blocks))
	}
	dir := filepath.Join(t.TempDir(), "policies")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"names.rego", "names_test.rego"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(blocks[i][1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &out}
	if code := p.run(t.Context(), []string{"policy", "test", dir, "--least", "100"}); code != exitOK {
		t.Errorf("exit code %d\n%s", code, out.String())
	}
	out.Reset()
	if code := p.run(t.Context(), []string{"policy", "explain", "storage.names.deny", "--pack", dir}); code != exitOK || !strings.Contains(out.String(), "Begin the name with the team's.") {
		t.Errorf("exit code %d\n%s", code, out.String())
	}
}

// The schema that is printed is the one that rules are held to.
func TestPolicySchemaIsPrinted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &out}
	if code := p.run(t.Context(), []string{"policy", "schema"}); code != exitOK || !strings.Contains(out.String(), `"resource_changes"`) || !strings.Contains(out.String(), `"approvals"`) {
		t.Errorf("exit code %d\n%s", code, out.String())
	}
}

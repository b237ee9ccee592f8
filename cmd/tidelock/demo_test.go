package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// story is what the demo must tell, in this order; each is found after the one
// before.
var story = []string{
	`Getting ready`, `✓ (Terraform|OpenTofu) \d`, `✓ Tidelock at http://127\.0\.0\.1:\d+`,
	`three projects`, `git push origin first-infrastructure`,
	`Plan: 36 to add, 0 to change, 0 to destroy in 3 projects · \+\$\d`, `Plan of network: 14 to add`,
	`Merge this pull request`, `✓ tidelock/plan`, `approves #1`, `merges #1`, `Applied 3 projects`,
	`a policy steps in`, `A policy forbids this plan`, `⛔ 1 violation`, `security\.aws\.public_ingress`, `tcp port 22`,
	`~ module\.web\.aws_instance\.this\[0\] will be updated in-place`, `"t3\.medium" -> "m6i\.large"`, `✗ tidelock/plan`,
	`✗ GitHub: 1 of 1 required status checks`, `✗ Nothing was applied`,
	`the lock`, `waits for another pull request's lock`, `waits for #2`, `#2 holds app, #3 holds data`,
	`Ada mends it`, `Plan: 4 to add, 2 to change, 0 to destroy · \+\$\d`, `⚠ \d+ warning`, `730 hours × \$0\.107 = \$78\.11`,
	`merges #2`, `Applied 1 project`, `✅ applied in`, `Plan: 1 to add, 2 to change, 0 to destroy in 2 projects · -\$\d`,
	`What stays`, `#1 +app +plan +planned +ada`, `#1 +app +apply +applied +grace`, `#2 +app +apply +applied +grace`,
	`apply\.applied +digest=`, `\d+ events, each chained .* none changed, none missing`,
	`How long it took`, `merged → applied +\d`, `webhooks received`,
}

func demoEnv(t *testing.T) []string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs a whole demo; -short")
	}
	t.Setenv("TMPDIR", t.TempDir())
	return []string{"PATH=" + os.Getenv("PATH"), "COLUMNS=110"}
}

// nothingLeft fails the test if the demo left its folder behind.
func nothingLeft(t *testing.T) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "tidelock-demo-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("the demo left %v behind, %v", left, err)
	}
}

func TestDemoTellsItsStory(t *testing.T) {
	stdout, stderr, code := call(t, demoEnv(t), "demo", "--exit")
	if code != exitOK || stderr != "" {
		t.Fatalf("exit %d: %s\n%s", code, stderr, stdout)
	}
	rest := stdout
	for _, want := range story {
		at := regexp.MustCompile(want).FindStringIndex(rest)
		if at == nil {
			t.Errorf("the story does not tell %q after what comes before it:\n%s", want, stdout)
			break
		}
		rest = rest[at[1]:]
	}
	if strings.ContainsRune(stdout, '\x1b') {
		t.Error("escape sequences where there is no terminal")
	}
	nothingLeft(t)
}

// TestDemoInterrupted ends the demo while a plan runs: it must go quickly, say
// so, and leave nothing.
func TestDemoInterrupted(t *testing.T) {
	env := demoEnv(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &trigger{on: "opens pull request #1", do: cancel}
	var stderr bytes.Buffer
	p := &program{stdin: strings.NewReader(""), stdout: out, stderr: &stderr, environ: env}
	if code := p.run(ctx, []string{"demo"}); code != exitFault {
		t.Errorf("exit code %d, want %d", code, exitFault)
	}
	if !strings.Contains(stderr.String(), "interrupted before its story had ended") {
		t.Errorf("it says %q", stderr.String())
	}
	if strings.Contains(out.String(), "last words") {
		t.Errorf("an interruption is told as a failure of the server:\n%s", out.String())
	}
	nothingLeft(t)
}

// trigger is an output that does something once it has been told a text.
type trigger struct {
	on string
	do func()

	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *trigger) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Write(p)
	if w.do != nil && strings.Contains(w.buf.String(), w.on) {
		w.do()
		w.do = nil
	}
	return len(p), nil
}

func (w *trigger) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

func TestDemoLogThatCannotBeWritten(t *testing.T) {
	_, stderr, code := call(t, nil, "demo", "--exit", "--log", filepath.Join(t.TempDir(), "no", "such", "folder"))
	if code != exitFault || !strings.Contains(stderr, "The log can't be written") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

package main

import (
	"database/sql"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/toolchain"
)

// A state goes in from a backend, becomes a project's, goes out again and is
// the same; what is locked stays where it is.
func TestStateMigrate(t *testing.T) {
	t.Parallel()
	tf, err := toolchain.Terraform(t.Context(), toolchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	binary, err := builtBinary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	env := []string{"TIDELOCK_DATA_DIR=" + filepath.Join(dir, "data"), "TIDELOCK_PUBLIC_URL=https://t.example.com", "PATH=/usr/bin:/bin", "HOME=" + dir, "CHECKPOINT_DISABLE=1",
		"TIDELOCK_ENCRYPTION_KEY=" + base64.StdEncoding.EncodeToString(make([]byte, 32))}
	run := func(in, program string, args ...string) (string, bool) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir, cmd.Env = in, env
		out, err := cmd.CombinedOutput()
		return string(out), err == nil
	}
	must := func(in, program string, args ...string) string {
		t.Helper()
		out, ok := run(in, program, args...)
		if !ok {
			t.Fatalf("%s %v:\n%s", filepath.Base(program), args, out)
		}
		return out
	}
	code := func(name, path string) string {
		t.Helper()
		in := filepath.Join(dir, name)
		text := "terraform {\n  backend \"local\" {\n    path = \"" + path + "\"\n  }\n}\nresource \"terraform_data\" \"a\" {\n  count = 3\n  input = \"x\"\n}\n"
		if err := os.MkdirAll(in, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(in, "main.tf"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		must(in, tf.Path, "init", "-input=false")
		return in
	}
	first, second := code("first", "here.tfstate"), code("second", "there.tfstate")
	must(dir, binary, "migrate")
	query := func(q string) {
		t.Helper()
		execSQL(t, filepath.Join(dir, "data", "tidelock.db"), q)
	}
	query("INSERT INTO clients (id, slug, name, created_ms) VALUES ('c1', 'acme', 'acme', 0)")
	query("INSERT INTO repos (id, client_id, owner, name, status, created_ms) VALUES (7, 'c1', 'acme', 'infra', 'active', 0)")
	in := []string{"state", "migrate", "acme/infra/net", "--tool", tf.Path, "--from", "backend", "--dir", first, "--repo", "acme/infra", "--project", "net"}
	if out, ok := run(dir, binary, in...); ok || !strings.Contains(out, "no state") {
		t.Errorf("an empty state was moved in:\n%s", out)
	}
	must(first, tf.Path, "apply", "-auto-approve", "-input=false")
	if out := must(dir, binary, in...); !strings.Contains(out, "3 instances") || !strings.Contains(out, "remove the backend") {
		t.Errorf("moved in:\n%s", out)
	}
	must(dir, binary, in...) // again: nothing changes
	if out := must(dir, binary, "state", "versions", "acme/infra/net", "--json"); strings.Count(out, `"sha256"`) != 1 {
		t.Errorf("not one version:\n%s", out)
	}
	if out, ok := run(dir, binary, "state", "migrate", "acme/infra/other", "--from", filepath.Join(first, "here.tfstate"), "--repo", "acme/infra", "--project", "net"); ok || !strings.Contains(out, "Move it away first") {
		t.Errorf("a project got a second state:\n%s", out)
	}
	out := []string{"state", "migrate", "acme/infra/net", "--tool", tf.Path, "--to", "backend", "--dir", second}
	query("INSERT INTO state_locks (state_id, client_id, lock_id, info, actor, created_ms) SELECT id, client_id, 'L', '{\"ID\":\"L\",\"Who\":\"ada\"}', '{}', 0 FROM states WHERE name = 'infra/net'")
	for _, args := range [][]string{in, out} {
		if said, ok := run(dir, binary, args...); ok || !strings.Contains(said, "locked by ada") {
			t.Errorf("%v of a locked state:\n%s", args, said)
		}
	}
	query("DELETE FROM state_locks")
	if said := must(dir, binary, out...); !strings.Contains(said, "3 instances") {
		t.Errorf("moved out:\n%s", said)
	}
	if said := must(second, tf.Path, "plan", "-input=false"); !strings.Contains(said, "No changes") {
		t.Errorf("after the way back:\n%s", said)
	}
	if said, ok := run(dir, binary, "state", "pull", "acme/infra/net"); ok {
		t.Errorf("it is still here:\n%s", said)
	}
	if said, ok := run(dir, binary, "state", "push", "acme/infra/net", filepath.Join(first, "here.tfstate")); ok || !strings.Contains(said, "It was moved to") {
		t.Errorf("what was moved away was written:\n%s", said)
	}
	must(dir, binary, "state", "migrate", "acme/infra/net", "--from", filepath.Join(second, "there.tfstate"))
	file := filepath.Join(dir, "taken.tfstate")
	must(dir, binary, "state", "migrate", "acme/infra/net", "--to", file)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
}

func execSQL(t *testing.T, file, query string) {
	t.Helper()
	d, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Exec(query); err != nil {
		t.Fatal(err)
	}
}

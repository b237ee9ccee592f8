package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConfigSecrets(t *testing.T) {
	dir := t.TempDir()
	read := func(text string) *Reading {
		t.Helper()
		path := filepath.Join(dir, "tidelock-server.hcl")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return Read(path, []string{"PROD_DB=hunter2-hunter2"}, NeedNothing)
	}
	l := read(`secret "prod-db" {
  env   = "PROD_DB"
  repos = ["acme/infra", "acme/shop-*"]
}
secret "vault/write" {
  command = ["vault", "kv", "get", "x y"]
  clients = ["acme"]
  phases  = ["apply"]
}
secret "file" {
  file  = "secrets/token"
  repos = ["*/*"]
}
`)
	if err := l.Problems.Err(); err != nil {
		t.Fatal(err)
	}
	if got := l.Config.Secrets; len(got) != 3 || got[2].File != filepath.Join(dir, "secrets/token") || got[1].Command[3] != "x y" || got[1].Phases[0] != "apply" {
		t.Errorf("%+v", got)
	}
	// What is shown can be read again, and holds no value.
	var shown strings.Builder
	l.writeSecrets(&shown)
	if again := read(shown.String()); again.Problems.Err() != nil || len(again.Config.Secrets) != 3 || strings.Contains(shown.String(), "hunter2") {
		t.Errorf("%v\n%s", again.Problems, shown.String())
	}
	for text, want := range map[string]string{
		"secret \"a\" {\n  env = \"A\"\n}\n":                                                `names neither repos nor clients`,
		"secret \"a\" {\n  repos = [\"a/b\"]\n}\n":                                          "needs one of env, file and command",
		"secret \"a\" {\n  env = \"A\"\n  file = \"/x\"\n  repos = [\"a/b\"]\n}\n":          "and no more than one",
		"secret \"a\" {\n  value = \"hunter2\"\n  env = \"A\"\n  repos = [\"a/b\"]\n}\n":    "must not stand in the configuration file",
		"secret \"a\" {\n  env = \"TIDELOCK_GITHUB_PRIVATE_KEY\"\n  repos = [\"a/b\"]\n}\n": "never handed to a run",
		"secret \"a\" {\n  env = \"A\"\n  repos = [\"infra\"]\n}\n":                         "write OWNER/NAME",
		"secret \"a b\" {\n  env = \"A\"\n  repos = [\"a/b\"]\n}\n":                         "has a name that can't be asked for",
		"secret \"a\" {\n  env = \"A\"\n  repos = [\"a/b\"]\n  phases = [\"destroy\"]\n}\n": `has the phase "destroy"`,
		"secret \"a\" {\n  env = \"A\"\n  repos = [\"a/b\"]\n  color = \"red\"\n}\n":        "color is not known in a block secret",
		strings.Repeat("secret \"a\" {\n  env = \"A\"\n  repos = [\"a/b\"]\n}\n", 2):        "stands here twice",
		"secret \"a\" {\n  command = \"vault kv get\"\n  repos = [\"a/b\"]\n}\n":            "list of string required",
	} {
		l := read(text)
		if err := l.Problems.Err(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s%v, want %q", text, err, want)
		}
	}
}

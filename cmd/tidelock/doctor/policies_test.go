package doctor

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tidelock/tidelock/internal/policyset"
)

// packIn is a configuration with one pack of one file.
func packIn(t *testing.T, text string) policyset.Config {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.rego"), text)
	return policyset.Config{Packs: []policyset.PackConfig{{Name: "house", Path: dir, MaxAge: policyset.DefaultMaxAge}}}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

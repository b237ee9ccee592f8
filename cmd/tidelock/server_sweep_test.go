package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/checkout"
)

// TestMirrorsAreSweptAtTheStart: by the defaults, an old copy goes and a young
// one stays.
func TestMirrorsAreSweptAtTheStart(t *testing.T) {
	dir := t.TempDir()
	for id, age := range map[string]time.Duration{"5.git": 61 * 24 * time.Hour, "6.git": 59 * 24 * time.Hour} {
		head := filepath.Join(dir, id, "HEAD")
		if err := os.MkdirAll(filepath.Dir(head), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(head, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(head, time.Now().Add(-age), time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	s := &server{config: config.Default(), log: slog.New(slog.DiscardHandler), mirrors: checkout.New(dir, checkout.Options{})}
	s.sweepMirrors()
	if _, err := os.Stat(filepath.Join(dir, "5.git")); !os.IsNotExist(err) {
		t.Errorf("the old copy is still there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "6.git")); err != nil {
		t.Errorf("the young copy is gone: %v", err)
	}
}

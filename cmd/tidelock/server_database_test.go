package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
)

// Damage that a running server finds makes it unwell.
func TestFault26_DamageFoundWhileServingIsToldByHealth(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteDSN(t), db.Served(func(string) {}))
	var log bytes.Buffer
	s := &server{db: d, config: config.Config{DataDir: t.TempDir()}, log: slog.New(slog.NewTextHandler(&log, nil))}
	health := func() int {
		rec := httptest.NewRecorder()
		s.health(rec, httptest.NewRequest(http.MethodGet, "/healthz", nil))
		return rec.Code
	}
	if !s.walkDatabase(t.Context()) || health() != http.StatusOK {
		t.Fatalf("unwell before anything happened: %s", &log)
	}
	var root int64
	if err := d.QueryRowContext(t.Context(), `SELECT rootpage FROM sqlite_master WHERE name = 'runs'`).Scan(&root); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(d.Path(), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0x5a}, 4096), (root-1)*4096); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if s.walkDatabase(t.Context()) || health() != http.StatusServiceUnavailable {
		t.Error("it goes on as if nothing were")
	}
	if !strings.Contains(log.String(), "tidelock restore") {
		t.Errorf("the log says %s", &log)
	}
}

func TestTheDatabaseIsWalkedEachDayAlsoOverRestarts(t *testing.T) {
	now := time.Now()
	for _, tc := range []struct{ ago, want time.Duration }{{0, 24 * time.Hour}, {23 * time.Hour, time.Hour}, {50 * time.Hour, 0}} {
		if got := untilWalk(db.Wholeness{Checked: now.Add(-tc.ago)}, now); got != tc.want {
			t.Errorf("walked %v ago: in %v, not %v", tc.ago, got, tc.want)
		}
	}
}

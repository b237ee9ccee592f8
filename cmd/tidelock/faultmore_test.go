package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/db"
)

// Somebody holds the database: a webhook is tried for a while and then refused,
// with nothing of it stored, and comes again by the sweep.
func TestFault25_WebhookWhileTheDatabaseIsLocked(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_GITHUB_SWEEP_INTERVAL=1s", "TIDELOCK_GITHUB_RECONCILE_INTERVAL=1h"}})
	s.repo.Commit("ada", "feature", "Change", network("v2"))
	if err := s.gh.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(t.Context(), "sqlite:"+filepath.Join(s.data, "tidelock.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	held, release, ended := make(chan bool), make(chan bool), make(chan error)
	go func() {
		ended <- d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE nodes SET name = name`)
			close(held)
			<-release
			return err
		})
	}()
	<-held
	body := []byte(`{"action":"created","repository":{"id":1,"full_name":"a/b","name":"b","owner":{"login":"a"}},"installation":{"id":1}}`)
	if status := s.post("push", "locked-0001", body); status != http.StatusServiceUnavailable {
		t.Errorf("a webhook while the database is locked: %d", status)
	}
	close(release)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if n := s.query("SELECT COUNT(*) FROM deliveries WHERE guid='locked-0001'"); n != 0 {
		t.Error("half of it is stored")
	}
	if status := s.post("push", "locked-0001", body); status != http.StatusAccepted {
		t.Errorf("the second attempt: %d", status)
	}
}

// The server does not start on a damaged database, and says what to do.
func TestFault26_DamagedDatabaseIsNotServed(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	s.stop()
	path := filepath.Join(s.data, "tidelock.db")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	clear(b[100:8192])
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), s.binary, "serve")
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "tidelock restore") {
		t.Errorf("it ended with %v and said:\n%s", err, out)
	}
}

// The App is uninstalled while a plan runs: what waits is canceled, and
// installing it again brings the client back.
func TestFault22_Uninstalled(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_TERRAFORM_GRACE=1s"}})
	p := s.open("feature", map[string]string{"network/main.tf": g.plan()})
	g.reached()
	s.gh.Uninstall(s.repo.Installation())
	eventually(t, "the run to be canceled", func() bool { return s.query("SELECT COUNT(*) FROM runs WHERE status='canceled'") == 1 })
	if n := s.query("SELECT COUNT(*) FROM events WHERE action='plan.cancel'"); n != 1 {
		t.Errorf("%d audit events tell of it, not 1", n)
	}
	if n := s.query("SELECT COUNT(*) FROM clients WHERE status='deleted'"); n != 1 {
		t.Errorf("%d clients are gone, not 1", n)
	}
	g.open()
	s.gh.Install("acme", s.repo)
	s.repo.Commit("ada", "feature", "Again", network("v3"))
	s.says(p, "### 📋 Plan: 1 to add")
	if n := s.query("SELECT COUNT(*) FROM clients"); n != 1 {
		t.Errorf("%d clients, not the one that came back", n)
	}
}

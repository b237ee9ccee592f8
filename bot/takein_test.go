package bot

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/capacity"
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/planner"
)

const plainDoc = `{"version":4,"terraform_version":"1.11.4","serial":7,"lineage":"l","outputs":{},"resources":[{"mode":"managed","type":"terraform_data","name":"a","provider":"x","instances":[{},{}]}]}`

// withStates gives the bench a state service and a data folder.
func (b *bench) withStates() {
	b.t.Helper()
	b.DataDir = b.t.TempDir()
	key := redact.NewSecret(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32)))
	local, err := keyring.NewLocal(key)
	if err != nil {
		b.t.Fatal(err)
	}
	ring, err := keyring.New(local)
	if err != nil {
		b.t.Fatal(err)
	}
	blobs, err := blob.Open(filepath.Join(b.DataDir, "blobs"), key)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = blobs.Close() })
	trail := access.NewTrail(b.DB)
	b.States = state.New(state.Options{DB: b.DB, Blobs: blobs, Keys: ring, Trail: trail, Tokens: access.NewTokens(b.DB, trail, nil)})
}

// States that lie in the data folder are taken in once, whatever comes in
// between, and the file goes last.
func TestPlainStatesAreTakenIn(t *testing.T) {
	b := newBench(t, capacity.Limits{})
	b.withStates()
	ctx := t.Context()
	b.begun("net", "app", "broken")
	client := b.change.Client
	lay := func(dir, text string) string {
		t.Helper()
		path := b.plainState(client, 7, planner.Project{Dir: dir, Workspace: planner.DefaultWorkspace})
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{path, path + ".backup"} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	gone := func(path string) bool {
		_, err := os.Stat(path)
		return errors.Is(err, fs.ErrNotExist)
	}
	net, broken := lay("net", plainDoc), lay("broken", `{"version":4,"ser`)
	use, err := os.OpenFile(net+".use", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(use.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if err := b.TakeInStates(ctx); err != nil {
		t.Fatal(err)
	}
	if gone(net) {
		t.Fatal("taken from a run of the earlier server")
	}
	_ = use.Close()
	for range 2 { // as after a kill before the file went
		lay("net", plainDoc)
		if err := b.TakeInStates(ctx); err != nil {
			t.Fatal(err)
		}
		if !gone(net) || !gone(net+".backup") {
			t.Error("the file is still there")
		}
	}
	_, content, err := b.States.Read(ctx, client, "infra/net")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(content)
	_ = content.Close()
	if err != nil || string(got) != plainDoc {
		t.Errorf("%s, %v", got, err)
	}
	if all, err := b.States.Versions(ctx, client, "infra/net", 10); err != nil || len(all) != 1 || all[0].Instances != 2 {
		t.Errorf("versions: %+v, %v", all, err)
	}
	if gone(broken) {
		t.Error("what is no state is gone")
	}
	// One that differs from what counts by now stays, and says so.
	other := lay("net", `{"version":4,"terraform_version":"1.11.4","serial":7,"lineage":"l","outputs":{},"resources":[]}`)
	if err := b.TakeInStates(ctx); err != nil {
		t.Fatal(err)
	}
	if gone(other) {
		t.Error("a state that conflicts is gone")
	}
}

package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/capacity"
	"github.com/tidelock/tidelock/internal/runner"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// A pull request that gives a backend to a project whose state is kept here is
// refused, whatever the backend, until the state was moved there.
func TestThreat_BackendLeavesNoStateBehind(t *testing.T) {
	b := newBench(t, capacity.Limits{})
	b.withStates()
	b.Runner = &runner.Runner{}
	ctx := t.Context()
	r := b.begun("net")[0]
	repo, err := b.Clients.Repo(ctx, b.DB, 7)
	if err != nil {
		t.Fatal(err)
	}
	lay := func(backend string) string {
		t.Helper()
		r.Project.Backend = backend
		s := tfrun.Spec{RunID: r.ID, Kind: tfrun.KindPlan}
		if err := b.layState(ctx, r, &s); err != nil {
			t.Fatal(err)
		}
		return s.Refused
	}
	if why := lay("s3"); why != "" {
		t.Errorf("a project that has always had a backend: %s", why)
	}
	owner, want := ownerOf(repo, planner.Project{Dir: "net", Workspace: planner.DefaultWorkspace})
	name, err := b.States.Claim(ctx, owner, want)
	if err != nil {
		t.Fatal(err)
	}
	who := state.Who{Actor: b.actor}
	if _, err := b.States.Write(ctx, state.Write{Client: owner.Client, Name: name, Who: who, Body: strings.NewReader(plainDoc)}); err != nil {
		t.Fatal(err)
	}
	for _, backend := range []string{"s3", "local", "http", "cloud", planner.KindTerragrunt} {
		if why := lay(backend); !strings.Contains(why, "is kept by Tidelock, as `acme/infra/net`") || !strings.Contains(why, "tidelock state migrate acme/infra/net --to backend") || !strings.Contains(why, backend) {
			t.Errorf("%s: %q", backend, why)
		}
	}
	raw := []byte(`{"ID":"move","Created":"` + time.Now().UTC().Format(time.RFC3339) + `"}`)
	if _, err := b.States.Lock(ctx, owner.Client, name, who, raw); err != nil {
		t.Fatal(err)
	}
	if err := b.States.MoveAway(ctx, owner.Client, name, who, "move", "s3"); err != nil {
		t.Fatal(err)
	}
	if why := lay("s3"); why != "" {
		t.Errorf("after it was moved: %s", why)
	}
}

package replay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/replay"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// world is a server's database and blobs with one client's recorded plans.
type world struct {
	t       *testing.T
	db      *db.DB
	runs    *run.Store
	clients *clients.Store
	blobs   *blob.Store
	repo    clients.Repo
	now     time.Time
}

var ada = access.Actor{Kind: "user", Name: "ada", ID: 1}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	blobs, err := blob.Open(t.TempDir(), redact.NewSecret("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, db: d, clients: clients.NewStore(d), blobs: blobs, now: time.UnixMilli(1_800_000_000_000)}
	w.runs = run.NewStore(d, access.NewTrail(d), func() time.Time { return w.now })
	w.tx(func(tx *db.Tx) error {
		c, err := w.clients.Ensure(context.Background(), tx, clients.Installation{ID: 41, Account: "acme"})
		if err != nil {
			return err
		}
		w.repo, err = w.clients.EnsureRepo(context.Background(), tx, c, clients.Repo{ID: 7, Owner: "acme", Name: "infra", DefaultBranch: "main", CloneURL: "https://example.com/acme/infra.git"})
		return err
	})
	return w
}

func (w *world) tx(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.db.Tx(context.Background(), f); err != nil {
		w.t.Fatal(err)
	}
}

// record makes a pull whose one plan creates resources of the types, judged by
// the engine as it was then. It returns the run.
func (w *world) record(number int, judge *policy.Engine, types ...string) run.Run {
	w.t.Helper()
	ctx := context.Background()
	var changes []string
	for _, kind := range types {
		changes = append(changes, fmt.Sprintf(`{"address":"%s.x","type":%q,"name":"x","mode":"managed","change":{"actions":["create"],"before":null,"after":{}}}`, kind, kind))
	}
	text := `{"format_version":"1.2","resource_changes":[` + strings.Join(changes, ",") + `]}`
	plan, err := tfplan.ParsePlan(strings.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	report, err := judge.Judge(ctx, policy.Input{Plan: plan})
	if err != nil {
		w.t.Fatal(err)
	}
	ref, _, err := w.blobs.Put(ctx, w.repo.ClientID, "plan.json", strings.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	head := fmt.Sprintf("head-%d", number)
	pull := run.Pull{Repo: w.repo.ID, Number: number, Client: w.repo.ClientID, HeadSHA: head, HeadRepo: w.repo.ID, HeadRef: "f", BaseSHA: "b", BaseRef: "main", Open: true, Author: "ada", Title: "Change it", Labels: []string{"urgent"}}
	var r run.Run
	w.tx(func(tx *db.Tx) error {
		if err := w.runs.SavePull(ctx, tx, pull); err != nil {
			return err
		}
		opened, err := w.runs.OpenChange(ctx, tx, pull, ada)
		if err != nil {
			return err
		}
		runs, _, err := w.runs.AddPlans(ctx, tx, opened.Change, []run.Wanted{{Project: planner.Project{Name: "net", Dir: "net", Workspace: "default"}, Commit: head}}, "", ada)
		if err != nil {
			return err
		}
		if r, err = w.runs.Begin(ctx, tx, runs[0], "node"); err != nil {
			return err
		}
		r.PlanDigest, r.PlanJSONBlob, r.Report = "digest", ref, &report
		return w.runs.Finish(ctx, tx, r, run.Planned)
	})
	return r
}

func engine(t *testing.T, src string) *policy.Engine {
	t.Helper()
	off := map[string]policy.Level{}
	bundled, err := policy.New(policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range bundled.Rules() {
		off[r.ID] = policy.Off
	}
	e, err := policy.New(policy.Options{Packs: []policy.Pack{{Name: "acme", FS: fstest.MapFS{"p.rego": {Data: []byte(src)}}}}, Overrides: policy.Overrides{Levels: off}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const before = `package main

deny contains sprintf("%s is a bucket", [rc.address]) if {
	some rc in input.resource_changes
	rc.type == "bucket"
}

deny contains sprintf("%s is a queue", [rc.address]) if {
	some rc in input.resource_changes
	rc.type == "queue"
}

warn contains sprintf("%s is a topic", [rc.address]) if {
	some rc in input.resource_changes
	rc.type == "topic"
}
`

// after forbids disks as well, lets queues through, and asks for the title,
// which only a replay that knows the pull can tell.
const after = `package main

deny contains sprintf("%s is a bucket", [rc.address]) if {
	some rc in input.resource_changes
	rc.type == "bucket"
}

deny contains sprintf("%s is a disk in %q of %s by %s", [rc.address, input.pull.title, input.pull.repo, input.client.slug]) if {
	some rc in input.resource_changes
	rc.type == "disk"
	"urgent" in input.pull.labels
}
`

func TestReplay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		old, changed := engine(t, before), engine(t, after)
		w.record(1, old, "disk") // before the time that is asked for
		w.now = w.now.Add(48 * time.Hour)
		since := w.now
		w.record(2, old, "bucket")
		w.record(3, old, "disk")
		w.record(4, old, "queue")
		w.record(5, old, "bucket", "disk")
		w.record(6, old, "bucket", "queue")
		w.record(7, old, "topic")
		w.record(8, old, "host")
		lost := w.record(9, old, "disk")
		if err := w.blobs.Delete(t.Context(), lost.Client, lost.PlanJSONBlob); err != nil {
			t.Fatal(err)
		}
		w.record(10, old, "broken")

		var heard atomic.Int64
		y := replay.Replay{
			DB: w.db, Runs: w.runs, Clients: w.clients, Blobs: w.blobs, Since: since,
			Judge: func(ctx context.Context, r run.Run, in policy.Input) (policy.Report, error) {
				if r.Pull == 10 {
					return policy.Report{}, errors.New("nobody can judge this")
				}
				return changed.Judge(ctx, in)
			},
			Progress: func(done int) { heard.Store(int64(done)) },
		}
		plans, err := y.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := map[int]replay.Change{}
		for i, p := range plans {
			got[p.Pull] = p.Change
			if i > 0 && p.Pull < plans[i-1].Pull {
				t.Error("the plans are not in the order in which they were made")
			}
		}
		want := map[int]replay.Change{2: replay.Same, 3: replay.Blocked, 4: replay.Freed, 5: replay.Stricter, 6: replay.Looser, 7: replay.Warned, 8: replay.Same, 9: replay.Gone, 10: replay.Unjudged}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
		if heard.Load() != int64(len(plans)) {
			t.Errorf("heard of %d plans", heard.Load())
		}
		disk := plans[slices.IndexFunc(plans, func(p replay.Plan) bool { return p.Pull == 3 })]
		if len(disk.Found) != 1 || disk.Found[0].Message != `disk.x is a disk in "Change it" of acme/infra by acme` || disk.Then != policy.Pass || disk.Now != policy.Fail {
			t.Errorf("the disk: %+v", disk)
		}
		if tally := replay.Tally(plans); tally[replay.Same] != 2 || tally[replay.Blocked] != 1 || len(tally) != len(replay.Changes()) {
			t.Errorf("tally %v", tally)
		}

		y.Repo = 8
		if plans, err := y.Run(t.Context()); err != nil || len(plans) != 0 {
			t.Errorf("of another repository: %v, %v", plans, err)
		}
		y.Repo, y.Client = 7, "another"
		if plans, err := y.Run(t.Context()); err != nil || len(plans) != 0 {
			t.Errorf("of another client: %v, %v", plans, err)
		}
	})
}

// A plan that stood for later commits is one plan, and pages end nowhere
// between two of the same millisecond.
func TestRecordedPlansAreReadPageByPage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		e := engine(t, before)
		const n = 205
		for i := range n {
			w.record(i+1, e, "host")
		}
		seen := map[string]bool{}
		if err := w.runs.Recorded(t.Context(), w.db, "", 0, w.now, func(r run.Run) error {
			seen[r.ID] = true
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if len(seen) != n {
			t.Errorf("%d plans of %d", len(seen), n)
		}
	})
}

func TestReplayIsStopped(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		e := engine(t, before)
		for i := range 4 {
			w.record(i+1, e, "host")
		}
		ctx, cancel := context.WithCancel(t.Context())
		_, err := replay.Replay{
			DB: w.db, Runs: w.runs, Clients: w.clients, Blobs: w.blobs, Since: w.now,
			Judge: func(ctx context.Context, _ run.Run, in policy.Input) (policy.Report, error) {
				cancel()
				return e.Judge(ctx, in)
			},
		}.Run(ctx)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("stopped with %v", err)
		}
	})
}

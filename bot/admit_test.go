package bot

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/capacity"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// bench is a bot on a database of its own, with a change to plan, that never
// looks at a run's row by itself.
type bench struct {
	*Bot
	t      *testing.T
	change run.Change
	pull   run.Pull
}

func newBench(t *testing.T, limits capacity.Limits) *bench {
	t.Helper()
	d := dbtest.SQLite(t)
	q, err := queue.New(queue.Options{Node: "n", DB: d, Log: slog.New(slog.DiscardHandler), Lanes: map[string]int{LaneAnswers: 1}})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, Bot: &Bot{
		Options: Options{
			DB: d, Runs: run.NewStore(d, access.NewTrail(d), time.Now), Clients: clients.NewStore(d), Queue: q, Node: "n",
			Log: slog.New(slog.DiscardHandler), Now: time.Now, Capacity: capacity.New(func() capacity.Limits { return limits }),
			Terraform: Terraform{RunMemory: 100},
		},
		glance: time.Hour, actor: access.Actor{Kind: "bot", Name: "tidelock"},
	}}
	queue.Handle(q, LaneAnswers, func(context.Context, queue.Job[answerJob]) error { return nil }, queue.HandlerOptions{MaxAttempts: 1})
	b.tx(func(ctx context.Context, tx *db.Tx) error {
		c, err := b.Clients.Ensure(ctx, tx, clients.Installation{ID: 41, Account: "acme"})
		if err != nil {
			return err
		}
		repo, err := b.Clients.EnsureRepo(ctx, tx, c, clients.Repo{ID: 7, Owner: "acme", Name: "infra", DefaultBranch: "main", CloneURL: "https://example.com/acme/infra.git"})
		if err != nil {
			return err
		}
		b.pull = run.Pull{Repo: repo.ID, Number: 1, Client: c.ID, HeadSHA: "h1", HeadRepo: repo.ID, HeadRef: "f", BaseSHA: "b", BaseRef: "main", Open: true, Author: "ada"}
		if err := b.Runs.SavePull(ctx, tx, b.pull); err != nil {
			return err
		}
		opened, err := b.Runs.OpenChange(ctx, tx, b.pull, b.actor)
		b.change = opened.Change
		return err
	})
	return b
}

func (b *bench) tx(f func(ctx context.Context, tx *db.Tx) error) {
	b.t.Helper()
	if err := b.DB.Tx(b.t.Context(), func(tx *db.Tx) error { return f(b.t.Context(), tx) }); err != nil {
		b.t.Fatal(err)
	}
}

// begun returns running plans of the projects.
func (b *bench) begun(dirs ...string) (runs []run.Run) {
	b.t.Helper()
	var wanted []run.Wanted
	for _, d := range dirs {
		wanted = append(wanted, run.Wanted{Project: planner.Project{Name: d, Dir: d, Workspace: "default", Weight: 1}, Commit: "h1"})
	}
	b.tx(func(ctx context.Context, tx *db.Tx) error {
		created, _, err := b.Runs.AddPlans(ctx, tx, b.change, wanted, "", b.actor)
		for i := range created {
			if err == nil {
				created[i], err = b.Runs.Begin(ctx, tx, created[i], b.Node)
			}
		}
		runs = created
		return err
	})
	return runs
}

// until waits for a condition.
func (b *bench) until(what string, ok func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatal("waited in vain for ", what)
		}
	}
}

// A new push ends what runs at the old head by an event: whoever watches it
// hears at once, however rarely it looks by itself.
func TestPushEndsTheOldPlanAtOnce(t *testing.T) {
	b := newBench(t, capacity.Limits{})
	r := b.begun("net")[0]
	ended := make(chan string, 1)
	go func() { ended <- b.watch(t.Context(), r, 0) }()
	b.until("the watch", func() bool {
		b.nudges.mu.Lock()
		defer b.nudges.mu.Unlock()
		return len(b.nudges.subs) == 1
	})
	b.stop(t.Context(), nil) // of another run: it looks, and goes on
	b.begun("net")           // supersedes it
	began := time.Now()
	b.stop(t.Context(), nil)
	select {
	case why := <-ended:
		if why != unwanted {
			t.Errorf("it ended as %q", why)
		}
		t.Logf("after %s", time.Since(began))
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on")
	}
	if b.nudges.mu.Lock(); len(b.nudges.subs) != 0 {
		t.Error("somebody still listens")
	}
	b.nudges.mu.Unlock()
}

// A run for which there is no memory waits, and its row says so; it begins when
// there is, and one that is superseded meanwhile never does.
func TestRunsWaitForMemory(t *testing.T) {
	b := newBench(t, capacity.Limits{Memory: 250, Plans: 8})
	runs := b.begun("a", "b", "c", "d")
	var leave []func()
	for _, r := range runs[:2] {
		l, err := b.admit(t.Context(), r, false)
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, l)
	}
	row := func(r run.Run) run.Now {
		got, err := b.Runs.Run(t.Context(), b.DB, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got.Now
	}
	ends := make([]chan error, 4)
	for i, r := range runs[2:] {
		ends[i] = make(chan error, 1)
		go func() { _, err := b.admit(t.Context(), r, false); ends[i] <- err }()
		b.until("its row to say what it waits for", func() bool { return row(r).Waits == "memory" })
	}
	b.tx(func(ctx context.Context, tx *db.Tx) error { // somebody cancels the third
		r, err := b.Runs.Run(ctx, tx, runs[2].ID)
		if err != nil {
			return err
		}
		return b.Runs.Cancel(ctx, tx, r, b.actor, "Canceled.")
	})
	b.stop(t.Context(), []string(nil))
	if err := <-ends[0]; !errors.Is(err, errStopped) {
		t.Errorf("the canceled one: %v", err)
	}
	leave[0]()
	if err := <-ends[1]; err != nil {
		t.Error(err)
	}
	b.until("its row to say nothing more", func() bool { return row(runs[3]) == run.Now{} })
	if s := b.Capacity.State(); len(s.Running) != 2 || len(s.Waiting) != 0 {
		t.Errorf("%+v", s)
	}
	// One that is under way counts, whether or not there is room.
	if _, err := b.admit(t.Context(), runs[0], true); err != nil || len(b.Capacity.State().Running) != 3 {
		t.Errorf("%v, %+v", err, b.Capacity.State())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.admit(ctx, runs[2], false); !errors.Is(err, context.Canceled) {
		t.Errorf("a server that goes down: %v", err)
	}
}

// What a project's runs need is what the most of its last ones had.
func TestRunsNeedWhatTheyTook(t *testing.T) {
	b := newBench(t, capacity.Limits{})
	r := b.begun("a")[0]
	if n, err := b.need(t.Context(), r); err != nil || n.Memory != 100 || n.Weight != 1 || n.Apply || n.Run != r.ID {
		t.Errorf("%+v, %v", n, err)
	}
	b.tx(func(ctx context.Context, tx *db.Tx) error {
		r.PeakMemory, r.Steps = 800, 12
		return b.Runs.Finish(ctx, tx, r, run.Planned)
	})
	next := b.begun("a")[0]
	if n, err := b.need(t.Context(), next); err != nil || n.Memory != 1000 {
		t.Errorf("%+v, %v", n, err)
	}
	if n := b.expected(t.Context(), next); n != 12 {
		t.Errorf("%d steps are expected", n)
	}
	next.Kind = run.Apply
	if n, err := b.need(t.Context(), next); err != nil || !n.Apply {
		t.Errorf("%+v, %v", n, err)
	}
}

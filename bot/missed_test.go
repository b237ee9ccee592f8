package bot

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/run"
)

// Whatever differs between what is known and what GitHub says now is the
// webhook that was missed; where nothing differs none was.
func TestMissed(t *testing.T) {
	open := run.Pull{Number: 7, HeadSHA: "a", BaseRef: "main", Open: true, Labels: []string{"one"}}
	with := func(f func(p *run.Pull)) run.Pull {
		p := open
		f(&p)
		return p
	}
	closed := with(func(p *run.Pull) { p.Open = false })
	merged := with(func(p *run.Pull) { p.Open, p.Merged, p.MergeSHA = false, true, "m" })
	draft := with(func(p *run.Pull) { p.Draft = true })
	for _, c := range []struct {
		name   string
		stored *run.Pull
		now    run.Pull
		want   string
	}{
		{"nothing", &open, open, ""},
		{"opened", nil, open, "opened"},
		{"a draft opened", nil, draft, "opened"},
		{"opened and merged", nil, merged, "closed"},
		{"opened and closed", nil, closed, ""},
		{"closed", &open, closed, "closed"},
		{"merged", &open, merged, "closed"},
		{"merged after it was seen closed", &closed, merged, "closed"},
		{"closed as before", &closed, closed, ""},
		{"merged as before", &merged, merged, ""},
		{"reopened", &closed, open, "reopened"},
		{"pushed to while closed", &closed, with(func(p *run.Pull) { p.Open, p.HeadSHA = false, "b" }), ""},
		{"pushed", &open, with(func(p *run.Pull) { p.HeadSHA = "b" }), "synchronize"},
		{"retargeted", &open, with(func(p *run.Pull) { p.BaseRef = "next" }), "edited"},
		{"retargeted and pushed", &open, with(func(p *run.Pull) { p.BaseRef, p.HeadSHA = "next", "b" }), "edited"},
		{"ready", &draft, open, "ready_for_review"},
		{"made a draft", &open, draft, "converted_to_draft"},
		{"labeled", &open, with(func(p *run.Pull) { p.Labels = []string{"one", "two"} }), "labeled"},
		{"another label", &open, with(func(p *run.Pull) { p.Labels = []string{"two"} }), "unlabeled"},
		{"another title", &open, with(func(p *run.Pull) { p.Title = "x" }), ""},
	} {
		if got := missed(c.stored, c.now); got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
}

// An `apply` that is heard late applies only what its author can have seen.
func TestLateApplyOfANewerPlanIsRefused(t *testing.T) {
	written := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) []Intent {
		return []Intent{React{1}, ApplyPlans{Change: run.Change{Pull: 7}, Plans: []run.Run{{Finished: written.Add(-time.Hour)}, {Finished: written.Add(d)}}}}
	}
	for _, d := range []time.Duration{-time.Minute, clockLeeway} {
		if diff := cmp.Diff(at(d), lateApply(at(d), written)); diff != "" {
			t.Errorf("plan of %v after the comment (-want +got):\n%s", d, diff)
		}
	}
	got := lateApply(at(time.Minute), written)
	if reply, ok := got[1].(Reply); !ok || reply.Number != 7 {
		t.Errorf("a plan of a minute after the comment: %+v", got)
	}
}

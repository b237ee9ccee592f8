package tfrun

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestTrackerFollowsAnApply feeds the lines that Terraform writes.
func TestTrackerFollowsAnApply(t *testing.T) {
	var tr tracker
	o := newOutput(Spec{}, nil)
	told := false
	o.event = func(ev event) { told = tr.take(ev) }
	planned := func(address, action string) string {
		return fmt.Sprintf(`{"@level":"info","type":"planned_change","change":{"resource":{"addr":%q},"action":%q}}`, address, action)
	}
	hook := func(typ, address, action string, elapsed int) string {
		return fmt.Sprintf(`{"@level":"info","type":%q,"hook":{"resource":{"addr":%q},"action":%q,"elapsed_seconds":%d}}`, typ, address, action, elapsed)
	}
	for _, step := range []struct {
		line string
		tell bool
		want string // done/total address
		now  string
	}{
		{planned("a.new", "create"), false, "0/1 ", ""},
		{planned("a.other", "replace"), false, "0/3 ", ""},
		{planned("a.moved", "move"), false, "0/3 ", ""},
		{planned("a.same", "noop"), false, "0/3 ", ""},
		{planned("data.a.d", "read"), false, "0/4 ", ""},
		{hook("apply_start", "a.new", "create", 0), true, "0/4 a.new", "creating a.new"},
		{hook("apply_start", "a.other", "delete", 0), true, "0/4 a.new", "creating a.new, and 1 more"},
		{hook("apply_progress", "a.other", "delete", 10), true, "0/4 a.new", "creating a.new, and 1 more"},
		{hook("apply_progress", "a.new", "create", 70), true, "0/4 a.new", "creating a.new, for 1m10s, and 1 more"},
		{hook("apply_complete", "a.new", "create", 71), true, "1/4 a.other", "destroying a.other, for 10s"},
		{hook("apply_complete", "a.other", "delete", 12), true, "2/4 a.other", ""},
		{hook("apply_start", "a.other", "create", 0), true, "2/4 a.other", "creating a.other"},
		{hook("provision_progress", "a.other", "create", 0), false, "2/4 a.other", "creating a.other"},
		{hook("apply_errored", "a.other", "create", 1), true, "2/4 a.other", ""},
		{`{"@level":"info","type":"change_summary","changes":{"operation":"plan"}}`, false, "2/4 a.other", ""},
	} {
		if _, err := o.Write([]byte(step.line + "\n")); err != nil {
			t.Fatal(err)
		}
		p := tr.progress()
		if got := fmt.Sprintf("%d/%d %s", p.Done, p.Total, p.Address); got != step.want || p.Now() != step.now || told != step.tell {
			t.Errorf("after %s: %s, %q, told %v; want %s, %q, %v", step.line, got, p.Now(), told, step.want, step.now, step.tell)
		}
	}
	if got, want := tr.account(), " Done: a.new. Begun but not finished: a.other. Not begun: data.a.d."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if tr.complete {
		t.Error("a plan's summary ended the apply")
	}
	if _, err := o.Write([]byte(`{"@level":"info","type":"change_summary","changes":{"operation":"apply"}}` + "\n")); err != nil || !tr.complete {
		t.Error("the apply's summary did not")
	}
}

func TestTrackerTakesAnything(t *testing.T) {
	for _, planning := range []bool{false, true} {
		tr := tracker{planning: planning}
		o := newOutput(Spec{}, nil)
		o.event = func(ev event) { tr.take(ev) }
		for _, typ := range []string{
			"planned_change", "apply_start", "apply_progress", "apply_complete", "apply_errored", "change_summary", "",
			"refresh_start", "refresh_complete", "ephemeral_op_start", "ephemeral_op_progress", "ephemeral_op_complete",
		} {
			for _, rest := range []string{"", `,"hook":null`, `,"change":{}`, `,"hook":{}`, `,"change":{"resource":{"addr":"a.b"}}`, `,"hook":{"resource":{"addr":"a.b"}}`} {
				if _, err := o.Write([]byte(`{"@level":"info","type":"` + typ + `"` + rest + "}\n")); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestTrackerKnowsNothingYet(t *testing.T) {
	var tr tracker
	if p := tr.progress(); p != (Progress{}) || tr.account() != "" {
		t.Errorf("%+v %q", p, tr.account())
	}
	tr.expected = 5 // by the plan's JSON
	if p := tr.progress(); p != (Progress{Total: 5}) {
		t.Errorf("%+v", p)
	}
}

func TestAccountIsBounded(t *testing.T) {
	var tr tracker
	for i := range 1000 {
		tr.part(fmt.Sprintf("a.r[%d]", i)).steps++
	}
	if got := tr.account(); len(got) > 300 || !strings.HasSuffix(got, "a.r[9] and 990 more.") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}

// TestTrackerFollowsAPlan feeds the lines that Terraform writes of a plan. What
// it does not say, how long a refresh takes already, the clock does.
func TestTrackerFollowsAPlan(t *testing.T) {
	now := time.Unix(0, 0)
	tr := tracker{planning: true, guess: 4, now: func() time.Time { return now }}
	o := newOutput(Spec{}, nil)
	o.event = func(ev event) { tr.take(ev) }
	hook := func(typ, address, action string, elapsed int) string {
		return fmt.Sprintf(`{"@level":"info","type":%q,"hook":{"resource":{"addr":%q},"action":%q,"elapsed_seconds":%d}}`, typ, address, action, elapsed)
	}
	for _, step := range []struct {
		line   string
		counts string
		now    string
	}{
		{hook("refresh_start", "a.one", "", 0), "0 of about 4", "refreshing a.one, for 3s"},
		{hook("refresh_start", "a.two", "", 0), "0 of about 4", "refreshing a.one, for 6s, and 1 more"},
		{hook("refresh_complete", "a.one", "", 0), "1 of about 4", "refreshing a.two, for 6s"},
		{hook("apply_start", "data.a.slow", "read", 0), "1 of about 4", "refreshing a.two, for 9s, and 1 more"},
		{hook("refresh_complete", "a.two", "", 0), "2 of about 4", "reading data.a.slow, for 6s"},
		{hook("apply_progress", "data.a.slow", "read", 40), "2 of about 4", "reading data.a.slow, for 40s"},
		{hook("apply_complete", "data.a.slow", "read", 41), "3 of about 4", ""},
		{hook("ephemeral_op_start", "ephemeral.a.key", "open", 0), "3 of about 4", "opening ephemeral.a.key, for 3s"},
		{hook("ephemeral_op_complete", "ephemeral.a.key", "open", 0), "3 of about 4", ""},
		{`{"@level":"info","type":"resource_drift","change":{"resource":{"addr":"a.one"},"action":"update"}}`, "3 of about 4", ""},
		{`{"@level":"info","type":"planned_change","change":{"resource":{"addr":"a.one"},"action":"update"}}`, "4 done", ""}, // the guess was wrong
		{`{"@level":"info","type":"planned_change","change":{"resource":{"addr":"a.three"},"action":"create"}}`, "5 done", ""},
	} {
		if _, err := o.Write([]byte(step.line + "\n")); err != nil {
			t.Fatal(err)
		}
		now = now.Add(3 * time.Second)
		if p := tr.progress(); p.Counts() != step.counts || p.Now() != step.now {
			t.Errorf("after %s: %q, %q; want %q, %q", step.line, p.Counts(), p.Now(), step.counts, step.now)
		}
	}
	if tr.steps != 5 {
		t.Errorf("%d steps", tr.steps)
	}
}

func TestProgressInWords(t *testing.T) {
	for _, c := range []struct {
		p           Progress
		counts, now string
	}{
		{Progress{}, "", ""},
		{Progress{Step: "init"}, "", "terraform init"},
		{Progress{Step: "init", Quiet: 2 * time.Minute}, "", "no word from Terraform for 2m0s (last: terraform init)"},
		{Progress{Step: "plan"}, "", "terraform plan"},
		{Progress{Step: "plan", Done: 3, Address: "a.b"}, "3 done", ""},
		{Progress{Step: "plan", Done: 3, Address: "a.b", Quiet: 31 * time.Second}, "3 done", "no word from Terraform for 31s (last: a.b done)"},
		{Progress{Step: "plan", Done: 3, Total: 9, Guess: true, Address: "a.b", Doing: "reading", Elapsed: 40 * time.Second, Others: 2}, "3 of about 9", "reading a.b, for 40s, and 2 more"},
		{Progress{Step: "apply", Done: 3, Total: 9, Address: "a.b", Doing: "creating", Elapsed: 90 * time.Second, Quiet: 80 * time.Second}, "3/9", "no word from Terraform for 1m20s (last: creating a.b, for 1m30s)"},
		{Progress{Step: "show", Done: 9, Total: 9}, "9/9", "terraform show"},
		{Progress{Quiet: time.Minute}, "", "no word from Terraform for 1m0s"},
	} {
		if c.p.Counts() != c.counts || c.p.Now() != c.now {
			t.Errorf("%+v: %q, %q; want %q, %q", c.p, c.p.Counts(), c.p.Now(), c.counts, c.now)
		}
	}
}

package tfrun

import (
	"fmt"
	"strings"
	"testing"
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
		{hook("apply_start", "a.other", "delete", 0), true, "0/4 a.new", "creating a.new"},
		{hook("apply_progress", "a.other", "delete", 10), true, "0/4 a.new", "creating a.new"},
		{hook("apply_progress", "a.new", "create", 70), true, "0/4 a.new", "creating a.new, for 1m10s"},
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
	var tr tracker
	o := newOutput(Spec{}, nil)
	o.event = func(ev event) { tr.take(ev) }
	for _, typ := range []string{"planned_change", "apply_start", "apply_progress", "apply_complete", "apply_errored", "change_summary", ""} {
		for _, rest := range []string{"", `,"hook":null`, `,"change":{}`, `,"hook":{}`} {
			if _, err := o.Write([]byte(`{"@level":"info","type":"` + typ + `"` + rest + "}\n")); err != nil {
				t.Fatal(err)
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

package gate

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestRecord(t *testing.T) {
	r := Record{Act: ActApply, HeadSHA: "1111111111", BaseSHA: "2222222", PlanDigest: "d", StateSerial: 4, Verdicts: Evaluate(strict(), good()), At: time.Unix(1e9, 0).UTC()}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Record
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(r, back) {
		t.Fatalf("%v\n%+v\n%+v", err, r, back)
	}
	later := r
	later.At, later.Verdicts = time.Unix(2e9, 0), nil
	if !r.Open() || !r.Matches(later) {
		t.Errorf("open %v, changed: %v", r.Open(), r.Changed(later))
	}
	for name, change := range map[string]func(r *Record){
		"head commit was `1111111` and is `9999999`": func(r *Record) { r.HeadSHA = "99999999" },
		"base commit":                     func(r *Record) { r.BaseSHA = "9" },
		"plan's digest":                   func(r *Record) { r.PlanDigest = "e" },
		"serial was 4 and is 5":           func(r *Record) { r.StateSerial = 5 },
		"act":                             func(r *Record) { r.Act = ActDestroy },
		"digest was `d` and is not known": func(r *Record) { r.PlanDigest = "" },
	} {
		now := later
		change(&now)
		if got := r.Changed(now); len(got) != 1 || !strings.Contains(got[0], name) || r.Matches(now) {
			t.Errorf("%s: %v", name, got)
		}
	}
	if (Record{Act: ActApply}).Matches(Record{Act: ActApply}) {
		t.Error("what is not known matches")
	}
	plan := Record{Act: ActPlan, HeadSHA: "1", BaseSHA: "2"}
	if !plan.Matches(plan) {
		t.Errorf("a plan's record: %v", plan.Changed(plan))
	}
	r.Verdicts[0].Open = false
	if r.Open() {
		t.Error("open with a closed gate")
	}
}

package infracost_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/infracost"
	"github.com/tidelock/tidelock/planner/tfplan"
)

type object = map[string]any

// planOf is a plan of changes, with eu-west-1 as its region.
func planOf(t testing.TB, changes ...object) *tfplan.Plan {
	t.Helper()
	text, err := json.Marshal(object{
		"format_version": "1.2", "terraform_version": "1.9.8", "resource_changes": changes,
		"configuration": object{
			"provider_config": object{"aws": object{"name": "aws", "expressions": object{"region": object{"constant_value": "eu-west-1"}}}},
			"root_module":     object{},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := tfplan.ParsePlan(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// change is an entry of a plan; before and after are nil where there is none.
func change(typ, name string, before, after, unknown object) object {
	actions := []string{"update"}
	switch {
	case before == nil:
		actions = []string{"create"}
	case after == nil:
		actions = []string{"delete"}
	case fmt.Sprint(before) == fmt.Sprint(after) && len(unknown) == 0:
		actions = []string{"no-op"}
	}
	body := object{"actions": actions, "before": nil, "after": nil, "after_unknown": object{}}
	if before != nil {
		body["before"] = before
	}
	if after != nil {
		body["after"] = after
		body["after_unknown"] = unknown
	}
	return object{"address": typ + "." + name, "mode": "managed", "type": typ, "name": name, "provider_name": "registry.terraform.io/hashicorp/aws", "change": body}
}

// randomPlan has resources of every status, in every action.
func randomPlan(t testing.TB, r *rand.Rand) *tfplan.Plan {
	kinds := []struct {
		typ  string
		make func() (values, unknown object)
	}{
		{"aws_instance", func() (object, object) {
			v := object{"instance_type": []string{"m5.large", "t3.medium", "x99.mega"}[r.IntN(3)], "root_block_device": []object{{"volume_type": "gp3", "volume_size": 8 + r.IntN(500)}}}
			if r.IntN(5) == 0 {
				delete(v, "instance_type")
				return v, object{"instance_type": true}
			}
			return v, object{}
		}},
		{"aws_ebs_volume", func() (object, object) {
			return object{"type": []string{"gp2", "gp3", "zz1"}[r.IntN(3)], "size": 1 + r.IntN(1000)}, object{}
		}},
		{"aws_s3_bucket", func() (object, object) { return object{"bucket": fmt.Sprint("b", r.IntN(3))}, object{} }},
		{"aws_vpc", func() (object, object) { return object{"cidr_block": "10.0.0.0/16"}, object{} }},
		{"aws_never_heard_of", func() (object, object) { return object{"size": r.IntN(2)}, object{} }},
	}
	var changes []object
	for i := range 1 + r.IntN(12) {
		k := kinds[r.IntN(len(kinds))]
		before, _ := k.make()
		after, unknown := k.make()
		if len(before) < len(after) { // what is there is known
			before = after
		}
		switch r.IntN(4) {
		case 0:
			before = nil
		case 1:
			after = nil
		case 2:
			after, unknown = before, object{}
		}
		changes = append(changes, change(k.typ, fmt.Sprint("r", i), before, after, unknown))
	}
	return planOf(t, changes...)
}

// TestRoundTrip: estimates of random plans are written as files of the format,
// whose sums hold, and read again with the same totals and the same doubts.
func TestRoundTrip(t *testing.T) {
	catalog, err := cost.NewCatalog()
	if err != nil {
		t.Fatal(err)
	}
	usage, err := cost.ReadUsage("usage.yml", []byte("version: 0.1\nresource_type_default_usage:\n  aws_s3_bucket:\n    standard:\n      storage_gb: 1234.5\n"))
	if err != nil {
		t.Fatal(err)
	}
	f := readFormat(t)
	seen := map[cost.Status]int{}
	bounds := map[cost.Bound]int{}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		plan := randomPlan(t, r)
		opts := cost.Options{HoursPerMonth: []int{730, 744, 100}[r.IntN(3)]}
		if r.IntN(2) == 0 {
			opts.Usage = usage
		}
		e, err := catalog.Estimate(plan, opts)
		if err != nil {
			t.Fatal(err)
		}
		data := write(t, infracost.New([]infracost.Named{{Name: "p", Path: "plan.json", Estimate: e, Plan: plan}}, infracost.Metadata{}, time.Unix(1e9, 0)))
		f.check(t, data)
		root := read(t, data)
		p := root.Projects[0]
		for name, sums := range map[string][2]decimal.Decimal{
			"before": {p.PastBreakdown.TotalMonthlyCost.Decimal, e.Before}, "after": {p.Breakdown.TotalMonthlyCost.Decimal, e.After}, "delta": {p.Diff.TotalMonthlyCost.Decimal, e.Delta},
			"the whole": {root.DiffTotalMonthlyCost.Decimal, e.Delta},
		} {
			if !sums[0].Equal(sums[1]) {
				t.Errorf("seed %d: %s is %s in the file, %s in the estimate\n%s", seed, name, sums[0], sums[1], data)
			}
		}
		got := root.Estimate(p)
		if !got.Before.Equal(e.Before) || !got.After.Equal(e.After) || !got.Delta.Equal(e.Delta) {
			t.Errorf("seed %d: %s → %s, read as %s → %s", seed, e.Before, e.After, got.Before, got.After)
		}
		if !e.After.IsZero() && got.Hours != e.Hours {
			t.Errorf("seed %d: %d hours, read as %d", seed, e.Hours, got.Hours)
		}
		// The format does not count what is free or unsupported and goes away,
		// and does not say whether what it only counts is touched.
		if !slices.ContainsFunc(e.Resources, func(r cost.ResourceCost) bool {
			return r.Status == cost.StatusUnsupported || r.Status == cost.StatusFree && r.Action == tfplan.ActionDelete
		}) {
			if got.AtLeast != e.AtLeast || got.Bound != e.Bound || got.Counts != e.Counts {
				t.Errorf("seed %d: %v %s %+v, read as %v %s %+v\n%s", seed, e.AtLeast, e.Bound, e.Counts, got.AtLeast, got.Bound, got.Counts, data)
			}
		}
		read := map[string]cost.ResourceCost{}
		for _, r := range got.Resources {
			read[r.Address] = r
		}
		for _, r := range e.Resources {
			seen[r.Status]++
			if r.Status == cost.StatusFree || r.Status == cost.StatusUnsupported {
				continue
			}
			if o := read[r.Address]; o.Status != r.Status || o.Action != r.Action || (o.Delta == nil) != (r.Delta == nil) || o.Delta != nil && !o.Delta.Equal(*r.Delta) {
				t.Errorf("seed %d: %s is %s %s %v, read as %s %s %v", seed, r.Address, r.Action, r.Status, r.Delta, o.Action, o.Status, o.Delta)
			}
		}
		bounds[e.Bound]++
	}
	for _, s := range []cost.Status{cost.StatusPriced, cost.StatusFree, cost.StatusUsage, cost.StatusPartial, cost.StatusNoPrice, cost.StatusUnknown, cost.StatusUnsupported} {
		if seen[s] == 0 && s != cost.StatusUnknown { // a root volume is priced beside it
			t.Errorf("no plan has a resource that is %s", s)
		}
	}
	if len(bounds) != 4 {
		t.Errorf("the plans' bounds are %v", bounds)
	}
}

// TestFailedIsNotZero: an estimate that could not be made is written with its
// error, and read as not known.
func TestFailedIsNotZero(t *testing.T) {
	plan := planOf(t, change("aws_instance", "a", nil, object{"instance_type": "m5.large"}, object{}))
	e := cost.Unestimated(plan, cost.Options{}, "The service is away.")
	data := write(t, infracost.New([]infracost.Named{{Name: "p", Estimate: e, Plan: plan}}, infracost.Metadata{}, time.Now()))
	readFormat(t).check(t, data)
	root := read(t, data)
	got := root.Estimate(root.Projects[0])
	if got.Failed != "The service is away." || !got.AtLeast || got.Bound != cost.BoundPartial || got.Line() != "cost not known" {
		t.Errorf("%+v: %s", got, got.Line())
	}
}

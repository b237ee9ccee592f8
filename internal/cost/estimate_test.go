package cost

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/planner/tfplan"
)

func instance(typ string) object {
	return object{"instance_type": typ, "root_block_device": []any{object{"volume_type": "gp3", "volume_size": 10}}}
}

func TestBothSidesArePriced(t *testing.T) {
	// m5.large 70.08, m5.xlarge 140.16, the root volume 0.80 on either side.
	for _, c := range []struct {
		actions              string
		before, after        object
		wantBefore, wantDiff string
		line                 string
	}{
		{"create", nil, instance("m5.large"), "0", "70.88", "+$70.88 a month"},
		{"update", instance("m5.large"), instance("m5.xlarge"), "70.88", "70.08", "+$70.08 a month, +99\u00a0%"},
		{"delete,create", instance("m5.xlarge"), instance("m5.large"), "140.96", "-70.08", "-$70.08 a month, -50\u00a0%"},
		{"create,delete", instance("m5.large"), instance("m5.xlarge"), "70.88", "70.08", "+$70.08 a month, +99\u00a0%"},
		{"delete", instance("m5.large"), nil, "70.88", "-70.88", "-$70.88 a month, -100\u00a0%"},
		{"no-op", instance("m5.large"), instance("m5.large"), "70.88", "0", "no change in cost"},
		{"forget", instance("m5.large"), nil, "70.88", "0", "no change in cost"},
	} {
		e := estimate(t, planOf(t, virginia, change{address: "aws_instance.x", actions: c.actions, before: c.before, after: c.after, conf: object{}}))
		if e.Before.String() != c.wantBefore || e.Delta.String() != c.wantDiff || e.Line() != c.line {
			t.Errorf("%s: before %s, delta %s, %q; want %s, %s, %q", c.actions, e.Before, e.Delta, e.Line(), c.wantBefore, c.wantDiff, c.line)
		}
		r := only(t, e)
		if changed := c.actions == "update" || strings.Contains(c.actions, ","); (r.Was != nil) != changed {
			t.Errorf("%s: components before: %v", c.actions, r.Was)
		}
	}
}

func TestBounds(t *testing.T) {
	priced := change{address: "aws_instance.a", actions: "create", after: instance("m5.large"), conf: object{}}
	odd := func(name, actions string, before, after object) change {
		return change{address: "aws_odd." + name, actions: actions, before: before, after: after, conf: object{}}
	}
	for _, c := range []struct {
		name    string
		others  []change
		bound   Bound
		atLeast bool
		line    string
	}{
		{"nothing left out", nil, BoundExact, false, "+$70.88 a month"},
		{"an unpriced thing stays", []change{odd("b", "no-op", object{"n": 1}, object{"n": 1})}, BoundExact, true, "+$70.88 a month"},
		{"an unpriced thing comes", []change{odd("b", "create", nil, object{"n": 1})}, BoundAtLeast, true, "at least +$70.88 a month"},
		{"an unpriced thing goes", []change{odd("b", "delete", object{"n": 1}, nil)}, BoundAtMost, true, "at most +$70.88 a month"},
		{"one comes, one goes", []change{odd("b", "create", nil, object{}), odd("c", "delete", object{}, nil)}, BoundPartial, true, "+$70.88 a month, as far as priced"},
		{"an unpriced thing changes", []change{odd("b", "update", object{"n": 1}, object{"n": 2})}, BoundPartial, true, "+$70.88 a month, as far as priced"},
	} {
		e := estimate(t, planOf(t, virginia, append(c.others, priced)...))
		if e.Bound != c.bound || e.AtLeast != c.atLeast || e.Line() != c.line || e.Delta.String() != "70.88" {
			t.Errorf("%s: %s, at least %v, %q, delta %s; want %s, %v, %q", c.name, e.Bound, e.AtLeast, e.Line(), e.Delta, c.bound, c.atLeast, c.line)
		}
	}
	// A percentage needs to know all of what was before.
	e := estimate(t, planOf(t, virginia, priced, odd("b", "no-op", object{}, object{}), change{address: "aws_nat_gateway.n", actions: "no-op", before: object{}, after: object{}, conf: object{}}))
	if e.Line() != "+$70.88 a month" {
		t.Errorf("with a part of the amount before unknown: %q", e.Line())
	}
	none := estimate(t, planOf(t, virginia, odd("b", "create", nil, object{})))
	if none.Line() != "cost not known" {
		t.Errorf("nothing priced reads %q", none.Line())
	}
	free := estimate(t, planOf(t, virginia, change{address: "aws_iam_role.r", actions: "create", after: object{}, conf: object{}}))
	if free.Line() != "no cost" {
		t.Errorf("nothing but free things reads %q", free.Line())
	}
	used := estimate(t, planOf(t, virginia, change{address: "aws_s3_bucket.b", actions: "create", after: object{}, conf: object{}}))
	if used.Line() != "no fixed cost" {
		t.Errorf("nothing but what is paid by use reads %q", used.Line())
	}
}

// A change of which one side can't be priced must not look like a saving, or
// like a cost.
func TestOneUnpricedSideIsLeftOut(t *testing.T) {
	e := estimate(t, planOf(t, virginia,
		change{address: "aws_instance.x", actions: "update", before: instance("m5.large"), after: instance("m99.large"), conf: object{}},
		change{address: "aws_ebs_volume.v", actions: "update", before: object{"availability_zone": "us-east-1a", "type": "gp3", "size": 10}, after: object{"availability_zone": "us-east-1a", "type": "gp3"}, unknown: object{"size": true}, conf: object{}},
		change{address: "aws_nat_gateway.n", actions: "create", after: object{}, conf: object{}},
	))
	if e.Delta.String() != "32.85" || e.Before.String() != "0" || e.Bound != BoundPartial || e.Counts.NotPriced != 2 {
		t.Errorf("delta %s, before %s, %s, %+v", e.Delta, e.Before, e.Bound, e.Counts)
	}
	for _, r := range e.Resources {
		if r.Address != "aws_nat_gateway.n" && r.Delta != nil {
			t.Errorf("%s: delta %s", r.Address, r.Delta)
		}
	}
}

// What can't be priced but is the same before and after cancels: in a region
// without prices of volumes, the price of the machine still tells.
func TestUnpricedPartsCancel(t *testing.T) {
	oregon := in("us-west-2", "us-central1")
	e := estimate(t, planOf(t, oregon, change{address: "aws_instance.x", actions: "update", before: instance("m5.large"), after: instance("m5.xlarge"), conf: object{}}))
	r := only(t, e)
	if r.Status != StatusPartial || r.Delta == nil || r.Delta.String() != "70.08" || e.Bound != BoundExact || !e.AtLeast {
		t.Errorf("%+v\n%s", r, e.Bound)
	}
	if !strings.Contains(r.Note, "us-west-2") {
		t.Errorf("note %q doesn't say where", r.Note)
	}
	grown := object{"instance_type": "m5.large", "root_block_device": []any{object{"volume_type": "gp3", "volume_size": 20}}}
	e = estimate(t, planOf(t, oregon, change{address: "aws_instance.x", actions: "update", before: instance("m5.large"), after: grown, conf: object{}}))
	if r := only(t, e); r.Delta != nil || e.Bound != BoundPartial {
		t.Errorf("a volume without a price grew, and the delta is %v, %s", r.Delta, e.Bound)
	}
	// What has no SKU can't be compared by it.
	io2 := func(iops int) object {
		return object{"engine": "mysql", "instance_class": "db.t3.micro", "storage_type": "io2", "allocated_storage": 100, "iops": iops}
	}
	e = estimate(t, planOf(t, virginia, change{address: "aws_db_instance.x", actions: "update", before: io2(1000), after: io2(2000), conf: object{}}))
	if r := only(t, e); r.Delta != nil {
		t.Errorf("speed without a price doubled, and the delta is %s", r.Delta)
	}
}

func TestCounts(t *testing.T) {
	e := estimate(t, planOf(t, virginia,
		change{address: "aws_instance.x", actions: "create", after: instance("m5.large"), conf: object{}},
		change{address: "aws_nat_gateway.x", actions: "no-op", before: object{}, after: object{}, conf: object{}},
		change{address: "aws_iam_role.x", actions: "create", after: object{}, conf: object{}},
		change{address: "aws_vpc.x", actions: "no-op", before: object{}, after: object{}, conf: object{}},
		change{address: "aws_s3_bucket.x", actions: "create", after: object{}, conf: object{}},
		change{address: "aws_odd.x", actions: "create", after: object{}, conf: object{}},
		change{address: "aws_ebs_volume.x", actions: "create", after: object{}, unknown: object{"size": true}, conf: object{}},
	))
	if got, want := e.Header(), "priced 2 of 7; 2 free; 1 by use; 2 not priced"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if len(e.Resources) != 6 {
		t.Errorf("%d resources listed; the free one that stays is only counted", len(e.Resources))
	}
	if got, want := e.Totals(), "at least $103.73 a month, before $32.85"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestDataSourcesCostNothing(t *testing.T) {
	p := planOf(t, virginia, change{address: "aws_instance.x", actions: "create", after: instance("m5.large"), conf: object{}})
	p.Changes = append(p.Changes, tfplan.Change{Address: "data.aws_instance.y", Mode: "data", Type: "aws_instance", Action: tfplan.ActionRead, After: instance("m5.large")})
	if e := estimate(t, p); e.Counts.Total != 1 {
		t.Errorf("%+v", e.Counts)
	}
}

func TestPricesHaveTheirDates(t *testing.T) {
	e := estimate(t, planOf(t, virginia, change{address: "aws_instance.x", actions: "create", after: instance("m5.large"), conf: object{}}))
	if e.AsOf != "2024-04 to 2026-07-20" || len(e.Sources) != 2 {
		t.Errorf("as of %q from %q", e.AsOf, e.Sources)
	}
	e = estimate(t, planOf(t, virginia, change{address: "google_compute_disk.x", actions: "create", after: object{"zone": "us-central1-a", "type": "pd-ssd", "size": 1}, conf: object{}}))
	if e.AsOf != "2026-07-30" {
		t.Errorf("as of %q", e.AsOf)
	}
}

func TestHoursPerMonth(t *testing.T) {
	p := planOf(t, virginia, change{address: "aws_nat_gateway.x", actions: "create", after: object{}, conf: object{}})
	e, err := catalog(t).Estimate(p, Options{HoursPerMonth: 744})
	if err != nil || e.After.String() != "33.48" || e.Hours != 744 {
		t.Errorf("%s in %d hours, %v; want 744 × 0.045", e.After, e.Hours, err)
	}
}

// The price of n is n times the price, for whatever can be had n times.
func TestPriceOfMany(t *testing.T) {
	for _, c := range []struct {
		typ  string
		many func(n int) object
	}{
		{"aws_eks_node_group", func(n int) object {
			return object{"scaling_config": []any{object{"desired_size": n}}, "instance_types": []any{"m5.large"}, "disk_size": 33}
		}},
		{"aws_elasticache_cluster", func(n int) object {
			return object{"engine": "valkey", "node_type": "cache.t3.micro", "num_cache_nodes": n}
		}},
		{"aws_ebs_volume", func(n int) object {
			return object{"availability_zone": "us-east-1a", "type": "io1", "size": 7 * n, "iops": 130 * n}
		}},
		{"azurerm_linux_virtual_machine_scale_set", func(n int) object {
			return object{"location": "eastus", "sku": "Standard_B2s", "instances": n, "os_disk": []any{object{"storage_account_type": "Premium_LRS", "disk_size_gb": 30}}}
		}},
		{"google_container_node_pool", func(n int) object {
			return object{"location": "europe-west1-b", "node_count": n, "node_config": []any{object{"machine_type": "e2-medium", "disk_type": "pd-balanced", "disk_size_gb": 77}}}
		}},
	} {
		price := func(n int) decimal.Decimal {
			e := estimate(t, planOf(t, virginia, change{address: c.typ + ".x", actions: "create", after: c.many(n), conf: object{}}))
			if e.Counts.Priced != 1 {
				t.Fatalf("%s: %+v", c.typ, e.Resources)
			}
			return e.After
		}
		one := price(1)
		for _, n := range []int{0, 2, 3, 17, 999} {
			if got, want := price(n), one.Mul(decimal.NewFromInt(int64(n))); !got.Equal(want) {
				t.Errorf("%s: %d cost %s, want %s", c.typ, n, got, want)
			}
		}
	}
}

// What Terraform marks as sensitive is priced and not told.
func TestThreat_SensitiveValuesDoNotShow(t *testing.T) {
	secret := object{"instance_type": "m5.large", "root_block_device": []any{object{"volume_type": "gp3", "volume_size": 10}}}
	e := estimate(t, planOf(t, virginia,
		change{address: "aws_instance.x", actions: "create", after: secret, hidden: object{"instance_type": true}, conf: object{}},
		change{address: "aws_instance.y", actions: "create", after: object{"instance_type": "x9.secret"}, hidden: object{"instance_type": true}, conf: object{}},
	))
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "m5.large") || strings.Contains(string(text), "x9.secret") {
		t.Errorf("a sensitive value shows in %s", text)
	}
	if e.Resources[0].Status != StatusPriced {
		t.Errorf("a sensitive value isn't priced: %+v", e.Resources[0])
	}
}

// A plan is somebody else's text: whatever stands in it, an estimate comes
// out, quickly and with no absurd number in it.
func TestThreat_AbsurdValues(t *testing.T) {
	for _, v := range []any{
		json.Number("1e999999999"), json.Number("-5"), json.Number("1e13"), json.Number("0.0000000000000000000000000000000000001"),
		"ten", true, []any{}, object{}, strings.Repeat("9", 1<<16), json.Number("1e-999999999"),
	} {
		for typ, after := range map[string]object{
			"aws_ebs_volume":               {"availability_zone": "us-east-1a", "type": "gp3", "size": v},
			"aws_instance":                 {"instance_type": v, "root_block_device": v, "ebs_block_device": []any{v, nil, object{"volume_size": v}}},
			"aws_autoscaling_group":        {"desired_capacity": v, "launch_template": v},
			"aws_vpc_endpoint":             {"vpc_endpoint_type": "Interface", "subnet_ids": v},
			"aws_eks_node_group":           {"scaling_config": []any{object{"desired_size": v}}, "instance_types": v},
			"azurerm_managed_disk":         {"location": v, "storage_account_type": "Standard_LRS", "disk_size_gb": v},
			"azurerm_kubernetes_cluster":   {"location": "eastus", "default_node_pool": v},
			"google_compute_instance":      {"zone": v, "machine_type": v, "boot_disk": v, "network_interface": v, "guest_accelerator": v},
			"google_sql_database_instance": {"region": "us-central1", "database_version": v, "settings": v},
		} {
			e := estimate(t, planOf(t, virginia, change{address: typ + ".x", actions: "create", after: after, conf: object{}}))
			if e.After.GreaterThan(decimal.New(1, 3)) || e.After.IsNegative() {
				t.Errorf("%s with %.20v costs %s", typ, v, e.After)
			}
		}
	}
}

func TestPlanJSONThatCanNotBeRead(t *testing.T) {
	for _, raw := range []string{`{"variables": 3}`, `{"configuration": {"root_module": []}}`, `{`} {
		if _, err := catalog(t).Estimate(&tfplan.Plan{Raw: json.RawMessage(raw)}, Options{}); err == nil {
			t.Errorf("%s was read", raw)
		}
	}
}

func TestMoney(t *testing.T) {
	for _, c := range []struct{ amount, currency, money, signed string }{
		{"0", "USD", "$0.00", "$0.00"},
		{"412.3", "USD", "$412.30", "+$412.30"},
		{"-3", "USD", "-$3.00", "-$3.00"},
		{"1234567.891", "USD", "$1,234,567.89", "+$1,234,567.89"},
		{"999.995", "USD", "$1,000.00", "+$1,000.00"},
		{"100", "EUR", "EUR 100.00", "+EUR 100.00"},
		{"0.001", "USD", "$0.0010", "+$0.0010"},
		{"-0.00001", "USD", "-$0.0001", "-$0.0001"},
	} {
		d := decimal.RequireFromString(c.amount)
		if m, s := Money(d, c.currency), Signed(d, c.currency); m != c.money || s != c.signed {
			t.Errorf("%s = %q, %q; want %q, %q", c.amount, m, s, c.money, c.signed)
		}
	}
}

func BenchmarkEstimate(b *testing.B) {
	for _, n := range []int{20, 10000} {
		b.Run(fmt.Sprintf("resources=%d", n), func(b *testing.B) {
			var cs []change
			for i := range n {
				switch i % 4 {
				case 0:
					cs = append(cs, change{address: fmt.Sprintf("aws_instance.x%d", i), actions: "create", after: instance("m5.large"), conf: object{}})
				case 1:
					cs = append(cs, change{address: fmt.Sprintf("aws_ebs_volume.x%d", i), actions: "update", before: object{"availability_zone": "us-east-1a", "type": "gp2", "size": i + 1}, after: object{"availability_zone": "us-east-1a", "type": "gp3", "size": i + 1}, conf: object{}})
				case 2:
					cs = append(cs, change{address: fmt.Sprintf("aws_security_group.x%d", i), actions: "no-op", before: object{}, after: object{}, conf: object{}})
				default:
					cs = append(cs, change{address: fmt.Sprintf("google_compute_disk.x%d", i), actions: "create", after: object{"zone": "us-central1-a", "type": "pd-ssd", "size": i}, conf: object{}})
				}
			}
			p := planOf(b, virginia, cs...)
			c := catalog(b)
			b.SetBytes(int64(len(p.Raw)))
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				if _, err := c.Estimate(p, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNewCatalog(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		if _, err := NewCatalog(); err != nil {
			b.Fatal(err)
		}
	}
}

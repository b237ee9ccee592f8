package cost

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

func of(t testing.TB, e Estimate, address string) ResourceCost {
	t.Helper()
	for _, r := range e.Resources {
		if r.Address == address {
			return r
		}
	}
	t.Fatalf("no %s in the estimate", address)
	return ResourceCost{}
}

// A group without a size of its own has as many instances as its autoscaler
// keeps, whichever of the two refers to the other.
func TestGroupWithAutoscaler(t *testing.T) {
	template := change{address: "google_compute_instance_template.t", actions: "create", after: object{"machine_type": "n1-standard-1", "disk": []any{object{"disk_type": "pd-ssd", "disk_size_gb": 20}}}, unknown: object{"self_link": true}, conf: object{}}
	for _, typ := range []string{"google_compute_instance_group_manager", "google_compute_region_instance_group_manager"} {
		where, scaler := object{"zone": "us-central1-a"}, "google_compute_autoscaler.a"
		if strings.Contains(typ, "region") {
			where, scaler = object{"region": "us-central1"}, "google_compute_region_autoscaler.a"
		}
		group := change{
			address: typ + ".g", actions: "create", after: object{"version": []any{object{}}},
			unknown: object{"self_link": true, "id": true, "target_size": true},
			conf:    object{"version": []any{object{"instance_template": refs("google_compute_instance_template.t.self_link", "google_compute_instance_template.t")}}},
		}
		for k, v := range where {
			group.after[k] = v
		}
		e := estimate(t, planOf(t, virginia, template, group, change{
			address: scaler, actions: "create", after: object{"autoscaling_policy": []any{object{"min_replicas": 3, "max_replicas": 9}}}, unknown: object{"target": true},
			conf: object{"target": refs(typ+".g.id", typ+".g")},
		}))
		r := of(t, e, typ+".g")
		if want := work(t, "3 × (730 × 0.04749975 + 20 × 0.17)"); r.After == nil || !r.After.Equal(want) || !slices.Contains(r.Assumed, "as many instances as the autoscaler's minimum") {
			t.Errorf("%s: %+v, want %s", typ, r, want)
		}
		if r := of(t, estimate(t, planOf(t, virginia, template, group)), typ+".g"); r.Status != StatusUnknown {
			t.Errorf("%s without an autoscaler: %+v", typ, r)
		}
	}
}

// A node group takes its machines and disks from its launch template.
func TestNodeGroupWithTemplate(t *testing.T) {
	lt := template(object{"instance_type": "m5.xlarge", "block_device_mappings": []any{object{"ebs": []any{object{"volume_type": "gp3", "volume_size": 50}}}}})
	group := change{
		address: "aws_eks_node_group.g", actions: "create", after: object{"scaling_config": []any{object{"min_size": 2, "max_size": 5}}, "launch_template": []any{object{}}},
		unknown: object{"launch_template": []any{object{"id": true}}, "instance_types": true},
		conf:    object{"launch_template": []any{object{"id": refs("aws_launch_template.t.id", "aws_launch_template.t")}}},
	}
	r := of(t, estimate(t, planOf(t, virginia, lt, group)), "aws_eks_node_group.g")
	if want := work(t, "2 × (730 × 0.192 + 50 × 0.08)"); r.After == nil || !r.After.Equal(want) {
		t.Errorf("%+v, want %s", r, want)
	}
}

// Capacity in weights: six units of capacity are three instances of weight 2.
func TestMixedGroupWithWeights(t *testing.T) {
	group := change{
		address: "aws_autoscaling_group.g", actions: "create", conf: object{"mixed_instances_policy": []any{object{"launch_template": []any{object{"launch_template_specification": []any{object{"launch_template_id": refs("aws_launch_template.t.id", "aws_launch_template.t")}}}}}}},
		after: object{"desired_capacity": 5, "mixed_instances_policy": []any{object{
			"launch_template": []any{object{"launch_template_specification": []any{object{}}, "override": []any{object{"instance_type": "m5.large", "weighted_capacity": "2"}}}},
		}}},
	}
	lt := template(object{"instance_type": "t3.micro", "block_device_mappings": []any{object{"ebs": []any{object{"volume_type": "gp3", "volume_size": 10}}}}})
	r := of(t, estimate(t, planOf(t, virginia, lt, group)), "aws_autoscaling_group.g")
	if want := work(t, "3 × (730 × 0.096 + 10 × 0.08)"); r.After == nil || !r.After.Equal(want) {
		t.Errorf("%+v, want %s", r, want)
	}
}

// What the plan does not know may stand in the configuration: as a constant,
// as a variable, as the argument of another resource. The line says whence.
func TestUnknownValuesAreLookedUp(t *testing.T) {
	db := object{"engine": "postgres", "allocated_storage": 100, "storage_type": "gp2"}
	main := change{address: "aws_db_instance.main", actions: "create", after: object{"engine": "postgres", "allocated_storage": 100, "storage_type": "gp2", "instance_class": "db.m5.large"}, conf: object{}}
	for _, c := range []struct {
		name    string
		conf    object
		assumed string // "" for not known
	}{
		{"constant", object{"instance_class": constantly("db.m5.large")}, "instance_class as the configuration sets it"},
		{"another resource's", object{"instance_class": refs("aws_db_instance.main.instance_class", "aws_db_instance.main")}, "instance_class as that of aws_db_instance.main"},
		{"something made of two", object{"instance_class": refs("var.a", "var.b")}, ""},
		{"a resource that isn't there", object{"instance_class": refs("aws_db_instance.other.instance_class", "aws_db_instance.other")}, ""},
		{"what the other does not know itself", object{"instance_class": refs("aws_db_instance.main.resource_id", "aws_db_instance.main")}, ""},
	} {
		e := estimate(t, planOf(t, virginia, main, change{address: "aws_db_instance.copy", actions: "create", after: db, unknown: object{"instance_class": true}, conf: c.conf}))
		r := of(t, e, "aws_db_instance.copy")
		if c.assumed == "" {
			if r.Status != StatusPartial || !strings.Contains(r.Note, "instance_class") {
				t.Errorf("%s: %+v", c.name, r)
			}
			continue
		}
		if want := work(t, "730 × 0.178 + 100 × 0.115"); r.Status != StatusPriced || !r.After.Equal(want) || !slices.Contains(r.Assumed, c.assumed) || !slices.Contains(r.Components[0].Assumed, c.assumed) {
			t.Errorf("%s: %+v, want %s", c.name, r, want)
		}
	}
}

// A value that another resource keeps secret stays secret where it is used.
func TestThreat_LookedUpSecretsDoNotShow(t *testing.T) {
	e := estimate(t, planOf(t, virginia,
		change{address: "aws_db_instance.main", actions: "create", after: object{"engine": "postgres", "allocated_storage": 100, "storage_type": "gp2", "instance_class": "db.secret.large"}, hidden: object{"instance_class": true}, conf: object{}},
		change{address: "aws_db_instance.copy", actions: "create", after: object{"engine": "postgres", "allocated_storage": 100, "storage_type": "gp2"}, unknown: object{"instance_class": true}, conf: object{"instance_class": refs("aws_db_instance.main.instance_class", "aws_db_instance.main")}},
	))
	if r := of(t, e, "aws_db_instance.copy"); strings.Contains(r.Note, "secret") {
		t.Errorf("%+v", r)
	}
}

func TestSustainedUse(t *testing.T) {
	machine := func(name, typ string, spot bool) change {
		return change{address: "google_compute_instance." + name, actions: "create", after: object{"zone": "us-central1-a", "machine_type": typ, "boot_disk": []any{object{"source": "d"}}, "scheduling": []any{object{"preemptible": spot}}}, conf: object{}}
	}
	p := planOf(t, virginia, machine("n1", "n1-standard-1", false), machine("n2", "n2-standard-2", false), machine("e2", "e2-medium", false), machine("spot", "n1-standard-1", true))
	full := estimate(t, p)
	e, err := catalog(t).Estimate(p, Options{SustainedUse: true})
	if err != nil {
		t.Fatal(err)
	}
	check(t, e)
	got := map[string]string{}
	for i, r := range e.Resources {
		got[r.Address] = r.After.Div(*full.Resources[i].After).StringFixed(2)
	}
	want := map[string]string{
		"google_compute_instance.n1": "0.70", "google_compute_instance.n2": "0.80",
		"google_compute_instance.e2": "1.00", "google_compute_instance.spot": "1.00",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if c := of(t, e, "google_compute_instance.n1").Components[0]; !strings.Contains(c.Detail, "30 %") || !c.Price.Equal(work(t, "0.04749975 × 0.7")) {
		t.Errorf("%+v", c)
	}
}

// Every status is counted once, and the header sums them up.
func TestStatusesAreCounted(t *testing.T) {
	e := estimate(t, planOf(t, virginia,
		change{address: "aws_nat_gateway.priced", actions: "create", after: object{}, conf: object{}},
		change{address: "aws_iam_role.free", actions: "create", after: object{}, conf: object{}},
		change{address: "aws_s3_bucket.used", actions: "create", after: object{}, conf: object{}},
		change{address: "aws_instance.partial", actions: "create", after: object{"instance_type": "m99.large"}, conf: object{}},
		change{address: "aws_route53_health_check.no_price", actions: "create", after: object{}, conf: object{}},
		change{address: "aws_db_instance.unknown", actions: "create", after: object{"engine": "postgres"}, unknown: object{"instance_class": true, "allocated_storage": true}, conf: object{}},
		change{address: "aws_quantum_annealer.unsupported", actions: "create", after: object{}, conf: object{}},
	))
	want := Counts{Priced: 1, Free: 1, Usage: 1, NotPriced: 4, Total: 7, Partial: 1, NoPrice: 1, Unknown: 1, Unsupported: 1}
	if d := cmp.Diff(want, e.Counts); d != "" {
		t.Error(d)
	}
	if got := e.Header(); got != "priced 1 of 7; 1 free; 1 by use; 4 not priced" {
		t.Error(got)
	}
	for _, r := range e.Resources {
		if zero := r.After != nil && r.After.IsZero(); zero && r.Status != StatusFree && r.Status != StatusUsage {
			t.Errorf("%s is shown as zero, and is %s", r.Address, r.Status)
		}
	}
	sum := e.Plus(e).Counts
	if sum.Unsupported != 2 || sum.Partial != 2 || sum.NoPrice != 2 || sum.Unknown != 2 {
		t.Errorf("the sum of two is %+v", sum)
	}
	if !e.After.Equal(work(t, "730 × 0.045 + 8 × 0.1")) || e.Totals()[:8] != "at least" {
		t.Errorf("%s, %s", e.After, e.Totals())
	}
}

// Amounts by use are summed over projects too.
func TestPlusByUse(t *testing.T) {
	a := Estimate{ByUse: &Amounts{After: decimal.NewFromInt(3), Delta: decimal.NewFromInt(3)}}
	if got := a.Plus(Estimate{}); got.ByUse == nil || !got.ByUse.After.Equal(decimal.NewFromInt(3)) {
		t.Errorf("%+v", got.ByUse)
	}
	if got := a.Plus(a); !got.ByUse.Delta.Equal(decimal.NewFromInt(6)) || !a.ByUse.Delta.Equal(decimal.NewFromInt(3)) {
		t.Errorf("%+v; what was added to is %+v", got.ByUse, a.ByUse)
	}
}

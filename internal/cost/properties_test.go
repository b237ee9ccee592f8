package cost

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/planner/tfplan"
)

// many copies of every example that stands by itself.
func estate(t testing.TB, each int) []change {
	t.Helper()
	var cs []change
	for _, x := range examples() {
		if len(x.others) > 0 {
			continue
		}
		for i := range each {
			cs = append(cs, change{address: fmt.Sprintf("%s.x%d_%d", x.typ, len(cs), i), actions: "create", after: x.after, conf: object{}})
		}
	}
	for _, w := range worked {
		for i := range each {
			cs = append(cs, change{address: fmt.Sprintf("%s.w%d_%d", w.typ, len(cs), i), actions: "create", after: w.after, unknown: w.unknown, conf: object{}})
		}
	}
	return cs
}

func money(e Estimate) map[string]string {
	m := map[string]string{"before": e.Before.String(), "after": e.After.String(), "bound": string(e.Bound), "header": e.Header()}
	for _, r := range e.Resources {
		m[r.Address] = fmt.Sprintf("%s %v %v %v", r.Status, r.Before, r.After, r.Delta)
	}
	return m
}

// In whatever order the plan has its resources, they cost the same.
func TestOrderDoesNotMatter(t *testing.T) {
	cs := estate(t, 1)
	for _, x := range examples() {
		if len(x.others) > 0 { // joined to what comes before or after
			x.others[0].address += "_" + x.typ
			cs = append(cs, x.changes("create")...)
		}
	}
	seen := map[string]bool{}
	var once []change
	for _, c := range cs {
		if !seen[c.address] {
			seen[c.address] = true
			once = append(once, c)
		}
	}
	first := money(estimate(t, planOf(t, virginia, once...)))
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		rng.Shuffle(len(once), func(i, j int) { once[i], once[j] = once[j], once[i] })
		if d := cmp.Diff(first, money(estimate(t, planOf(t, virginia, once...)))); d != "" {
			t.Fatal(d)
		}
	}
}

// n of the same cost n times as much, by count as by number.
func TestManyOfTheSame(t *testing.T) {
	one := estimate(t, planOf(t, virginia, estate(t, 1)...))
	three := estimate(t, planOf(t, virginia, estate(t, 3)...))
	if !three.After.Equal(one.After.Mul(decimal.NewFromInt(3))) {
		t.Errorf("one of each costs %s, three cost %s", one.After, three.After)
	}
	if three.Counts.Total != 3*one.Counts.Total || three.Counts.Priced != 3*one.Counts.Priced || three.Counts.NotPriced != 3*one.Counts.NotPriced {
		t.Errorf("%+v, %+v", one.Counts, three.Counts)
	}
}

// What stays as it is changes nothing; what is replaced by its like neither.
func TestSameBeforeAndAfter(t *testing.T) {
	for _, actions := range []string{"no-op", "update", "delete,create", "create,delete"} {
		cs := estate(t, 1)
		for i := range cs {
			cs[i].actions, cs[i].before, cs[i].unknown = actions, cs[i].after, nil
		}
		e := estimate(t, planOf(t, virginia, cs...))
		if !e.Delta.IsZero() || e.Bound != BoundExact || !e.Before.Equal(e.After) {
			t.Errorf("%s: before %s, after %s, %s", actions, e.Before, e.After, e.Bound)
		}
	}
}

// The two ways of a change are each other's opposite.
func TestThereAndBack(t *testing.T) {
	small, large := examples(), examples()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		a, b := small[rng.IntN(len(small))], large[rng.IntN(len(large))]
		if a.typ != b.typ || len(a.others)+len(b.others) > 0 {
			continue
		}
		there := estimate(t, planOf(t, virginia, change{address: a.typ + ".x", actions: "update", before: a.after, after: b.after, conf: object{}}))
		back := estimate(t, planOf(t, virginia, change{address: a.typ + ".x", actions: "update", before: b.after, after: a.after, conf: object{}}))
		if !there.Delta.Equal(back.Delta.Neg()) {
			t.Errorf("%s: %s there, %s back", a.typ, there.Delta, back.Delta)
		}
	}
}

// Whatever an attribute is, be it absurd or not known, no type panics, and
// none invents a cost.
func TestThreat_AnyTypeWithAnyValue(t *testing.T) {
	values := []any{nil, "", "x", json.Number("-1"), json.Number("1e12"), true, []any{}, []any{nil}, []any{object{}}, object{}, "1e9"}
	for _, x := range examples() {
		for key := range x.after {
			for _, v := range values {
				after := object{}
				for k, w := range x.after {
					after[k] = w
				}
				after[key] = v
				e := estimate(t, planOf(t, virginia, change{address: x.typ + ".x", actions: "create", after: after, conf: object{}}))
				if e.After.IsNegative() || e.After.GreaterThan(decimal.New(1, 18)) {
					t.Errorf("%s with %s = %v costs %s", x.typ, key, v, e.After)
				}
			}
			after := object{}
			for k, w := range x.after {
				if k != key {
					after[k] = w
				}
			}
			e := estimate(t, planOf(t, virginia, change{address: x.typ + ".x", actions: "create", after: after, unknown: object{key: true}, conf: object{key: refs("data.x.y.z")}}))
			if e.After.IsNegative() {
				t.Errorf("%s with %s unknown costs %s", x.typ, key, e.After)
			}
		}
	}
}

// An estate of ten thousand resources of which half refer to the others.
func largeEstate(t testing.TB, n int) *tfplan.Plan {
	t.Helper()
	var cs []change
	for i := 0; len(cs) < n; i++ {
		lt, id := fmt.Sprintf("aws_launch_template.t%d", i), fmt.Sprintf("lt-%d", i)
		cs = append(
			cs,
			change{address: lt, actions: "create", after: object{"instance_type": "m5.large", "name": id, "block_device_mappings": []any{object{"ebs": []any{object{"volume_type": "gp3", "volume_size": 20}}}}}, unknown: object{"id": true, "arn": true}, conf: object{}},
			change{address: fmt.Sprintf("aws_autoscaling_group.g%d", i), actions: "create", after: object{"desired_capacity": 2, "launch_template": []any{object{"version": "$Latest"}}}, unknown: object{"launch_template": []any{object{"id": true}}}, conf: object{"launch_template": []any{object{"id": refs(lt+".id", lt)}}}},
			change{address: fmt.Sprintf("aws_ecs_task_definition.d%d", i), actions: "no-op", before: object{"arn": fmt.Sprint("arn:", i), "cpu": "256", "memory": "512"}, after: object{"arn": fmt.Sprint("arn:", i), "cpu": "256", "memory": "512"}, conf: object{}},
			change{address: fmt.Sprintf("aws_ecs_service.s%d", i), actions: "update", before: object{"launch_type": "FARGATE", "desired_count": 1, "task_definition": fmt.Sprint("arn:", i)}, after: object{"launch_type": "FARGATE", "desired_count": 2, "task_definition": fmt.Sprint("arn:", i)}, conf: object{}},
			change{address: fmt.Sprintf("google_compute_address.a%d", i), actions: "create", after: object{"region": "us-central1"}, unknown: object{"users": true}, conf: object{}},
			change{address: fmt.Sprintf("google_compute_instance.i%d", i), actions: "create", after: object{"zone": "us-central1-a", "machine_type": "n2-standard-2", "network_interface": []any{object{"access_config": []any{object{}}}}}, unknown: object{"network_interface": []any{object{"access_config": []any{object{"nat_ip": true}}}}}, conf: object{"network_interface": []any{object{"access_config": []any{object{"nat_ip": refs(fmt.Sprintf("google_compute_address.a%d.address", i))}}}}}},
			change{address: fmt.Sprintf("azurerm_kubernetes_cluster.k%d", i), actions: "create", after: object{"location": "eastus", "default_node_pool": []any{object{"vm_size": "Standard_D2s_v3", "node_count": 3}}}, unknown: object{"id": true}, conf: object{}},
			change{address: fmt.Sprintf("azurerm_kubernetes_cluster_node_pool.p%d", i), actions: "create", after: object{"vm_size": "Standard_D2s_v3", "node_count": 3}, unknown: object{"kubernetes_cluster_id": true}, conf: object{"kubernetes_cluster_id": refs(fmt.Sprintf("azurerm_kubernetes_cluster.k%d.id", i))}},
			change{address: fmt.Sprintf("aws_s3_bucket.b%d", i), actions: "create", after: object{"bucket": id}, unknown: object{"arn": true}, conf: object{}},
			change{address: fmt.Sprintf("aws_db_instance.q%d", i), actions: "update", before: object{"engine": "postgres", "instance_class": "db.m5.large", "allocated_storage": 100, "storage_type": "gp2"}, after: object{"engine": "postgres", "instance_class": "db.m5.xlarge", "allocated_storage": 100, "storage_type": "gp2"}, conf: object{}},
		)
	}
	return planOf(t, virginia, cs[:n]...)
}

func usageOfMany(t testing.TB) *Usage {
	u, err := ReadUsage("usage.yml", []byte("version: 0.1\nresource_type_default_usage:\n  aws_s3_bucket:\n    standard:\n      storage_gb: 10\nresource_usage:\n  aws_s3_bucket.b1*:\n    standard:\n      storage_gb: 20\n  aws_s3_bucket.*:\n    standard:\n      storage_gb: 30\n"))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// A plan of ten thousand resources is priced whole. How long that takes is
// measured by BenchmarkCost.
func TestTenThousandResources(t *testing.T) {
	e, err := catalog(t).Estimate(largeEstate(t, 10_000), Options{Usage: usageOfMany(t)})
	if err != nil {
		t.Fatal(err)
	}
	if e.Counts.Total != 10_000 || e.Counts.Unknown+e.Counts.Unsupported > 0 {
		t.Fatalf("%+v", e.Counts)
	}
}

package cost

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// nat is the smallest thing whose price depends on the region alone: 0.045 an
// hour in us-east-1, 0.048 in eu-west-1.
const (
	natVirginia = "32.85"
	natIreland  = "35.04"
)

// resourceChange is an entry of resource_changes that creates a thing.
func resourceChange(module, address, typ, name string, after object) object {
	o := object{
		"address": address, "mode": "managed", "type": typ, "name": name,
		"provider_name": "registry.terraform.io/hashicorp/" + strings.SplitN(typ, "_", 2)[0],
		"change":        object{"actions": []string{"create"}, "before": nil, "after": after, "after_unknown": object{}},
	}
	if module != "" {
		o["module_address"] = module
	}
	return o
}

func configured(typ, name, provider string, expressions object) object {
	return object{"address": typ + "." + name, "mode": "managed", "type": typ, "name": name, "provider_config_key": provider, "expressions": expressions}
}

func TestRegionFromProviderConfiguration(t *testing.T) {
	root := []any{configured("aws_nat_gateway", "x", "aws", object{})}
	for _, c := range []struct {
		name      string
		provider  object
		variables object // of the plan
		declared  object // of the module
		want      string // cost; "" for unknown
	}{
		{"constant", object{"region": constantly("eu-west-1")}, nil, nil, natIreland},
		{"variable", object{"region": refs("var.region")}, object{"region": object{"value": "eu-west-1"}}, nil, natIreland},
		{"variable's default", object{"region": refs("var.region")}, nil, object{"region": object{"default": "eu-west-1"}}, natIreland},
		{"value over default", object{"region": refs("var.region")}, object{"region": object{"value": "us-east-1"}}, object{"region": object{"default": "eu-west-1"}}, natVirginia},
		{"member of a variable", object{"region": refs("var.aws.region", "var.aws")}, object{"aws": object{"value": object{"region": "eu-west-1"}}}, nil, natIreland},
		{"local", object{"region": refs("local.region")}, nil, nil, ""},
		{"two variables", object{"region": refs("var.a", "var.b")}, object{"a": object{"value": "eu-west-1"}, "b": object{"value": "us-east-1"}}, nil, ""},
		{"part of a name", object{"region": refs("var.area")}, object{"area": object{"value": "eu-west"}}, nil, ""},
		{"environment", object{}, nil, nil, ""},
		{"no such variable", object{"region": refs("var.region")}, nil, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := estimate(t, parse(t, object{
				"format_version": "1.2", "variables": c.variables,
				"resource_changes": []any{resourceChange("", "aws_nat_gateway.x", "aws_nat_gateway", "x", object{})},
				"configuration": object{
					"provider_config": object{"aws": object{"name": "aws", "expressions": c.provider}},
					"root_module":     object{"resources": root, "variables": c.declared},
				},
			}))
			r := only(t, e)
			if c.want == "" {
				if r.Status != StatusUnknown || r.After != nil || !strings.Contains(r.Note, "region") {
					t.Errorf("%+v", r)
				}
				return
			}
			if e.After.String() != c.want {
				t.Errorf("%s in %q, want %s", e.After, r.Region, c.want)
			}
		})
	}
}

func TestRegionOfAliasesAndModules(t *testing.T) {
	nat := func(provider string) []any {
		return []any{configured("aws_nat_gateway", "x", provider, object{})}
	}
	e := estimate(t, parse(t, object{
		"format_version": "1.2",
		"variables":      object{"home": object{"value": "eu-west-1"}},
		"resource_changes": []any{
			resourceChange("", "aws_nat_gateway.x", "aws_nat_gateway", "x", object{}),
			resourceChange("module.alias", "module.alias.aws_nat_gateway.x", "aws_nat_gateway", "x", object{}),
			resourceChange(`module.own["a.b]"]`, `module.own["a.b]"].aws_nat_gateway.x`, "aws_nat_gateway", "x", object{}),
			resourceChange("module.own[0].module.deep", "module.own[0].module.deep.aws_nat_gateway.x", "aws_nat_gateway", "x", object{}),
		},
		"configuration": object{
			"provider_config": object{
				"aws":            object{"name": "aws", "expressions": object{"region": constantly("us-east-1")}},
				"aws.ireland":    object{"name": "aws", "alias": "ireland", "expressions": object{"region": constantly("eu-west-1")}},
				"module.own:aws": object{"name": "aws", "module_address": "module.own", "expressions": object{"region": refs("var.where")}},
			},
			"root_module": object{
				"resources": nat("aws"),
				"module_calls": object{
					"alias": object{"module": object{"resources": nat("aws.ireland")}},
					"own": object{
						"expressions": object{"where": refs("var.home")},
						"module": object{
							"resources": nat("module.own:aws"), "variables": object{"where": object{}},
							"module_calls": object{"deep": object{"module": object{"resources": nat("module.own:aws")}}},
						},
					},
				},
			},
		},
	}))
	got := map[string]string{}
	for _, r := range e.Resources {
		got[r.Address] = r.Region
	}
	want := map[string]string{
		"aws_nat_gateway.x": "us-east-1", "module.alias.aws_nat_gateway.x": "eu-west-1",
		`module.own["a.b]"].aws_nat_gateway.x`: "eu-west-1", "module.own[0].module.deep.aws_nat_gateway.x": "eu-west-1",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A resource's own word on where it is comes before its provider's.
func TestRegionFromTheResource(t *testing.T) {
	for _, c := range []struct {
		typ   string
		after object
		want  string
	}{
		{"aws_nat_gateway", object{"region": "eu-west-1"}, "eu-west-1"},
		{"aws_instance", object{"availability_zone": "eu-west-1b"}, "eu-west-1"},
		{"aws_instance", object{"availability_zone": "us-west-2-lax-1a"}, "us-west-2-lax-1"},
		{"aws_lb", object{"arn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/x/y"}, "eu-west-1"},
		{"aws_nat_gateway", object{}, "us-east-1"},
		{"azurerm_managed_disk", object{"location": "West Europe", "storage_account_type": "Standard_LRS", "disk_size_gb": 8}, "westeurope"},
		{"azurerm_managed_disk", object{"storage_account_type": "Standard_LRS", "disk_size_gb": 8}, ""},
		{"google_compute_disk", object{"zone": "europe-west1-b"}, "europe-west1"},
		{"google_compute_disk", object{"zone": "https://www.googleapis.com/compute/v1/projects/p/zones/europe-west1-b"}, "europe-west1"},
		{"google_compute_address", object{"region": "asia-east1"}, "asia-east1"},
		{"google_compute_disk", object{}, "us-central1"},
	} {
		e := estimate(t, planOf(t, virginia, change{address: c.typ + ".x", actions: "create", after: c.after, conf: object{}}))
		if r := only(t, e); r.Region != c.want {
			t.Errorf("%s %v is in %q, want %q", c.typ, c.after, r.Region, c.want)
		}
	}
	// A zone that is set to something not known yet may be anywhere.
	e := estimate(t, planOf(t, virginia, change{
		address: "google_compute_disk.x", actions: "create", after: object{"type": "pd-ssd", "size": 10},
		unknown: object{"zone": true}, conf: object{"zone": refs("random_shuffle.z.result")},
	}))
	if r := only(t, e); r.Status != StatusUnknown {
		t.Errorf("a disk in an unknown zone: %+v", r)
	}
}

// What is deleted is not in the configuration any more.
func TestRegionOfWhatIsNoLongerConfigured(t *testing.T) {
	gone := change{address: "aws_nat_gateway.x", actions: "delete", before: object{}}
	if e := estimate(t, planOf(t, virginia, gone)); e.Before.String() != natVirginia {
		t.Errorf("one provider configuration: %s", e.Before)
	}
	two := in("us-east-1", "us-central1")
	two["aws.other"] = object{"name": "aws", "alias": "other", "expressions": object{"region": constantly("eu-west-1")}}
	e := estimate(t, planOf(t, two, gone))
	if r := only(t, e); r.Status != StatusUnknown || r.Before != nil {
		t.Errorf("two provider configurations, and it is in %q: %+v", r.Region, r)
	}
}

func template(after object) change {
	return change{address: "aws_launch_template.t", actions: "create", after: after, unknown: object{"id": true}, conf: object{}}
}

func TestAutoscalingGroupPricesItsTemplate(t *testing.T) {
	lt := template(object{"name": "web", "instance_type": "m5.large", "block_device_mappings": []any{object{"ebs": []any{object{"volume_type": "gp3", "volume_size": 20}}}}})
	byID := object{"launch_template": []any{object{"id": refs("aws_launch_template.t.id", "aws_launch_template.t")}}}
	// 3 × (730 × 0.096 + 20 × 0.08) = 215.04
	group := change{address: "aws_autoscaling_group.g", actions: "create", after: object{"desired_capacity": 3, "launch_template": []any{object{"version": "$Latest"}}}, unknown: object{"launch_template": []any{object{"id": true}}}, conf: byID}
	e := estimate(t, planOf(t, virginia, lt, group))
	if e.After.String() != "215.04" || e.Counts.Priced != 1 || e.Counts.Free != 1 {
		t.Errorf("%s, %+v", e.After, e.Resources)
	}

	// An existing one is found by its ID, and a change of the template alone
	// is a change of the group's cost.
	old := object{"id": "lt-1", "name": "web", "instance_type": "m5.large"}
	e = estimate(t, planOf(t, virginia,
		change{address: "aws_launch_template.t", actions: "update", before: old, after: object{"id": "lt-1", "name": "web", "instance_type": "m5.xlarge"}, conf: object{}},
		change{address: "aws_autoscaling_group.g", actions: "no-op", before: object{"desired_capacity": 2, "launch_template": []any{object{"id": "lt-1"}}}, after: object{"desired_capacity": 2, "launch_template": []any{object{"id": "lt-1"}}}},
	))
	if e.Delta.String() != "140.16" {
		t.Errorf("the template's type doubled, and the delta is %s: %+v", e.Delta, e.Resources)
	}

	// Through a mixed policy, with the policy's own type and spot.
	mixed := change{address: "aws_autoscaling_group.g", actions: "create", conf: object{"mixed_instances_policy": []any{object{"launch_template": []any{object{"launch_template_specification": []any{object{"launch_template_id": refs("aws_launch_template.t.id", "aws_launch_template.t")}}}}}}},
		after: object{"min_size": 1, "mixed_instances_policy": []any{object{
			"instances_distribution": []any{object{"on_demand_percentage_above_base_capacity": 0}},
			"launch_template":        []any{object{"launch_template_specification": []any{object{}}, "override": []any{object{"instance_type": "t3.micro"}}}},
		}}}, unknown: object{"desired_capacity": true}}
	e = estimate(t, planOf(t, virginia, lt, mixed))
	// 730 × 0.0104 + 20 × 0.08
	if e.After.String() != "9.192" || !strings.Contains(e.Resources[0].Components[0].Detail, "ceiling") {
		t.Errorf("%s, %+v", e.After, e.Resources)
	}

	// Without its template nobody knows what the group costs.
	e = estimate(t, planOf(t, virginia, change{address: "aws_autoscaling_group.g", actions: "create", after: group.after, unknown: group.unknown, conf: object{}}))
	if r := only(t, e); r.Status != StatusUnknown {
		t.Errorf("%+v", r)
	}
}

// A group whose template has no type can't be priced on either side. That it
// does not change itself does not mean that its cost stays.
func TestUnpricedGroupWithChangedTemplate(t *testing.T) {
	group := object{"desired_capacity": 1, "launch_template": []any{object{"id": "lt-1"}}}
	for _, c := range []struct {
		cpus  int
		bound Bound
	}{{2, BoundExact}, {4, BoundPartial}} {
		lt := func(cpus int) object {
			return object{"id": "lt-1", "instance_requirements": []any{object{"vcpu_count": []any{object{"min": cpus}}}}}
		}
		e := estimate(t, planOf(t, virginia,
			change{address: "aws_launch_template.t", actions: "update", before: lt(2), after: lt(c.cpus), conf: object{}},
			change{address: "aws_autoscaling_group.g", actions: "no-op", before: group, after: group, conf: object{}},
		))
		if e.Bound != c.bound || e.Counts.NotPriced != 1 {
			t.Errorf("2 CPUs before, %d after: %s, %+v", c.cpus, e.Bound, e.Counts)
		}
	}
}

// A template may come into a module as a variable, and out of one as an
// output.
func TestJoinThroughModules(t *testing.T) {
	e := estimate(t, parse(t, object{
		"format_version": "1.2",
		"resource_changes": []any{
			resourceChange("module.t", "module.t.aws_launch_template.t", "aws_launch_template", "t", object{"instance_type": "m5.large"}),
			resourceChange("module.g[1]", "module.g[1].aws_autoscaling_group.g", "aws_autoscaling_group", "g", object{"desired_capacity": 1, "launch_template": []any{object{}}}),
		},
		"configuration": object{
			"provider_config": virginia,
			"root_module": object{"module_calls": object{
				"t": object{"module": object{
					"resources": []any{configured("aws_launch_template", "t", "aws", object{})},
					"outputs":   object{"id": object{"expression": refs("aws_launch_template.t.id", "aws_launch_template.t")}},
				}},
				"g": object{
					"expressions": object{"template": refs("module.t.id", "module.t")},
					"module": object{"resources": []any{configured("aws_autoscaling_group", "g", "aws", object{
						"launch_template": []any{object{"id": refs("var.template")}},
					})}},
				},
			}},
		},
	}))
	if e.After.String() != "70.88" {
		t.Errorf("%s, %+v", e.After, e.Resources)
	}
}

// Of several instances, the one with the same key is meant, or nobody knows.
func TestJoinOfInstances(t *testing.T) {
	lt := func(key, typ string) change {
		return change{address: "aws_launch_template.t[" + key + "]", actions: "create", after: object{"instance_type": typ}}
	}
	asg := func(address, ref string) change {
		return change{address: address, actions: "create", after: object{"desired_capacity": 1, "launch_template": []any{object{}}}, conf: object{"launch_template": []any{object{"id": refs(ref+".id", ref, "aws_launch_template.t")}}}}
	}
	for _, c := range []struct {
		group change
		want  string
	}{
		{asg("aws_autoscaling_group.g[1]", "aws_launch_template.t"), "140.96"},
		{asg("aws_autoscaling_group.g", "aws_launch_template.t[0]"), "70.88"},
		{asg("aws_autoscaling_group.g", "aws_launch_template.t"), "0"},
	} {
		e := estimate(t, planOf(t, virginia, lt("0", "m5.large"), lt("1", "m5.xlarge"), c.group))
		if e.After.String() != c.want {
			t.Errorf("%s by %v costs %s, want %s", c.group.address, c.group.conf, e.After, c.want)
		}
	}
}

func TestOtherJoins(t *testing.T) {
	for _, c := range []struct {
		name    string
		changes []change
		want    string
	}{
		{"a node pool is where its cluster is", []change{
			{address: "azurerm_kubernetes_cluster.c", actions: "create", after: object{"location": "eastus", "default_node_pool": []any{object{"vm_size": "Standard_B2s", "node_count": 0}}}, conf: object{}},
			{address: "azurerm_kubernetes_cluster_node_pool.p", actions: "create", after: object{"vm_size": "Standard_D2s_v3", "node_count": 1, "os_disk_size_gb": 128}, conf: object{"kubernetes_cluster_id": refs("azurerm_kubernetes_cluster.c.id", "azurerm_kubernetes_cluster.c")}},
		}, "89.79"}, // 730 × 0.096 + P10 19.71
		{"a regional cluster has its pool in three zones", []change{
			{address: "google_container_cluster.c", actions: "create", after: object{"name": "c", "location": "us-central1", "remove_default_node_pool": true}, conf: object{}},
			{address: "google_container_node_pool.p", actions: "create", after: object{"cluster": "c", "node_count": 1, "node_config": []any{object{"machine_type": "n1-standard-1", "disk_type": "pd-ssd", "disk_size_gb": 10}}}, conf: object{"cluster": refs("google_container_cluster.c.name", "google_container_cluster.c")}},
		}, "182.1244525"}, // 73 + 3 × (730 × 0.04749975 + 10 × 0.17)
		{"a managed group runs its template", []change{
			{address: "google_compute_instance_template.t", actions: "create", after: object{"machine_type": "n1-standard-1", "disk": []any{object{"disk_type": "pd-ssd", "disk_size_gb": 20}}}, unknown: object{"self_link": true}, conf: object{}},
			{address: "google_compute_instance_group_manager.g", actions: "create", after: object{"zone": "us-central1-a", "target_size": 2, "version": []any{object{}}}, conf: object{"version": []any{object{"instance_template": refs("google_compute_instance_template.t.self_link", "google_compute_instance_template.t")}}}},
		}, "76.149635"}, // 2 × (730 × 0.04749975 + 20 × 0.17)
		{"an instance's address is in use", []change{
			{address: "google_compute_address.a", actions: "create", after: object{"region": "us-central1"}, unknown: object{"users": true}, conf: object{}},
			{address: "google_compute_instance.i", actions: "create", conf: object{"network_interface": []any{object{"access_config": []any{object{"nat_ip": refs("google_compute_address.a.address", "google_compute_address.a")}}}}},
				after:   object{"zone": "us-central1-a", "machine_type": "n1-standard-1", "boot_disk": []any{object{"source": "d"}}, "network_interface": []any{object{"access_config": []any{object{}}}}},
				unknown: object{"network_interface": []any{object{"access_config": []any{object{"nat_ip": true}}}}}},
		}, "38.3248175"}, // 730 × 0.04749975 + 730 × 0.005, the address once
		{"an Aurora cluster that pays for I/O otherwise", []change{
			{address: "aws_rds_cluster.c", actions: "create", after: object{"engine": "aurora-mysql", "storage_type": "aurora-iopt1"}, conf: object{}},
			{address: "aws_rds_cluster_instance.i", actions: "create", after: object{"engine": "aurora-mysql", "instance_class": "db.r5.large"}, conf: object{"cluster_identifier": refs("aws_rds_cluster.c.id", "aws_rds_cluster.c")}},
		}, "275.21"}, // 730 × 0.29 × 1.3
	} {
		e := estimate(t, planOf(t, virginia, c.changes...))
		if e.After.String() != c.want {
			t.Errorf("%s: %s, want %s\n%+v", c.name, e.After, c.want, e.Resources)
		}
	}
}

// The image that the plan looked up tells the operating system.
func TestSystemFromImage(t *testing.T) {
	plan := object{
		"format_version": "1.2",
		"resource_changes": []any{resourceChange("", "aws_instance.x", "aws_instance", "x", object{
			"ami": "ami-win", "instance_type": "m5.large", "root_block_device": []any{object{"volume_type": "gp2", "volume_size": 30}},
		})},
		"prior_state": object{"values": object{"root_module": object{"resources": []any{
			object{"address": "data.aws_ami.w", "mode": "data", "type": "aws_ami", "values": object{"id": "ami-win", "platform": "windows"}},
		}}}},
		"configuration": object{"provider_config": virginia, "root_module": object{"resources": []any{configured("aws_instance", "x", "aws", object{})}}},
	}
	e := estimate(t, parse(t, plan))
	if e.After.String() != "140.24" || len(only(t, e).Assumed) != 0 { // 730 × 0.188 + 30 × 0.10
		t.Errorf("%s, %+v", e.After, e.Resources)
	}
}

func TestSteps(t *testing.T) {
	for in, want := range map[string][]step{
		"":                              nil,
		"a":                             {{"a", ""}},
		"module.a.module.b":             {{"module", ""}, {"a", ""}, {"module", ""}, {"b", ""}},
		`module.a["x.y]\"z"].t.n[0]`:    {{"module", ""}, {"a", `["x.y]\"z"]`}, {"t", ""}, {"n", "[0]"}},
		`module.broken["`:               {{"module", ""}, {"broken", `["`}},
		"aws_launch_template.web[0].id": {{"aws_launch_template", ""}, {"web", "[0]"}, {"id", ""}},
	} {
		if d := cmp.Diff(want, steps(in), cmp.AllowUnexported(step{})); d != "" {
			t.Errorf("steps(%s): %s", in, d)
		}
	}
}

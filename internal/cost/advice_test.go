package cost

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/planner/tfplan"
)

func advise(t testing.TB, p *tfplan.Plan, opts Options) Estimate {
	t.Helper()
	opts.Advise = true
	e, err := catalog(t).Estimate(p, opts)
	if err != nil {
		t.Fatal(err)
	}
	check(t, e)
	return e
}

var ireland = in("eu-west-1", "europe-west1")

func created(address string, after object) change {
	return change{address: address, actions: "create", after: after, conf: object{}}
}

// stays is a resource that is there and is not changed.
func stays(address string, values, conf object) change {
	if conf == nil {
		conf = object{}
	}
	return change{address: address, actions: "no-op", before: values, after: values, conf: conf}
}

// adviceCases have what is advised, with the arithmetic; an empty list is as
// much of a case.
var adviceCases = []struct {
	name    string
	where   object
	changes []change
	want    map[string]string // saving by ID and address
}{
	{"an instance of the generation before, and its disk", virginia, []change{
		created("aws_instance.a", object{"instance_type": "t2.large", "root_block_device": []any{object{"volume_type": "gp2", "volume_size": 100}}}),
	}, map[string]string{
		"aws.instance.generation aws_instance.a": "730 × 0.0928 - 730 × 0.0832",
		"aws.volume.gp3 aws_instance.a":          "100 × 0.10 - 100 × 0.08",
	}},
	{"an instance of this generation", virginia, []change{
		created("aws_instance.a", object{"instance_type": "t3.large", "root_block_device": []any{object{"volume_type": "gp3", "volume_size": 100}}}),
	}, nil},
	{"m4 is what m5 is for less", ireland, []change{
		created("aws_instance.a", object{"instance_type": "m4.xlarge", "root_block_device": []any{object{"volume_type": "gp3", "volume_size": 8}}}),
	}, map[string]string{"aws.instance.generation aws_instance.a": "730 × 0.222 - 730 × 0.214"}},
	{"a volume of 2,000 GiB has 6,000 IOPS as gp2", ireland, []change{
		created("aws_ebs_volume.v", object{"type": "gp2", "size": 2000}),
	}, map[string]string{"aws.volume.gp3 aws_ebs_volume.v": "2000 × 0.11 - 2000 × 0.088 - 3000 × 0.0055 - 125 × 0.044"}},
	{"at 200 GiB gp2's throughput costs more as gp3 than is saved", ireland, []change{
		created("aws_ebs_volume.v", object{"type": "gp2", "size": 200}),
	}, nil},
	{"at 2,000 GiB where what it needs has no price", virginia, []change{
		created("aws_ebs_volume.v", object{"type": "gp2", "size": 2000}),
	}, nil},
	{"what the plan doesn't know of gp2 is no hindrance", virginia, []change{
		{address: "aws_ebs_volume.v", actions: "create", after: object{"type": "gp2", "size": 100}, unknown: object{"iops": true, "throughput": true}, conf: object{}},
	}, map[string]string{"aws.volume.gp3 aws_ebs_volume.v": "100 × 0.10 - 100 × 0.08"}},
	{"no type is no advice", virginia, []change{
		{address: "aws_ebs_volume.v", actions: "create", after: object{"size": 100}, unknown: object{"type": true}, conf: object{}},
	}, nil},
	{"provisioned IOPS that gp3 has anyway", ireland, []change{
		created("aws_ebs_volume.v", object{"type": "io1", "size": 100, "iops": 1000}),
	}, map[string]string{"aws.volume.gp3 aws_ebs_volume.v": "100 × 0.138 + 1000 × 0.072 - 100 × 0.088 - 125 × 0.044"}}, // 250 MiB/s
	{"a launch template saves as often as its group has machines", virginia, []change{
		template(object{"name": "web", "instance_type": "m4.large", "block_device_mappings": []any{object{"ebs": []any{object{"volume_type": "gp2", "volume_size": 50}}}}}),
		{address: "aws_autoscaling_group.g", actions: "create", after: object{"desired_capacity": 3, "launch_template": []any{object{"version": "$Latest"}}}, unknown: object{"launch_template": []any{object{"id": true}}},
			conf: object{"launch_template": []any{object{"id": refs("aws_launch_template.t.id", "aws_launch_template.t")}}}},
	}, map[string]string{
		"aws.instance.generation aws_launch_template.t": "3 × (730 × 0.10 - 730 × 0.096)",
		"aws.volume.gp3 aws_launch_template.t":          "3 × (50 × 0.10 - 50 × 0.08)",
	}},
	{"a template that nothing is made of costs nothing", virginia, []change{template(object{"name": "web", "instance_type": "m4.large"})}, nil},
	{"spot capacity is shown at a ceiling, which proves nothing", virginia, []change{
		created("aws_instance.a", object{"instance_type": "m4.large", "instance_market_options": []any{object{"market_type": "spot"}}, "root_block_device": []any{object{"volume_type": "gp3", "volume_size": 8}}}),
	}, nil},
	{"a database's class and storage", ireland, []change{
		created("aws_db_instance.d", object{"engine": "mysql", "instance_class": "db.t2.micro", "allocated_storage": 100, "storage_type": "gp3"}),
		created("aws_db_instance.e", object{"engine": "postgres", "instance_class": "db.m5.large", "allocated_storage": 400, "storage_type": "io1", "iops": 4000}),
	}, map[string]string{
		"aws.database.gp3 aws_db_instance.e": "400 × 0.138 + 4000 × 0.11 - 400 × 0.127",
	}},
	{"a cache of which the next generation has as much memory", virginia, []change{
		created("aws_elasticache_cluster.c", object{"engine": "redis", "node_type": "cache.r4.large", "num_cache_nodes": 2}),
		created("aws_elasticache_cluster.less", object{"engine": "redis", "node_type": "cache.m4.large", "num_cache_nodes": 1}), // m5.large has 6.38 GiB for 6.42
	}, map[string]string{"aws.cache.generation aws_elasticache_cluster.c": "2 × (730 × 0.228 - 730 × 0.216)"}},
	{"Azure's second version", virginia, []change{
		created("azurerm_linux_virtual_machine.m", object{"location": "eastus", "size": "Standard_DS3_v2", "os_disk": []any{object{"storage_account_type": "Premium_LRS", "disk_size_gb": 64}}}),
	}, map[string]string{"azure.machine.generation azurerm_linux_virtual_machine.m": "730 × 0.293 - 730 × 0.206"}},
	{"sustained use makes n1 the cheaper one", virginia, []change{
		created("google_compute_instance.m", object{"zone": "us-central1-a", "machine_type": "n1-standard-4"}),
	}, nil},
	{"an address and a disk that nothing uses", virginia, []change{
		stays("aws_eip.idle", object{"id": "eipalloc-1", "association_id": "", "instance": "", "network_interface": ""}, nil),
		stays("aws_eip.used", object{"id": "eipalloc-2", "association_id": "eipassoc-1", "instance": "i-1", "network_interface": "eni-1"}, nil),
		stays("aws_eip.soon", object{"id": "eipalloc-3", "association_id": "", "instance": "", "network_interface": ""}, nil),
		created("aws_eip_association.x", object{"allocation_id": "eipalloc-3"}),
		{address: "aws_nat_gateway.n", actions: "create", after: object{"allocation_id": "eipalloc-3"}, conf: object{"allocation_id": refs("aws_eip.soon.id", "aws_eip.soon")}},
		stays("google_compute_disk.d", object{"zone": "us-central1-a", "type": "pd-ssd", "size": 100, "users": []any{}}, nil),
	}, map[string]string{"aws.address.unattached aws_eip.idle": "730 × 0.005", "gcp.disk.unattached google_compute_disk.d": "100 × 0.17"}},
	{"a volume whose attachment goes", virginia, []change{
		stays("aws_ebs_volume.v", object{"id": "vol-1", "type": "gp3", "size": 100}, nil),
		{address: "aws_volume_attachment.a", actions: "delete", before: object{"id": "vai-1", "volume_id": "vol-1"}},
		stays("aws_ebs_volume.w", object{"id": "vol-2", "type": "gp3", "size": 100}, nil),
		{address: "aws_volume_attachment.b", actions: "delete", before: object{"id": "vai-2", "volume_id": "vol-2"}},
		stays("aws_volume_attachment.c", object{"id": "vai-3", "volume_id": "vol-2"}, nil),
	}, map[string]string{"aws.disk.unattached aws_ebs_volume.v": "100 × 0.08"}},
	{"three gateways of a network for development", virginia, []change{
		stays("aws_vpc.v", object{"id": "vpc-1", "tags_all": object{"Environment": "dev"}}, nil),
		stays("aws_subnet.a", object{"id": "subnet-1", "vpc_id": "vpc-1"}, nil),
		stays("aws_subnet.b", object{"id": "subnet-2", "vpc_id": "vpc-1"}, nil),
		stays("aws_nat_gateway.a", object{"subnet_id": "subnet-1"}, nil),
		stays("aws_nat_gateway.b", object{"subnet_id": "subnet-2"}, nil),
		{address: "aws_nat_gateway.c", actions: "create", after: object{}, unknown: object{"subnet_id": true}, conf: object{"subnet_id": refs("aws_subnet.b.id", "aws_subnet.b")}},
	}, map[string]string{"aws.nat.single aws_nat_gateway.b": "730 × 0.045", "aws.nat.single aws_nat_gateway.c": "730 × 0.045"}},
	{"gateways for production, and of a network that says nothing", virginia, []change{
		stays("aws_vpc.v", object{"id": "vpc-1", "tags_all": object{"Environment": "prod"}}, nil),
		stays("aws_subnet.a", object{"id": "subnet-1", "vpc_id": "vpc-1"}, nil),
		stays("aws_subnet.b", object{"id": "subnet-2", "vpc_id": "vpc-2"}, nil),
		stays("aws_nat_gateway.a", object{"subnet_id": "subnet-1"}, nil),
		stays("aws_nat_gateway.b", object{"subnet_id": "subnet-1"}, nil),
		stays("aws_nat_gateway.c", object{"subnet_id": "subnet-2"}, nil),
		stays("aws_nat_gateway.d", object{"subnet_id": "subnet-2"}, nil),
	}, nil},
	{"a region without the price of a part", in("ap-south-1", ""), []change{
		created("aws_ebs_volume.v", object{"type": "gp2", "size": 100}),
	}, nil},
}

func TestAdvice(t *testing.T) {
	for _, tt := range adviceCases {
		t.Run(tt.name, func(t *testing.T) {
			p := planOf(t, tt.where, tt.changes...)
			e := advise(t, p, Options{})
			got := map[string]bool{}
			for _, a := range e.Advice {
				k := a.ID + " " + a.Address
				got[k] = true
				want, ok := tt.want[k]
				if !ok {
					t.Errorf("%s: nobody expected %+v", k, a)
					continue
				}
				if !a.Saving.Equal(work(t, want)) {
					t.Errorf("%s saves %s, and %s = %s is wanted", k, a.Saving, want, work(t, want))
				}
				if a.Text == "" || a.Why == "" || !strings.HasSuffix(a.Text, ".") || !strings.HasSuffix(a.Why, ".") {
					t.Errorf("%+v", a)
				}
				followed(t, tt.where, tt.changes, e, a)
			}
			for k := range tt.want {
				if !got[k] {
					t.Errorf("no advice on %s; there is %+v", k, e.Advice)
				}
			}
		})
	}
}

// followed does what is advised, and has the plan estimated anew: it costs less
// by exactly what was said.
func followed(t *testing.T, where object, changes []change, e Estimate, a Advice) {
	t.Helper()
	p := planOf(t, where, changes...)
	i := slices.IndexFunc(p.Changes, func(c tfplan.Change) bool { return c.Address == a.Address })
	c := &p.Changes[i]
	done := false
	if f := advisers[c.Type]; f != nil {
		for _, alt := range f(sideView(c, true)) {
			if alt.id == a.ID && alt.text == a.Text {
				for _, s := range alt.sets {
					c.After, c.Unknown = with(c.After, s.path, s.value).(map[string]any), with(c.Unknown, s.path, false)
				}
				done = true
			}
		}
	}
	if !done {
		p.Changes = slices.Delete(p.Changes, i, i+1)
	}
	anew := estimate(t, p)
	if got := e.After.Sub(anew.After); !got.Equal(a.Saving) {
		t.Errorf("%s of %s says %s; who follows it saves %s", a.ID, a.Address, a.Saving, got)
	}
}

// Of every kind of machine, in several regions: what is advised has at least as
// much, costs less, and saves what it says; nothing is advised of what is of
// the newest generation here.
func TestAdviceOfEveryMachine(t *testing.T) {
	advised := 0
	for name, s := range shapes().of {
		var typ string
		var after object
		switch {
		case strings.HasPrefix(name, "db."):
			typ, after = "aws_db_instance", object{"engine": "postgres", "instance_class": name, "allocated_storage": 20, "storage_type": "gp2"}
		case strings.HasPrefix(name, "cache."):
			typ, after = "aws_elasticache_cluster", object{"engine": "redis", "node_type": name, "num_cache_nodes": 1}
		case strings.HasPrefix(name, "Standard_"):
			typ, after = "azurerm_linux_virtual_machine", object{"location": "westeurope", "size": name, "os_disk": []any{object{"storage_account_type": "Premium_LRS", "disk_size_gb": 32}}}
		case strings.HasPrefix(name, "n") || strings.HasPrefix(name, "e2"):
			typ, after = "google_compute_instance", object{"zone": "europe-west1-b", "machine_type": name}
		default:
			typ, after = "aws_instance", object{"instance_type": name, "root_block_device": []any{object{"volume_type": "gp3", "volume_size": 8}}}
		}
		for _, where := range []object{virginia, ireland} {
			cs := []change{created(typ+".x", after)}
			e := advise(t, planOf(t, where, cs...), Options{})
			for _, a := range e.Advice {
				advised++
				if _, old := successors[shapes().family[name]]; !old {
					t.Errorf("%s: %+v", name, a)
				}
				to := ""
				for other := range shapes().of {
					if strings.Contains(a.Text, " "+other+" instead of "+name+".") {
						to = other
					}
				}
				if to == "" || !shapes().of[to].holds(s) || !a.Saving.IsPositive() {
					t.Errorf("%s: %+v", name, a)
				}
				followed(t, where, cs, e, a)
			}
		}
	}
	if advised < 40 {
		t.Errorf("only %d advices", advised)
	}
	t.Logf("%d advices on %d machines in two regions", advised, len(shapes().of))
}

// The table of shapes is read whole, and every family that has a successor is
// in it, as is the successor.
func TestShapesAreRead(t *testing.T) {
	n := 0
	for line := range strings.Lines(strings.TrimSpace(shapesText)) {
		n += strings.Count(line, ",") + 1
	}
	if n != len(shapes().of) {
		t.Errorf("%d of %d were read", len(shapes().of), n)
	}
	for family, s := range successors {
		for _, f := range append([]string{family}, s.families...) {
			if len(shapes().machines[f]) == 0 {
				t.Errorf("nothing is known of %s", f)
			}
		}
	}
}

// What must not be shown is not told in an advice, and the plan stays what it
// was.
func TestThreat_AdviceKeepsQuietAndHandsOff(t *testing.T) {
	secret := created("aws_instance.a", object{"instance_type": "m4.xlarge", "root_block_device": []any{object{"volume_type": "gp3", "volume_size": 8}}})
	secret.hidden = object{"instance_type": true}
	if e := advise(t, planOf(t, ireland, secret), Options{}); len(e.Advice) > 0 {
		t.Errorf("%+v", e.Advice)
	}
	p := planOf(t, virginia, adviceCases[0].changes...)
	advise(t, p, Options{})
	if is := p.Changes[0].After["instance_type"]; is != "t2.large" {
		t.Errorf("the plan has %v now", is)
	}
	if e := estimate(t, p); e.Advice != nil {
		t.Errorf("nobody asked for %+v", e.Advice)
	}
}

// A discount is part of what is saved.
func TestAdviceWithDiscount(t *testing.T) {
	e := advise(t, planOf(t, virginia, created("aws_ebs_volume.v", object{"type": "gp2", "size": 100})), Options{Discounts: Discounts{{Cloud: "aws", Percent: figure("50")}}})
	if want := work(t, "50 × 0.10 - 50 × 0.08"); len(e.Advice) != 1 || !e.Advice[0].Saving.Equal(want) {
		t.Errorf("%+v, and %s is wanted", e.Advice, want)
	}
}

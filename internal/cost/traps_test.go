package cost

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

// The prices that must hold whatever the catalogue is made of, by the vendors'
// own pages.
func TestSpotPrices(t *testing.T) {
	for _, c := range []struct{ cloud, service, region, sku, amount, unit string }{
		{"aws", "ec2-linux", "us-east-1", "t3.micro", "0.0104", "hour"},
		{"aws", "ec2-linux", "us-east-1", "m5.large", "0.096", "hour"},
		{"aws", "ec2-linux", "us-east-1", "c7g.xlarge", "0.145", "hour"},
		{"aws", "rds-mysql", "us-east-1", "db.t3.micro/single-az", "0.017", "hour"},
		{"aws", "rds-postgres", "us-east-1", "db.m5.large/single-az", "0.178", "hour"},
		{"aws", "ebs", "us-east-1", "gp3", "0.08", "GB-month"},
		{"aws", "vpc", "us-east-1", "nat-gateway", "0.045", "hour"},
		{"aws", "elb", "us-east-1", "application", "0.0225", "hour"},
		{"aws", "ec2-linux", "eu-west-1", "m5.large", "0.107", "hour"},
		{"azure", "vm-linux", "eastus", "standard_b2s", "0.0416", "hour"},
		{"azure", "vm-linux", "eastus", "standard_d2s_v3", "0.096", "hour"},
		{"gcp", "compute", "us-central1", "e2-medium", "0.0335", "hour"},
		{"gcp", "compute", "us-central1", "n1-standard-1", "0.0475", "hour"},
		{"gcp", "disk", "us-central1", "pd-ssd", "0.17", "GB-month"},
	} {
		p, ok, err := catalog(t).price(c.cloud, c.service, c.region, c.sku)
		digits := int32(len(c.amount) - 2) // Google lists more of them than its pages show
		if err != nil || !ok || !p.Amount.Round(digits).Equal(figure(c.amount)) || p.Unit != c.unit {
			t.Errorf("%s %s %s %s: %s per %s, %v, %v; want %s per %s", c.cloud, c.service, c.region, c.sku, p.Amount, p.Unit, ok, err, c.amount, c.unit)
		}
	}
}

// priced returns the catalogue with a price for what it lacks, for traps that
// show only where there is one.
func priced(t testing.TB, keys map[pricebook.Key]string, unit string) *Catalog {
	o := over{}
	for k, amount := range keys {
		o[k] = pricebook.Price{Amount: figure(amount), Unit: unit, Source: pricebook.Source{Name: "ours", AsOf: "2026-11-01"}}
	}
	return catalog(t).With(o)
}

var toTemplate = object{"launch_template": []any{object{"id": refs("aws_launch_template.t.id", "aws_launch_template.t")}}}

func group(n int) change {
	return change{address: "aws_autoscaling_group.g", actions: "create", after: object{"desired_capacity": n, "launch_template": []any{object{}}}, unknown: object{"launch_template": []any{object{"id": true}}}, conf: toTemplate}
}

// Each instance of a group has the address that its template gives it, and one
// on a machine of its own is no shared one.
func TestGroupOfTemplates(t *testing.T) {
	disk := []any{object{"ebs": []any{object{"volume_type": "gp3", "volume_size": 10}}}}
	for _, c := range []struct {
		name     string
		template object
		want     string // "" for not priced
	}{
		{"with addresses", object{"network_interfaces": []any{object{"associate_public_ip_address": "true"}}}, "3 × (730 × 0.096 + 10 × 0.08 + 730 × 0.005)"},
		{"without", object{"network_interfaces": []any{object{"associate_public_ip_address": "false"}}}, "3 × (730 × 0.096 + 10 × 0.08)"},
		{"dedicated", object{"placement": []any{object{"tenancy": "dedicated"}}}, ""},
		{"of shared tenancy", object{"placement": []any{object{"tenancy": "default"}}}, "3 × (730 × 0.096 + 10 × 0.08)"},
	} {
		c.template["instance_type"], c.template["block_device_mappings"] = "m5.large", disk
		r := of(t, estimate(t, planOf(t, virginia, template(c.template), group(3))), "aws_autoscaling_group.g")
		if c.want == "" {
			if r.After != nil || !strings.Contains(r.Note, "dedicated tenancy") {
				t.Errorf("%s: %+v", c.name, r)
			}
		} else if want := work(t, c.want); r.After == nil || !r.After.Equal(want) {
			t.Errorf("%s: %+v, want %s", c.name, r, want)
		}
	}
	one := change{address: "aws_instance.x", actions: "create", after: object{"launch_template": []any{object{}}}, unknown: object{"tenancy": true, "launch_template": []any{object{"id": true}}}, conf: toTemplate}
	r := of(t, estimate(t, planOf(t, virginia, template(object{"instance_type": "m5.large", "placement": []any{object{"tenancy": "host"}}}), one)), "aws_instance.x")
	if r.After != nil || !strings.Contains(r.Note, "dedicated tenancy") {
		t.Errorf("an instance: %+v", r)
	}
}

// A service on Fargate runs as many tasks as its autoscaling keeps at least,
// where it says fewer or nothing.
func TestServiceWithAutoscaling(t *testing.T) {
	task := change{address: "aws_ecs_task_definition.t", actions: "create", after: object{"family": "t", "cpu": "512", "memory": "1024", "requires_compatibilities": []any{"FARGATE"}}, unknown: object{"arn": true}, conf: object{}}
	for _, c := range []struct {
		name    string
		desired any
		scaler  object
		conf    object
		want    string
	}{
		{"by reference", nil, object{"service_namespace": "ecs", "min_capacity": 3}, object{"resource_id": refs("aws_ecs_cluster.c.name", "aws_ecs_cluster.c", "aws_ecs_service.s.name", "aws_ecs_service.s")}, "3"},
		{"by name", 1, object{"service_namespace": "ecs", "min_capacity": 4, "resource_id": "service/prod/web"}, object{}, "4"},
		{"fewer than it says", 5, object{"service_namespace": "ecs", "min_capacity": 2, "resource_id": "service/prod/web"}, object{}, "5"},
		{"of another cluster", 1, object{"service_namespace": "ecs", "min_capacity": 4, "resource_id": "service/test/web"}, object{}, "1"},
		{"of another kind", 1, object{"service_namespace": "dynamodb", "min_capacity": 4, "resource_id": "service/prod/web"}, object{}, "1"},
	} {
		service := change{address: "aws_ecs_service.s", actions: "create", after: object{"name": "web", "cluster": "arn:aws:ecs:us-east-1:1:cluster/prod", "launch_type": "FARGATE"}, unknown: object{"task_definition": true},
			conf: object{"task_definition": refs("aws_ecs_task_definition.t.arn", "aws_ecs_task_definition.t")}}
		if c.desired != nil {
			service.after["desired_count"] = c.desired
		}
		scaler := change{address: "aws_appautoscaling_target.a", actions: "create", after: c.scaler, conf: c.conf}
		if c.scaler["resource_id"] == nil {
			scaler.unknown = object{"resource_id": true}
		}
		r := of(t, estimate(t, planOf(t, virginia, task, service, scaler)), "aws_ecs_service.s")
		p := func(sku string) decimal.Decimal {
			p, ok, err := catalog(t).price("aws", "fargate", "us-east-1", sku)
			if err != nil || !ok {
				t.Fatalf("%s: %v, %v", sku, ok, err)
			}
			return p.Amount
		}
		want := figure(c.want).Mul(whole(730)).Mul(p("vcpu").Mul(figure("0.5")).Add(p("memory")))
		if r.After == nil || !r.After.Equal(want) {
			t.Errorf("%s: %+v, want %s", c.name, r, want)
		}
	}
}

// A replica has the engine and the size of what it replicates.
func TestReplicaOfADatabase(t *testing.T) {
	main := change{address: "aws_db_instance.main", actions: "create", after: object{"identifier": "main", "engine": "postgres", "allocated_storage": 100, "storage_type": "gp2", "instance_class": "db.m5.large"}, conf: object{}}
	replica := change{address: "aws_db_instance.copy", actions: "create", after: object{"instance_class": "db.m5.large", "storage_type": "gp2", "replicate_source_db": "main"}, unknown: object{"engine": true, "allocated_storage": true}, conf: object{}}
	r := of(t, estimate(t, planOf(t, virginia, main, replica)), "aws_db_instance.copy")
	if want := work(t, "730 × 0.178 + 100 × 0.115"); r.Status != StatusPriced || !r.After.Equal(want) {
		t.Errorf("%+v, want %s", r, want)
	}
	if r := of(t, estimate(t, planOf(t, virginia, replica)), "aws_db_instance.copy"); r.Status == StatusPriced || r.Note == "" {
		t.Errorf("without its source: %+v", r)
	}
}

// What a gp3 volume of RDS comes with grows at another size for each engine.
func TestStripedVolumes(t *testing.T) {
	storage := pricebook.Key{Cloud: "aws", Service: "rds-storage", Region: "us-east-1", SKU: "gp3-iops/single-az"}
	gb := storage
	gb.SKU = "gp3/single-az"
	c := priced(t, map[pricebook.Key]string{storage: "0.02", gb: "0.115"}, "IOPS-month")
	for _, x := range []struct {
		engine string
		size   int
		want   string // IOPS that are paid
	}{
		{"postgres", 399, "10000"}, {"postgres", 400, "1000"}, {"oracle-se2", 200, "1000"}, {"oracle-se2", 199, "10000"}, {"sqlserver-se", 5000, "10000"},
	} {
		e, err := c.Estimate(planOf(t, virginia, change{address: "aws_db_instance.x", actions: "create", conf: object{},
			after: object{"engine": x.engine, "instance_class": "db.m5.large", "allocated_storage": x.size, "storage_type": "gp3", "iops": 13000}}), Options{})
		if err != nil {
			t.Fatal(err)
		}
		paid := ""
		for _, line := range only(t, e).Components {
			if line.Name == "Storage IOPS" {
				paid = line.Quantity.String()
			}
		}
		if paid != x.want {
			t.Errorf("%s with %d GB pays %s IOPS, want %s", x.engine, x.size, paid, x.want)
		}
	}
}

// What nobody says of a disk is Google's default for its kind; of a kind
// without one it is not known.
func TestGoogleDiskDefaults(t *testing.T) {
	for typ, gb := range map[string]string{"pd-standard": "500", "pd-balanced": "100", "pd-ssd": "100", "hyperdisk-balanced": ""} {
		r := only(t, estimate(t, planOf(t, virginia, change{address: "google_compute_disk.x", actions: "create", after: object{"zone": "us-central1-a", "type": typ}, unknown: object{"size": true}, conf: object{}})))
		if gb == "" {
			if r.Status != StatusUnknown {
				t.Errorf("%s: %+v", typ, r)
			}
			continue
		}
		if len(r.Components) != 1 || !r.Components[0].Quantity.Equal(figure(gb)) {
			t.Errorf("%s: %+v, want %s GB", typ, r, gb)
		}
	}
}

// A cluster in one zone names the further ones, one in a region all of them;
// a pool all of its own.
func TestZonesOfAClusterInOneZone(t *testing.T) {
	node := []any{object{"machine_type": "n1-standard-1", "disk_type": "pd-ssd", "disk_size_gb": 10}}
	each := "(730 × 0.04749975 + 10 × 0.17)"
	for _, c := range []struct {
		location  string
		locations []any
		want      string
	}{
		{"us-central1-a", []any{"us-central1-b", "us-central1-c"}, "730 × 0.10 + 3 × " + each},
		{"us-central1-a", []any{}, "730 × 0.10 + 1 × " + each},
		{"us-central1", []any{"us-central1-b", "us-central1-c"}, "730 × 0.10 + 2 × " + each},
	} {
		r := only(t, estimate(t, planOf(t, virginia, change{address: "google_container_cluster.x", actions: "create", conf: object{},
			after: object{"location": c.location, "node_locations": c.locations, "initial_node_count": 1, "node_config": node}})))
		if want := work(t, c.want); r.After == nil || !r.After.Equal(want) {
			t.Errorf("%s %v: %+v, want %s", c.location, c.locations, r, want)
		}
	}
	cluster := change{address: "google_container_cluster.c", actions: "create", conf: object{}, after: object{"name": "c", "location": "us-central1-a", "node_locations": []any{"us-central1-b"}, "initial_node_count": 1, "remove_default_node_pool": true}}
	for _, c := range []struct {
		locations []any
		want      string
	}{{[]any{"us-central1-b"}, "1 × 2 × " + each}, {nil, "2 × 2 × " + each}} {
		pool := change{address: "google_container_node_pool.p", actions: "create", conf: object{}, after: object{"cluster": "c", "location": "us-central1-a", "node_count": 2, "node_config": node}}
		if c.locations != nil {
			pool.after["node_locations"] = c.locations
		}
		r := of(t, estimate(t, planOf(t, virginia, cluster, pool)), "google_container_node_pool.p")
		if want := work(t, c.want); r.After == nil || !r.After.Equal(want) {
			t.Errorf("pool in %v: %+v, want %s", c.locations, r, want)
		}
	}
}

// Each instance of a managed group has the external address of its template.
func TestGoogleGroupWithAddresses(t *testing.T) {
	tmpl := change{address: "google_compute_instance_template.t", actions: "create", after: object{"machine_type": "n1-standard-1", "disk": []any{object{"disk_type": "pd-ssd", "disk_size_gb": 20}}, "network_interface": []any{object{"access_config": []any{object{}}}}}, unknown: object{"self_link": true}, conf: object{}}
	g := change{address: "google_compute_instance_group_manager.g", actions: "create", after: object{"zone": "us-central1-a", "target_size": 2, "version": []any{object{}}},
		conf: object{"version": []any{object{"instance_template": refs("google_compute_instance_template.t.self_link", "google_compute_instance_template.t")}}}}
	r := of(t, estimate(t, planOf(t, virginia, tmpl, g)), "google_compute_instance_group_manager.g")
	if want := work(t, "2 × (730 × 0.04749975 + 20 × 0.17 + 730 × 0.005)"); r.After == nil || !r.After.Equal(want) {
		t.Errorf("%+v, want %s", r, want)
	}
}

// A database of many DTUs pays for what it has beyond what is included, too.
func TestStorageBeyondDTUs(t *testing.T) {
	c := priced(t, map[pricebook.Key]string{
		{Cloud: "azure", Service: "sql", Region: "eastus", SKU: "s12"}: "6", {Cloud: "azure", Service: "sql", Region: "eastus", SKU: "p15"}: "20",
		{Cloud: "azure", Service: "sql", Region: "eastus", SKU: "dtu-storage-s"}: "0.2", {Cloud: "azure", Service: "sql", Region: "eastus", SKU: "dtu-storage-p"}: "0.4",
	}, "month")
	for sku, want := range map[string]string{"S12": "160.8", "P15": "20"} { // 6 + (1024 - 250) × 0.2; all is included
		e, err := c.Estimate(planOf(t, virginia, change{address: "azurerm_mssql_database.x", actions: "create", after: object{"sku_name": sku, "max_size_gb": 1024}, unknown: object{"server_id": true}, conf: object{"server_id": refs("azurerm_mssql_server.s.id", "azurerm_mssql_server.s")}},
			change{address: "azurerm_mssql_server.s", actions: "create", after: object{"location": "eastus"}, conf: object{}}), Options{})
		if err != nil || !e.After.Equal(figure(want)) {
			t.Errorf("%s: %s, %v; want %s: %+v", sku, e.After, err, want, e.Resources)
		}
	}
}

package cost

import (
	"testing"

	"github.com/shopspring/decimal"
)

// worked are resources as a plan creates them, with what they cost a month and
// how that comes about. Prices are those of the embedded catalogue: when it is
// made anew with newer ones, these sums are what has to be looked at.
var worked = []struct {
	name    string
	typ     string
	after   object
	unknown object
	status  Status
	want    string // a month, of what is priced
	how     string
}{
	{"instance with its default root", "aws_instance",
		object{"instance_type": "m5.large"}, object{"root_block_device": true},
		StatusPriced, "70.88", "730 × 0.096 + 8 × 0.10"},
	{"instance with volumes", "aws_instance",
		object{
			"instance_type": "t3.micro", "root_block_device": []any{object{"volume_type": "gp3", "volume_size": 50}},
			"ebs_block_device": []any{object{"volume_type": "io1", "volume_size": 100, "iops": 1000}},
		}, nil,
		StatusPriced, "89.092", "730 × 0.0104 + 50 × 0.08 + 100 × 0.125 + 1000 × 0.065"},
	{"instance with monitoring and address", "aws_instance",
		object{"instance_type": "c7g.xlarge", "monitoring": true, "associate_public_ip_address": true}, nil,
		StatusPriced, "112.4", "730 × 0.145 + 8 × 0.10 + 7 × 0.30 + 730 × 0.005"},
	{"windows instance", "aws_instance",
		object{"instance_type": "m5.large", "get_password_data": true}, nil,
		StatusPriced, "138.04", "730 × 0.188 + 8 × 0.10"},
	{"instance of a type that isn't sold", "aws_instance",
		object{"instance_type": "m99.large", "root_block_device": []any{object{"volume_type": "gp3", "volume_size": 10}}}, nil,
		StatusPartial, "0.8", "10 × 0.08, and the instance unknown"},
	{"instance of a type that isn't known", "aws_instance",
		object{}, object{"instance_type": true, "root_block_device": true},
		StatusPartial, "0.8", "8 × 0.10, and the instance unknown"},
	{"dedicated instance", "aws_instance",
		object{"instance_type": "m5.large", "tenancy": "dedicated"}, nil,
		StatusNoPrice, "0", ""},
	{"gp3 volume", "aws_ebs_volume",
		object{"availability_zone": "us-east-1a", "type": "gp3", "size": 100}, object{"iops": true, "throughput": true},
		StatusPriced, "8", "100 × 0.08"},
	{"gp3 volume with more of everything", "aws_ebs_volume",
		object{"availability_zone": "eu-west-1c", "type": "gp3", "size": 100, "iops": 4000, "throughput": 250}, nil,
		StatusPriced, "19.8", "100 × 0.088 + 1000 × 0.0055 + 125 × 0.044"},
	{"gp3 volume with more, where that has no price", "aws_ebs_volume",
		object{"availability_zone": "us-east-1a", "type": "gp3", "size": 100, "iops": 4000}, nil,
		StatusPartial, "8", "100 × 0.08"},
	{"io2 volume over all tiers", "aws_ebs_volume",
		object{"availability_zone": "eu-west-1a", "type": "io2", "size": 1000, "iops": 70000}, nil,
		StatusPriced, "4266.48", "1000 × 0.138 + 32000 × 0.072 + 32000 × 0.0504 + 6000 × 0.03528"},
	{"io1 volume of unknown speed", "aws_ebs_volume",
		object{"availability_zone": "us-east-1a", "type": "io1", "size": 100}, object{"iops": true},
		StatusPartial, "12.5", "100 × 0.125"},
	{"volume from a snapshot", "aws_ebs_volume",
		object{"availability_zone": "us-east-1a", "snapshot_id": "snap-1"}, object{"size": true},
		StatusUnknown, "0", ""},
	{"volume in a region without prices", "aws_ebs_volume",
		object{"availability_zone": "us-west-2b", "type": "gp3", "size": 100}, nil,
		StatusNoPrice, "0", ""},
	{"database", "aws_db_instance",
		object{"engine": "postgres", "instance_class": "db.m5.large", "allocated_storage": 100, "storage_type": "gp2"}, nil,
		StatusPriced, "141.44", "730 × 0.178 + 100 × 0.115"},
	{"database in two zones, storage twice that of one", "aws_db_instance",
		object{"engine": "postgres", "instance_class": "db.m5.large", "allocated_storage": 100, "storage_type": "gp2", "multi_az": true}, nil,
		StatusPriced, "282.88", "730 × 0.356 + 200 × 0.115"},
	{"database in two zones, with a price for two", "aws_db_instance",
		object{"engine": "mysql", "instance_class": "db.t3.micro", "allocated_storage": 100, "storage_type": "gp2", "multi_az": true, "availability_zone": "eu-west-1a"}, nil,
		StatusPriced, "51.58", "730 × 0.036 + 100 × 0.253"},
	{"database with provisioned speed", "aws_db_instance",
		object{"engine": "mysql", "instance_class": "db.t3.micro", "allocated_storage": 100, "iops": 1000}, object{"storage_type": true},
		StatusPriced, "124.91", "730 × 0.017 + 100 × 0.125 + 1000 × 0.10"},
	{"commercial database", "aws_db_instance",
		object{"engine": "oracle-se2", "instance_class": "db.m5.large", "allocated_storage": 100, "storage_type": "gp2"}, nil,
		StatusPartial, "11.5", "100 × 0.115"},
	{"aurora instance", "aws_rds_cluster_instance",
		object{"engine": "aurora-postgresql", "instance_class": "db.r5.large"}, nil,
		StatusPriced, "211.7", "730 × 0.29"},
	{"serverless aurora", "aws_rds_cluster_instance",
		object{"engine": "aurora-postgresql", "instance_class": "db.serverless"}, nil,
		StatusUsage, "0", ""},
	{"aurora cluster", "aws_rds_cluster", object{"engine": "aurora-mysql"}, nil, StatusUsage, "0", ""},
	{"NAT gateway", "aws_nat_gateway", object{}, nil, StatusPriced, "32.85", "730 × 0.045"},
	{"application load balancer", "aws_lb", object{"load_balancer_type": "application"}, nil, StatusPriced, "16.425", "730 × 0.0225"},
	{"load balancer of the default type", "aws_alb", object{}, nil, StatusPriced, "16.425", "730 × 0.0225"},
	{"classic load balancer", "aws_elb", object{}, nil, StatusPriced, "18.25", "730 × 0.025"},
	{"address", "aws_eip", object{"domain": "vpc"}, nil, StatusPriced, "3.65", "730 × 0.005"},
	{"gateway endpoint", "aws_vpc_endpoint", object{"vpc_endpoint_type": "Gateway"}, nil, StatusFree, "0", ""},
	{"interface endpoint in two subnets", "aws_vpc_endpoint",
		object{"vpc_endpoint_type": "Interface", "subnet_ids": []any{nil, nil}}, object{"subnet_ids": []any{true, true}},
		StatusPriced, "14.6", "2 × 730 × 0.01"},
	{"redis", "aws_elasticache_cluster",
		object{"engine": "redis", "node_type": "cache.m6g.large", "num_cache_nodes": 2}, nil,
		StatusPriced, "217.54", "2 × 730 × 0.149"},
	{"replication group by shards", "aws_elasticache_replication_group",
		object{"node_type": "cache.m6g.large", "num_node_groups": 2, "replicas_per_node_group": 1}, object{"num_cache_clusters": true, "engine": true},
		StatusPriced, "435.08", "2 × (1 + 1) × 730 × 0.149"},
	{"search domain", "aws_opensearch_domain",
		object{
			"cluster_config": []any{object{"instance_type": "c5.large.search", "instance_count": 3, "dedicated_master_enabled": true, "dedicated_master_type": "c5.large.search", "dedicated_master_count": 3}},
			"ebs_options":    []any{object{"ebs_enabled": true, "volume_type": "gp2", "volume_size": 100}},
		}, nil,
		StatusPriced, "588", "6 × 730 × 0.125 + 3 × 100 × 0.135"},
	{"search domain with more throughput than gp3 has", "aws_opensearch_domain",
		object{
			"cluster_config": []any{object{"instance_type": "c5.large.search", "instance_count": 1}},
			"ebs_options":    []any{object{"ebs_enabled": true, "volume_type": "gp3", "volume_size": 100, "throughput": 250}},
		}, nil,
		StatusPartial, "103.45", "730 × 0.125 + 100 × 0.122"},
	{"cluster", "aws_eks_cluster", object{"version": "1.34"}, nil, StatusPriced, "73", "730 × 0.10"},
	{"cluster of an old version", "aws_eks_cluster", object{"version": "1.31"}, nil, StatusPriced, "438", "730 × 0.60"},
	{"cluster that is upgraded before its version is old", "aws_eks_cluster", object{"version": "1.31", "upgrade_policy": []any{object{"support_type": "STANDARD"}}}, nil, StatusPriced, "73", "730 × 0.10"},
	{"node group", "aws_eks_node_group",
		object{"scaling_config": []any{object{"desired_size": 3}}, "instance_types": []any{"m5.large"}, "disk_size": 50}, nil,
		StatusPriced, "225.24", "3 × (730 × 0.096 + 50 × 0.10)"},
	{"node group of defaults", "aws_eks_node_group",
		object{"scaling_config": []any{object{"desired_size": 2}}}, object{"instance_types": true, "disk_size": true},
		StatusPriced, "64.736", "2 × (730 × 0.0416 + 20 × 0.10)"},
	{"stream", "aws_kinesis_stream", object{"shard_count": 4}, nil, StatusPriced, "43.8", "4 × 730 × 0.015"},
	{"key", "aws_kms_key", object{}, nil, StatusPriced, "1", "1"},
	{"hosted zone", "aws_route53_zone", object{"name": "example.org"}, nil, StatusPriced, "0.5", "0.50"},
	{"firewall rules", "aws_wafv2_web_acl", object{"rule": []any{object{}, object{}}}, nil, StatusPriced, "7", "5 + 2 × 1"},
	{"bucket", "aws_s3_bucket", object{"bucket": "b"}, nil, StatusUsage, "0", ""},
	{"role", "aws_iam_role", object{"name": "r"}, nil, StatusFree, "0", ""},
	{"a type nobody knows", "aws_quantum_annealer", object{}, nil, StatusUnsupported, "0", ""},

	{"linux machine", "azurerm_linux_virtual_machine",
		object{"location": "East US", "size": "Standard_D2s_v3", "os_disk": []any{object{"storage_account_type": "Standard_LRS", "disk_size_gb": 30}}}, nil,
		StatusPriced, "71.62", "730 × 0.096 + S4 1.54"},
	{"windows machine", "azurerm_windows_virtual_machine",
		object{"location": "eastus", "size": "Standard_D2s_v3", "os_disk": []any{object{"storage_account_type": "Premium_LRS", "disk_size_gb": 128}}}, nil,
		StatusPartial, "19.71", "P10 19.71, and no price for Windows"},
	{"windows machine with its own licence", "azurerm_windows_virtual_machine",
		object{"location": "eastus", "size": "Standard_B2s", "license_type": "Windows_Server", "os_disk": []any{object{"storage_account_type": "Premium_LRS", "disk_size_gb": 128}}}, nil,
		StatusPriced, "50.078", "730 × 0.0416 + P10 19.71"},
	{"managed disk, rounded up to its step", "azurerm_managed_disk",
		object{"location": "westeurope", "storage_account_type": "Standard_LRS", "disk_size_gb": 65}, nil,
		StatusPriced, "5.89", "S10 5.89"},
	{"managed disk of a step without a price", "azurerm_managed_disk",
		object{"location": "westeurope", "storage_account_type": "Premium_LRS", "disk_size_gb": 256}, nil,
		StatusNoPrice, "0", ""},
	{"ultra disk", "azurerm_managed_disk",
		object{"location": "eastus", "storage_account_type": "UltraSSD_LRS", "disk_size_gb": 256, "disk_iops_read_write": 1000, "disk_mbps_read_write": 10}, nil,
		StatusPriced, "83.78502", "730 × (256 × 0.000164 + 1000 × 0.000068 + 10 × 0.000479)"},
	{"ultra disk of unknown speed", "azurerm_managed_disk",
		object{"location": "eastus", "storage_account_type": "UltraSSD_LRS", "disk_size_gb": 256}, nil,
		StatusPartial, "30.64832", "730 × 256 × 0.000164"},
	{"static address", "azurerm_public_ip", object{"location": "westeurope", "allocation_method": "Static", "sku": "Standard"}, nil,
		StatusPriced, "3.65", "730 × 0.005"},
	{"kubernetes", "azurerm_kubernetes_cluster",
		object{"location": "eastus", "sku_tier": "Standard", "default_node_pool": []any{object{"vm_size": "Standard_D2s_v3", "node_count": 3, "os_disk_size_gb": 128}}}, nil,
		StatusPriced, "342.37", "730 × 0.10 + 3 × (730 × 0.096 + P10 19.71)"},
	{"kubernetes, free tier, no nodes", "azurerm_kubernetes_cluster",
		object{"location": "eastus", "sku_tier": "Free", "default_node_pool": []any{object{"vm_size": "Standard_D2s_v3", "node_count": 0}}}, nil,
		StatusPriced, "0", "0 × anything"},
	{"postgres", "azurerm_postgresql_flexible_server",
		object{"location": "westus", "sku_name": "GP_Standard_D2ds_v5", "storage_mb": 65536, "high_availability": []any{object{"mode": "ZoneRedundant"}}}, nil,
		StatusPartial, "296.38", "2 × 730 × 0.203, and no price for the storage"},

	{"google instance", "google_compute_instance",
		object{"zone": "us-central1-a", "machine_type": "n1-standard-1", "boot_disk": []any{object{"initialize_params": []any{object{"type": "pd-ssd", "size": 20}}}}}, nil,
		StatusPriced, "38.0748175", "730 × 0.04749975 + 20 × 0.17"},
	{"google instance with address and local disk", "google_compute_instance",
		object{
			"zone": "us-central1-a", "machine_type": "n1-standard-1", "boot_disk": []any{object{"initialize_params": []any{object{"type": "pd-ssd", "size": 20}}}},
			"scratch_disk": []any{object{"interface": "NVME"}}, "network_interface": []any{object{"access_config": []any{object{}}}},
		}, nil,
		StatusPriced, "71.7248175", "38.0748175 + 375 × 0.08 + 730 × 0.005"},
	{"google instance with a processor that has no price", "google_compute_instance",
		object{
			"zone": "us-central1-a", "machine_type": "n1-standard-1", "boot_disk": []any{object{"initialize_params": []any{object{"type": "pd-ssd", "size": 20}}}},
			"guest_accelerator": []any{object{"type": "nvidia-tesla-t4", "count": 1}},
		}, nil,
		StatusPartial, "38.0748175", "730 × 0.04749975 + 20 × 0.17"},
	{"disk", "google_compute_disk", object{"zone": "us-central1-b", "type": "pd-ssd", "size": 100}, nil, StatusPriced, "17", "100 × 0.17"},
	{"disk in two zones", "google_compute_region_disk", object{"region": "us-central1", "type": "pd-ssd", "size": 100}, nil, StatusPriced, "34", "100 × 0.34"},
	{"unused address", "google_compute_address", object{"region": "us-central1"}, object{"users": true}, StatusPriced, "7.3", "730 × 0.01"},
	{"internal address", "google_compute_address", object{"region": "us-central1", "address_type": "INTERNAL"}, nil, StatusFree, "0", ""},
	{"regional cluster with its default pool", "google_container_cluster",
		object{"location": "us-central1", "initial_node_count": 1, "node_config": []any{object{"machine_type": "n1-standard-1", "disk_type": "pd-ssd", "disk_size_gb": 10}}}, nil,
		StatusPriced, "182.1244525", "730 × 0.10 + 3 × (730 × 0.04749975 + 10 × 0.17)"},
	{"cluster without a default pool", "google_container_cluster",
		object{"location": "us-central1", "initial_node_count": 1, "remove_default_node_pool": true}, nil,
		StatusPriced, "73", "730 × 0.10"},
	{"node pool in one zone", "google_container_node_pool",
		object{"location": "us-central1-a", "node_count": 2, "node_config": []any{object{"machine_type": "n1-standard-1", "disk_type": "pd-ssd", "disk_size_gb": 10}}}, nil,
		StatusPriced, "72.749635", "2 × (730 × 0.04749975 + 10 × 0.17)"},
	{"sql", "google_sql_database_instance",
		object{"region": "us-central1", "database_version": "POSTGRES_15", "settings": []any{object{"tier": "db-custom-2-7680", "disk_size": 100, "disk_type": "PD_SSD"}}}, nil,
		StatusPriced, "115.623", "2 × 730 × 0.0413 + 7.5 × 5.11 + 100 × 0.17"},
	{"sql in two zones", "google_sql_database_instance",
		object{"region": "us-central1", "database_version": "MYSQL_8_0", "settings": []any{object{"tier": "db-n1-standard-1", "disk_size": 10, "availability_type": "REGIONAL"}}}, nil,
		StatusPriced, "102.023", "730 × 0.0826 + 3.75 × 10.22 + 10 × 0.34"},
	{"sql server", "google_sql_database_instance",
		object{"region": "us-central1", "database_version": "SQLSERVER_2019_WEB", "settings": []any{object{"tier": "db-custom-2-7680"}}}, nil,
		StatusPartial, "1.7", "10 × 0.17, and no price for SQL Server"},
	{"redis of a band", "google_redis_instance", object{"region": "us-central1", "memory_size_gb": 5}, nil, StatusPriced, "98.55", "5 × 19.71"},
}

func TestWorkedExamples(t *testing.T) {
	for _, w := range worked {
		t.Run(w.typ+"/"+w.name, func(t *testing.T) {
			e := estimate(t, planOf(t, virginia, change{
				address: w.typ + ".x", actions: "create", after: w.after, unknown: w.unknown, conf: object{},
			}))
			r := only(t, e)
			want := decimal.RequireFromString(w.want)
			if r.Status != w.status || !e.After.Equal(want) {
				t.Fatalf("%s %s; want %s %s = %s\n%+v", r.Status, e.After, w.status, w.want, w.how, r)
			}
			known := w.status == StatusPriced || w.status == StatusFree || w.status == StatusUsage
			if e.AtLeast == known || (e.Bound == BoundExact) != known || (r.Delta != nil) != known {
				t.Errorf("at least %v, bound %s, delta %v for %s", e.AtLeast, e.Bound, r.Delta, r.Status)
			}
			if !known && w.status != StatusPartial && (r.After != nil || e.AsOf != "") {
				t.Errorf("unpriced, but after %v as of %q", r.After, e.AsOf)
			}
			if e.After.IsPositive() && e.AsOf == "" {
				t.Error("priced, but the prices have no date")
			}
			// The same thing deleted costs the same before.
			gone := estimate(t, planOf(t, virginia, change{address: w.typ + ".x", actions: "delete", before: w.after, conf: object{}}))
			if w.unknown == nil && (!gone.Before.Equal(want) || !gone.Delta.Equal(want.Neg())) {
				t.Errorf("deleted: before %s, delta %s", gone.Before, gone.Delta)
			}
			// And unchanged it changes nothing, priced or not.
			same := estimate(t, planOf(t, virginia, change{address: w.typ + ".x", actions: "no-op", before: w.after, after: w.after, conf: object{}}))
			if !same.Delta.IsZero() || same.Bound != BoundExact {
				t.Errorf("unchanged: delta %s, bound %s", same.Delta, same.Bound)
			}
		})
	}
}

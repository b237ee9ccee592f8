package main

// offerRule takes one usage type from AWS's offer files.
type offerRule struct {
	service, family, usage string
	to, sku, unit          string
	divide                 int64 // by how much, where the file's unit is larger than ours
}

var offerRules = []offerRule{
	{"AmazonEC2", "Storage", "EU-EBS:VolumeUsage", "ebs", "standard", "GB-month", 0},
	{"AmazonEC2", "Storage", "EU-EBS:VolumeUsage.gp2", "ebs", "gp2", "GB-month", 0},
	{"AmazonEC2", "Storage", "EU-EBS:VolumeUsage.gp3", "ebs", "gp3", "GB-month", 0},
	{"AmazonEC2", "Storage", "EU-EBS:VolumeUsage.piops", "ebs", "io1", "GB-month", 0},
	{"AmazonEC2", "Storage", "EU-EBS:VolumeUsage.io2", "ebs", "io2", "GB-month", 0},
	{"AmazonEC2", "Storage", "EU-EBS:VolumeUsage.st1", "ebs", "st1", "GB-month", 0},
	{"AmazonEC2", "Storage", "EU-EBS:VolumeUsage.sc1", "ebs", "sc1", "GB-month", 0},
	{"AmazonEC2", "System Operation", "EU-EBS:VolumeP-IOPS.piops", "ebs", "io1-iops", "IOPS-month", 0},
	{"AmazonEC2", "System Operation", "EU-EBS:VolumeP-IOPS.io2", "ebs", "io2-iops", "IOPS-month", 0},
	{"AmazonEC2", "System Operation", "EU-EBS:VolumeP-IOPS.io2.tier2", "ebs", "io2-iops-tier2", "IOPS-month", 0},
	{"AmazonEC2", "System Operation", "EU-EBS:VolumeP-IOPS.io2.tier3", "ebs", "io2-iops-tier3", "IOPS-month", 0},
	{"AmazonEC2", "System Operation", "EU-EBS:VolumeP-IOPS.gp3", "ebs", "gp3-iops", "IOPS-month", 0},
	{"AmazonEC2", "Provisioned Throughput", "EU-EBS:VolumeP-Throughput.gp3", "ebs", "gp3-throughput", "MBps-month", 1024}, // GiBps
	{"AmazonEC2", "NAT Gateway", "EU-NatGateway-Hours", "vpc", "nat-gateway", "hour", 0},
	{"AmazonEC2", "Load Balancer", "EU-LoadBalancerUsage", "elb", "classic", "hour", 0},
	{"AWSELB", "Load Balancer-Application", "EU-LoadBalancerUsage", "elb", "application", "hour", 0},
	{"AWSELB", "Load Balancer-Network", "EU-LoadBalancerUsage", "elb", "network", "hour", 0},
	{"AWSELB", "Load Balancer-Gateway", "EU-LoadBalancerUsage", "elb", "gateway", "hour", 0},
	{"AmazonCloudWatch", "Alarm", "EU-CW:AlarmMonitorUsage", "cloudwatch", "alarm", "month", 0},
	{"AmazonCloudWatch", "Alarm", "EU-CW:HighResAlarmMonitorUsage", "cloudwatch", "alarm-high-resolution", "month", 0},
	{"AmazonCloudWatch", "Alarm", "EU-CW:CompositeAlarmMonitorUsage", "cloudwatch", "alarm-composite", "month", 0},
	{"AmazonCloudWatch", "Metric", "EU-CW:MetricMonitorUsage", "cloudwatch", "metric", "metric-month", 0},
	{"AmazonRDS", "Database Storage", "EU-RDS:GP2-Storage", "rds-storage", "gp2/single-az", "GB-month", 0},
	{"AmazonRDS", "Database Storage", "EU-RDS:GP3-Storage", "rds-storage", "gp3/single-az", "GB-month", 0},
	{"AmazonRDS", "Database Storage", "EU-RDS:PIOPS-Storage", "rds-storage", "io1/single-az", "GB-month", 0},
	{"AmazonRDS", "Database Storage", "EU-RDS:StorageUsage", "rds-storage", "standard/single-az", "GB-month", 0},
	{"AmazonRDS", "Database Storage", "EU-RDS:Multi-AZ-GP2-Storage", "rds-storage", "gp2/multi-az", "GB-month", 0},
	{"AmazonRDS", "Database Storage", "EU-RDS:Multi-AZ-GP3-Storage", "rds-storage", "gp3/multi-az", "GB-month", 0},
	{"AmazonRDS", "Database Storage", "EU-RDS:Multi-AZ-PIOPS-Storage", "rds-storage", "io1/multi-az", "GB-month", 0},
	{"AmazonRDS", "Database Storage", "EU-RDS:Multi-AZ-StorageUsage", "rds-storage", "standard/multi-az", "GB-month", 0},
	{"AmazonRDS", "Provisioned IOPS", "EU-RDS:PIOPS", "rds-storage", "io1-iops/single-az", "IOPS-month", 0},
	{"AmazonRDS", "Provisioned IOPS", "EU-RDS:Multi-AZ-PIOPS", "rds-storage", "io1-iops/multi-az", "IOPS-month", 0},
}

// gcpDisks maps the price list's names of disks to Terraform's; "regional" is
// a disk that is kept in two zones.
var gcpDisks = map[string]string{
	"hdd": "pd-standard", "balanced": "pd-balanced", "ssd": "pd-ssd", "extreme": "pd-extreme",
	"hdd-replicated": "pd-standard/regional", "balanced-replicated": "pd-balanced/regional", "ssd-replicated": "pd-ssd/regional",
	"local": "local-ssd", "snapshot": "snapshot",
}

// componentRule takes one component of one resource type, in every region the
// file has it for.
type componentRule struct {
	resource, component string
	service, sku, unit  string
	// quantity is how much of it a month's rounded cost was divided by, where
	// the figure was made so: see recoverPrice. "" leaves it as it is.
	quantity string
}

const month = "730"

var componentRules = []componentRule{
	{"aws_ebs_volume", "Storage (general purpose SSD, gp2)", "ebs", "gp2", "GB-month", ""},
	{"aws_instance", "Storage (general purpose SSD, gp3)", "ebs", "gp3", "GB-month", ""},
	{"aws_ebs_volume", "Storage (provisioned IOPS SSD, io1)", "ebs", "io1", "GB-month", ""},
	{"aws_ebs_volume", "Storage (provisioned IOPS SSD, io2)", "ebs", "io2", "GB-month", ""},
	{"aws_ebs_volume", "Storage (throughput optimized HDD, st1)", "ebs", "st1", "GB-month", ""},
	{"aws_ebs_volume", "Storage (magnetic)", "ebs", "standard", "GB-month", ""},
	{"aws_ebs_volume", "Provisioned IOPS", "ebs", "io1-iops", "IOPS-month", ""},
	{"aws_instance", "EC2 detailed monitoring", "cloudwatch", "metric", "metric-month", ""},
	{"aws_nat_gateway", "NAT gateway", "vpc", "nat-gateway", "hour", month},
	{"aws_vpc_endpoint", "Endpoint (Interface)", "vpc", "endpoint-interface", "hour", month},
	{"aws_vpc_endpoint", "Endpoint (GatewayLoadBalancer)", "vpc", "endpoint-gatewayloadbalancer", "hour", month},
	{"aws_vpn_connection", "VPN connection", "vpc", "vpn-connection", "hour", month},
	{"aws_ec2_transit_gateway_vpc_attachment", "Transit gateway attachment", "vpc", "transit-gateway-attachment", "hour", month},
	{"aws_ec2_client_vpn_network_association", "Endpoint association", "vpc", "client-vpn-association", "hour", month},
	{"aws_networkfirewall_firewall", "Network Firewall Endpoint", "vpc", "network-firewall-endpoint", "hour", month},
	{"aws_lb", "Application load balancer", "elb", "application", "hour", month},
	{"aws_lb", "Network load balancer", "elb", "network", "hour", month},
	{"aws_elb", "Classic load balancer", "elb", "classic", "hour", month},
	{"aws_db_instance", "Storage (general purpose SSD, gp2)", "rds-storage", "gp2/single-az", "GB-month", ""},
	{"aws_db_instance", "Storage (magnetic)", "rds-storage", "standard/single-az", "GB-month", ""},
	{"aws_db_instance", "Storage (provisioned IOPS SSD, io1)", "rds-storage", "io1/single-az", "GB-month", ""},
	{"aws_db_instance", "Provisioned IOPS", "rds-storage", "io1-iops/single-az", "IOPS-month", ""},
	{"aws_opensearch_domain", "Storage (gp2)", "opensearch-storage", "gp2", "GB-month", ""},
	{"aws_elasticsearch_domain", "Storage (gp3)", "opensearch-storage", "gp3", "GB-month", ""},
	{"aws_opensearch_domain", "Storage (io1)", "opensearch-storage", "io1", "GB-month", ""},
	{"aws_opensearch_domain", "Storage (standard)", "opensearch-storage", "standard", "GB-month", "123"},
	{"aws_opensearch_domain", "UltraWarm instance (on-demand, ultrawarm1.medium.search)", "opensearch", "ultrawarm1.medium.search", "hour", month},
	{"aws_kinesis_stream", "PROVISIONED", "kinesis", "shard", "hour", month},
	{"aws_kinesis_stream", "ON_DEMAND", "kinesis", "stream-on-demand", "hour", month},
	{"aws_wafv2_web_acl", "Web ACL usage", "waf", "web-acl", "month", ""},
	{"aws_wafv2_web_acl", "Rules", "waf", "rule", "month", ""},
	{"aws_docdb_cluster_instance", "Database instance (on-demand, db.t3.medium)", "docdb", "db.t3.medium", "hour", month},
	{"aws_docdb_cluster_instance", "Database instance (on-demand, db.r5.4xlarge)", "docdb", "db.r5.4xlarge", "hour", month},
	{"aws_msk_cluster", "Instance (kafka.t3.small)", "msk", "kafka.t3.small", "hour", month},
	{"aws_msk_cluster", "Instance (kafka.m5.24xlarge)", "msk", "kafka.m5.24xlarge", "hour", month},
	{"aws_msk_cluster", "Storage", "msk", "storage", "GB-month", ""},
	{"aws_redshift_cluster", "Cluster usage (on-demand, dc2.large)", "redshift", "dc2.large", "hour", month},
	{"aws_redshift_cluster", "Cluster usage (on-demand, ds2.8xlarge)", "redshift", "ds2.8xlarge", "hour", month},
	{"aws_redshift_cluster", "Cluster usage (on-demand, ra3.4xlarge)", "redshift", "ra3.4xlarge", "hour", month},
	{"aws_redshift_cluster", "Cluster usage (on-demand, ra3.16xlarge)", "redshift", "ra3.16xlarge", "hour", month},

	{"azurerm_public_ip", "IP address (static, regional)", "network", "ip-static-regional", "hour", month},
	{"azurerm_public_ip", "IP address (dynamic, regional)", "network", "ip-dynamic-regional", "hour", month},
	{"azurerm_public_ip", "IP address (static, global)", "network", "ip-static-global", "hour", month},
	{"azurerm_nat_gateway", "NAT gateway", "network", "nat-gateway", "hour", month},
	{"azurerm_private_endpoint", "Private endpoint", "network", "private-endpoint", "hour", month},
	{"azurerm_firewall", "Deployment (Standard)", "network", "firewall-standard", "hour", month},
	{"azurerm_firewall", "Deployment (Premium)", "network", "firewall-premium", "hour", month},
	{"azurerm_virtual_network_gateway", "VPN gateway (Basic)", "network", "vpn-gateway-basic", "hour", month},
	{"azurerm_virtual_network_gateway", "VPN gateway (VpnGw1)", "network", "vpn-gateway-vpngw1", "hour", month},
	{"azurerm_virtual_network_gateway", "VPN gateway (VpnGw1AZ)", "network", "vpn-gateway-vpngw1az", "hour", month},
	{"azurerm_virtual_network_gateway", "VPN gateway (VpnGw2)", "network", "vpn-gateway-vpngw2", "hour", month},
	{"azurerm_virtual_network_gateway", "VPN gateway (VpnGw3)", "network", "vpn-gateway-vpngw3", "hour", month},
	{"azurerm_virtual_network_gateway", "VPN gateway (VpnGw4)", "network", "vpn-gateway-vpngw4", "hour", month},
	{"azurerm_virtual_network_gateway", "VPN gateway (VpnGw5)", "network", "vpn-gateway-vpngw5", "hour", month},
	{"azurerm_managed_disk", "Storage (P4, LRS)", "disk", "p4/lrs", "month", ""},
	{"azurerm_kubernetes_cluster", "Storage (P10, LRS)", "disk", "p10/lrs", "month", ""},
	{"azurerm_managed_disk", "Storage (S4, LRS)", "disk", "s4/lrs", "month", ""},
	{"azurerm_managed_disk", "Storage (S10, LRS)", "disk", "s10/lrs", "month", ""},
	{"azurerm_kubernetes_cluster", "Storage (S10, LRS)", "disk", "s10/lrs", "month", ""},
	{"azurerm_linux_virtual_machine", "Storage (E4, LRS)", "disk", "e4/lrs", "month", ""},
	{"azurerm_linux_virtual_machine", "Storage (E30, LRS)", "disk", "e30/lrs", "month", ""},
	{"azurerm_virtual_machine_scale_set", "Storage (E4, LRS)", "disk", "e4/lrs", "month", ""},
	{"azurerm_virtual_machine_scale_set", "Storage (S4, LRS)", "disk", "s4/lrs", "month", ""},
	{"azurerm_container_registry", "Registry usage (Basic)", "container-registry", "basic", "day", "30"},
	{"azurerm_container_registry", "Registry usage (Premium)", "container-registry", "premium", "day", "30"},
	{"azurerm_app_service_plan", "Instance usage (B2)", "app-service", "linux/b2", "hour", month},
	{"azurerm_app_service_plan", "Instance usage (S1)", "app-service", "windows/s1", "hour", month},
	{"azurerm_postgresql_flexible_server", "Compute (B_Standard_B1ms)", "postgresql-flexible", "b_standard_b1ms", "hour", month},
	{"azurerm_postgresql_flexible_server", "Compute (B_Standard_B2ms)", "postgresql-flexible", "b_standard_b2ms", "hour", month},
	{"azurerm_postgresql_flexible_server", "Compute (GP_Standard_D2ds_v5)", "postgresql-flexible", "gp_standard_d2ds_v5", "hour", month},
	{"azurerm_postgresql_flexible_server", "Compute (GP_Standard_D2ads_v5)", "postgresql-flexible", "gp_standard_d2ads_v5", "hour", month},
	{"azurerm_postgresql_flexible_server", "Compute (GP_Standard_D16s_v3)", "postgresql-flexible", "gp_standard_d16s_v3", "hour", month},
	{"azurerm_postgresql_flexible_server", "Compute (MO_Standard_E4s_v3)", "postgresql-flexible", "mo_standard_e4s_v3", "hour", month},
	{"azurerm_postgresql_flexible_server", "Storage", "postgresql-flexible", "storage", "GB-month", ""},
	{"azurerm_redis_cache", "Cache usage (Basic_C4)", "redis", "basic_c4", "node-month", ""},
	{"azurerm_redis_cache", "Cache usage (Premium_P1)", "redis", "premium_p1", "node-month", ""},
	{"azurerm_redis_cache", "Cache usage (Premium_P2)", "redis", "premium_p2", "node-month", ""},
	{"azurerm_redis_cache", "Cache usage (Premium_P3)", "redis", "premium_p3", "node-month", ""},

	{"google_sql_database_instance", "vCPUs (1, zonal)", "sql", "vcpu/zonal", "hour", month},
	{"google_sql_database_instance", "vCPUs (1, regional)", "sql", "vcpu/regional", "hour", month},
	{"google_sql_database_instance", "Memory (3.75 GB, zonal)", "sql", "memory/zonal", "GB-month", "3.75"},
	{"google_sql_database_instance", "Memory (3.75 GB, regional)", "sql", "memory/regional", "GB-month", "3.75"},
	{"google_sql_database_instance", "SQL instance (db-g1-small, zonal)", "sql", "db-g1-small/zonal", "hour", month},
	{"google_sql_database_instance", "Storage (SSD, zonal)", "sql", "storage-ssd/zonal", "GB-month", ""},
	{"google_sql_database_instance", "Storage (SSD, regional)", "sql", "storage-ssd/regional", "GB-month", ""},
	{"google_redis_instance", "Redis instance (basic, M1)", "redis", "basic/m1", "GB-month", ""},
	{"google_redis_instance", "Redis instance (basic, M2)", "redis", "basic/m2", "GB-month", ""},
	{"google_redis_instance", "Redis instance (basic, M3)", "redis", "basic/m3", "GB-month", ""},
	{"google_redis_instance", "Redis instance (basic, M4)", "redis", "basic/m4", "GB-month", ""},
	{"google_redis_instance", "Redis instance (basic, M5)", "redis", "basic/m5", "GB-month", ""},
	{"google_redis_instance", "Redis instance (standard, M1)", "redis", "standard/m1", "GB-month", ""},
	{"google_redis_instance", "Redis instance (standard, M3)", "redis", "standard/m3", "GB-month", ""},
	{"google_redis_instance", "Redis instance (standard, M4)", "redis", "standard/m4", "GB-month", ""},
	{"google_redis_instance", "Redis instance (standard, M5)", "redis", "standard/m5", "GB-month", ""},
	{"google_compute_global_address", "IP address (unused)", "network-global", "ip-unused", "hour", month},
}

// globalPrices are prices that the vendor publishes without a region.
var globalPrices = []struct{ cloud, service, sku, amount, unit string }{
	{"aws", "vpc", "public-ipv4", "0.005", "hour"},
	{"aws", "eks", "cluster", "0.10", "hour"},
	{"aws", "eks", "cluster-extended-support", "0.60", "hour"},
	{"aws", "kms", "key", "1", "month"},
	{"aws", "secretsmanager", "secret", "0.40", "month"},
	{"aws", "route53", "zone", "0.50", "month"},
	{"azure", "aks", "cluster-standard", "0.10", "hour"},
	{"azure", "dns", "zone", "0.50", "month"},
	{"gcp", "gke", "cluster", "0.10", "hour"},
	{"gcp", "dns", "zone", "0.20", "month"},
}

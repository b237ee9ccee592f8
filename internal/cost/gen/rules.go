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
	{"AmazonRDS", "Provisioned IOPS", "EU-RDS:GP3-PIOPS", "rds-storage", "gp3-iops/single-az", "IOPS-month", 0},
	{"AmazonRDS", "Provisioned IOPS", "EU-RDS:Multi-AZ-GP3-PIOPS", "rds-storage", "gp3-iops/multi-az", "IOPS-month", 0},
	{"AmazonRDS", "Provisioned Throughput", "EU-RDS:GP3-Throughput", "rds-storage", "gp3-throughput/single-az", "MBps-month", 0},
	{"AmazonRDS", "Provisioned Throughput", "EU-RDS:Multi-AZ-GP3-Throughput", "rds-storage", "gp3-throughput/multi-az", "MBps-month", 0},
	{"AmazonRDS", "Storage Snapshot", "EU-RDS:ChargedBackupUsage", "rds-storage", "backup", "GB-month", 0},
	{"AmazonRDS", "System Operation", "EU-RDS:StorageIOUsage", "rds-storage", "standard-io", "request", 0},
	{"AmazonRDS", "RDSProxy", "EU-RDS:ProxyUsage", "rds-extra", "proxy", "hour", 0},
	{"AmazonRDS", "Database Storage", "EU-Aurora:StorageUsage", "aurora", "storage", "GB-month", 0},
	{"AmazonRDS", "System Operation", "EU-Aurora:StorageIOUsage", "aurora", "io", "request", 0},
	{"AmazonRDS", "Storage Snapshot", "EU-Aurora:BackupUsage", "aurora", "backup", "GB-month", 0},
	{"AmazonRDS", "System Operation", "EU-Aurora:SnapshotExportToS3", "aurora", "snapshot-export", "GB", 0},
	{"AmazonRDS", "ServerlessV2", "EU-Aurora:ServerlessV2Usage", "aurora", "serverless-v2", "ACU-hour", 0},
	{"AmazonRDS", "Serverless", "EU-Aurora:ServerlessUsage", "aurora", "serverless-v1", "ACU-hour", 0},
	{"AmazonElastiCache", "Storage Snapshot", "EU-ElastiCache:BackupUsage", "elasticache-extra", "backup", "GB-month", 0},
	{"AmazonEC2", "Storage Snapshot", "EU-EBS:SnapshotUsage", "ebs", "snapshot", "GB-month", 0},
	{"AmazonEC2", "Fast Snapshot Restore", "EU-EBS:FastSnapshotRestore", "ebs", "fast-snapshot-restore", "DSU-hour", 0},
	{"AmazonEC2", "System Operation", "EU-EBS:VolumeIOUsage", "ebs", "standard-io", "request", 0},
	{"AmazonEC2", "NAT Gateway", "EU-NatGateway-Bytes", "vpc", "nat-gateway-data", "GB", 0},
	{"AmazonEC2", "Load Balancer", "EU-DataProcessing-Bytes", "elb", "classic-data", "GB", 0},
	{"AWSELB", "Load Balancer-Application", "EU-LCUUsage", "elb", "lcu-application", "LCU-hour", 0},
	{"AWSELB", "Load Balancer-Network", "EU-LCUUsage", "elb", "lcu-network", "LCU-hour", 0},
	{"AWSELB", "Load Balancer-Gateway", "EU-LCUUsage", "elb", "lcu-gateway", "LCU-hour", 0},
	{"AmazonCloudWatch", "Data Payload", "EU-DataProcessing-Bytes", "logs", "ingested", "GB", 0},
	{"AmazonCloudWatch", "Storage Snapshot", "EU-TimedStorage-ByteHrs", "logs", "storage", "GB-month", 0},
	{"AmazonCloudWatch", "Data Payload", "EU-DataScanned-Bytes", "logs", "scanned", "GB", 0},
}

// gcpDisks maps the price list's names of disks to Terraform's; "regional" is
// a disk that is kept in two zones.
var gcpDisks = map[string]string{
	"hdd": "pd-standard", "balanced": "pd-balanced", "ssd": "pd-ssd", "extreme": "pd-extreme",
	"hdd-replicated": "pd-standard/regional", "balanced-replicated": "pd-balanced/regional", "ssd-replicated": "pd-ssd/regional",
	"local": "local-ssd", "snapshot": "snapshot", "hyperdisk-extreme": "hyperdisk-extreme",
}

// gcpBuckets maps the price list's names of storage classes to Terraform's.
// Buckets in two or many regions are left out: the list has them by region.
var gcpBuckets = map[string]string{
	"standard": "standard", "nearline": "nearline", "coldline": "coldline", "archiv": "archive",
}

// componentRule takes one component of one resource type, in every region the
// file has it for.
type componentRule struct {
	resource, component string
	service, sku, unit  string
	// quantity is how much of it a month's rounded cost was divided by, where
	// the figure was made so: see recoverPrice. "" leaves it as it is.
	quantity string

	divide string // how many of our units go into the figure's one; "" for one
	region string // where the price holds, if not where the file has it
	only   string // the one region it is taken from
	listed string // the file's unit, where it has the component with several
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

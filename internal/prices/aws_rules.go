package prices

import (
	"regexp"
	"strings"

	"github.com/shopspring/decimal"
)

// awsRule finds a usage type of AWS's a place in the catalogue. The prefix of
// the region is left out of it.
type awsRule struct {
	offers, family, usage string // offers are apart by spaces
	service, sku, unit    string
}

var awsRules = []awsRule{
	{"AmazonEC2", "Storage", "EBS:VolumeUsage", "ebs", "standard", "GB-month"},
	{"AmazonEC2", "Storage", "EBS:VolumeUsage.gp2", "ebs", "gp2", "GB-month"},
	{"AmazonEC2", "Storage", "EBS:VolumeUsage.gp3", "ebs", "gp3", "GB-month"},
	{"AmazonEC2", "Storage", "EBS:VolumeUsage.piops", "ebs", "io1", "GB-month"},
	{"AmazonEC2", "Storage", "EBS:VolumeUsage.io2", "ebs", "io2", "GB-month"},
	{"AmazonEC2", "Storage", "EBS:VolumeUsage.st1", "ebs", "st1", "GB-month"},
	{"AmazonEC2", "Storage", "EBS:VolumeUsage.sc1", "ebs", "sc1", "GB-month"},
	{"AmazonEC2", "System Operation", "EBS:VolumeP-IOPS.piops", "ebs", "io1-iops", "IOPS-month"},
	{"AmazonEC2", "System Operation", "EBS:VolumeP-IOPS.io2", "ebs", "io2-iops", "IOPS-month"},
	{"AmazonEC2", "System Operation", "EBS:VolumeP-IOPS.io2.tier2", "ebs", "io2-iops-tier2", "IOPS-month"},
	{"AmazonEC2", "System Operation", "EBS:VolumeP-IOPS.io2.tier3", "ebs", "io2-iops-tier3", "IOPS-month"},
	{"AmazonEC2", "System Operation", "EBS:VolumeP-IOPS.gp3", "ebs", "gp3-iops", "IOPS-month"},
	{"AmazonEC2", "Provisioned Throughput", "EBS:VolumeP-Throughput.gp3", "ebs", "gp3-throughput", "MBps-month"},
	{"AmazonEC2", "NAT Gateway", "NatGateway-Hours", "vpc", "nat-gateway", "hour"},
	{"AmazonEC2 AWSELB", "Load Balancer", "LoadBalancerUsage", "elb", "classic", "hour"},
	{"AmazonEC2 AWSELB", "Load Balancer-Application", "LoadBalancerUsage", "elb", "application", "hour"},
	{"AmazonEC2 AWSELB", "Load Balancer-Network", "LoadBalancerUsage", "elb", "network", "hour"},
	{"AmazonEC2 AWSELB", "Load Balancer-Gateway", "LoadBalancerUsage", "elb", "gateway", "hour"},
	{"AmazonCloudWatch", "Alarm", "CW:AlarmMonitorUsage", "cloudwatch", "alarm", "month"},
	{"AmazonCloudWatch", "Alarm", "CW:HighResAlarmMonitorUsage", "cloudwatch", "alarm-high-resolution", "month"},
	{"AmazonCloudWatch", "Alarm", "CW:CompositeAlarmMonitorUsage", "cloudwatch", "alarm-composite", "month"},
	{"AmazonCloudWatch", "Metric", "CW:MetricMonitorUsage", "cloudwatch", "metric", "metric-month"},
	{"AmazonRDS", "Database Storage", "RDS:GP2-Storage", "rds-storage", "gp2/single-az", "GB-month"},
	{"AmazonRDS", "Database Storage", "RDS:GP3-Storage", "rds-storage", "gp3/single-az", "GB-month"},
	{"AmazonRDS", "Database Storage", "RDS:PIOPS-Storage", "rds-storage", "io1/single-az", "GB-month"},
	{"AmazonRDS", "Database Storage", "RDS:StorageUsage", "rds-storage", "standard/single-az", "GB-month"},
	{"AmazonRDS", "Database Storage", "RDS:Multi-AZ-GP2-Storage", "rds-storage", "gp2/multi-az", "GB-month"},
	{"AmazonRDS", "Database Storage", "RDS:Multi-AZ-GP3-Storage", "rds-storage", "gp3/multi-az", "GB-month"},
	{"AmazonRDS", "Database Storage", "RDS:Multi-AZ-PIOPS-Storage", "rds-storage", "io1/multi-az", "GB-month"},
	{"AmazonRDS", "Database Storage", "RDS:Multi-AZ-StorageUsage", "rds-storage", "standard/multi-az", "GB-month"},
	{"AmazonRDS", "Provisioned IOPS", "RDS:PIOPS", "rds-storage", "io1-iops/single-az", "IOPS-month"},
	{"AmazonRDS", "Provisioned IOPS", "RDS:Multi-AZ-PIOPS", "rds-storage", "io1-iops/multi-az", "IOPS-month"},
	{"AmazonRDS", "Provisioned IOPS", "RDS:GP3-PIOPS", "rds-storage", "gp3-iops/single-az", "IOPS-month"},
	{"AmazonRDS", "Provisioned IOPS", "RDS:Multi-AZ-GP3-PIOPS", "rds-storage", "gp3-iops/multi-az", "IOPS-month"},
	{"AmazonRDS", "Provisioned Throughput", "RDS:GP3-Throughput", "rds-storage", "gp3-throughput/single-az", "MBps-month"},
	{"AmazonRDS", "Provisioned Throughput", "RDS:Multi-AZ-GP3-Throughput", "rds-storage", "gp3-throughput/multi-az", "MBps-month"},
	{"AmazonRDS", "Storage Snapshot", "RDS:ChargedBackupUsage", "rds-storage", "backup", "GB-month"},
	{"AmazonRDS", "System Operation", "RDS:StorageIOUsage", "rds-storage", "standard-io", "request"},
	{"AmazonRDS", "RDSProxy", "RDS:ProxyUsage", "rds-extra", "proxy", "hour"},
	{"AmazonRDS", "Database Storage", "Aurora:StorageUsage", "aurora", "storage", "GB-month"},
	{"AmazonRDS", "System Operation", "Aurora:StorageIOUsage", "aurora", "io", "request"},
	{"AmazonRDS", "Storage Snapshot", "Aurora:BackupUsage", "aurora", "backup", "GB-month"},
	{"AmazonRDS", "System Operation", "Aurora:SnapshotExportToS3", "aurora", "snapshot-export", "GB"},
	{"AmazonRDS", "ServerlessV2", "Aurora:ServerlessV2Usage", "aurora", "serverless-v2", "ACU-hour"},
	{"AmazonRDS", "Serverless", "Aurora:ServerlessUsage", "aurora", "serverless-v1", "ACU-hour"},
	{"AmazonElastiCache", "Storage Snapshot", "ElastiCache:BackupUsage", "elasticache-extra", "backup", "GB-month"},
	{"AmazonEC2", "Storage Snapshot", "EBS:SnapshotUsage", "ebs", "snapshot", "GB-month"},
	{"AmazonEC2", "Fast Snapshot Restore", "EBS:FastSnapshotRestore", "ebs", "fast-snapshot-restore", "DSU-hour"},
	{"AmazonEC2", "System Operation", "EBS:VolumeIOUsage", "ebs", "standard-io", "request"},
	{"AmazonEC2", "NAT Gateway", "NatGateway-Bytes", "vpc", "nat-gateway-data", "GB"},
	{"AmazonEC2 AWSELB", "Load Balancer", "DataProcessing-Bytes", "elb", "classic-data", "GB"},
	{"AmazonEC2 AWSELB", "Load Balancer-Application", "LCUUsage", "elb", "lcu-application", "LCU-hour"},
	{"AmazonEC2 AWSELB", "Load Balancer-Network", "LCUUsage", "elb", "lcu-network", "LCU-hour"},
	{"AmazonEC2 AWSELB", "Load Balancer-Gateway", "LCUUsage", "elb", "lcu-gateway", "LCU-hour"},
	{"AmazonCloudWatch", "Data Payload", "DataProcessing-Bytes", "logs", "ingested", "GB"},
	{"AmazonCloudWatch", "Storage Snapshot", "TimedStorage-ByteHrs", "logs", "storage", "GB-month"},
	{"AmazonCloudWatch", "Data Payload", "DataScanned-Bytes", "logs", "scanned", "GB"},
	{"AmazonVPC", "VpcEndpoint", "VpcEndpoint-Hours", "vpc", "endpoint-interface", "hour"},
	{"AmazonVPC", "VpcEndpoint", "VpcEndpoint-GWLBE-Hours", "vpc", "endpoint-gatewayloadbalancer", "hour"},
	{"AmazonVPC", "Cloud Connectivity", "VPN-Usage-Hours:ipsec.1", "vpc", "vpn-connection", "hour"},
	{"AmazonVPC", "", "PublicIPv4:InUseAddress", "vpc", "public-ipv4", "hour"}, // the list gives it no family
	{"AmazonVPC", "VPC Public IPv4 Address", "PublicIPv4:InUseAddress", "vpc", "public-ipv4", "hour"},
	{"AmazonES", "Amazon OpenSearch Service Volume", "ES:GP2-Storage", "opensearch-storage", "gp2", "GB-month"},
	{"AmazonES", "Amazon OpenSearch Service Volume", "ES:GP3-Storage", "opensearch-storage", "gp3", "GB-month"},
	{"AmazonES", "Amazon OpenSearch Service Volume", "ES:PIOPS-Storage", "opensearch-storage", "io1", "GB-month"},
	{"AmazonES", "Amazon OpenSearch Service Volume", "ES:Magnetic-Storage", "opensearch-storage", "standard", "GB-month"},
	{"AmazonEKS", "Compute", "AmazonEKS-Hours:perCluster", "eks", "cluster", "hour"},
	{"AmazonEKS", "Compute", "AmazonEKS-Hours:extendedSupport", "eks", "cluster-extended-support", "hour"},
}

type awsUsage struct{ offer, family, usage string }

var awsByUsage = func() map[awsUsage]awsRule {
	m := map[awsUsage]awsRule{}
	for _, r := range awsRules {
		for _, offer := range strings.Fields(r.offers) {
			m[awsUsage{offer, r.family, r.usage}] = r
		}
	}
	// What OpenSearch was called before.
	for _, r := range awsRules {
		if r.family == "Amazon OpenSearch Service Volume" {
			m[awsUsage{r.offers, "Elastic Search Volume", r.usage}] = r
		}
	}
	return m
}()

// awsPrefix is what usage types begin with outside us-east-1: EU-, USW2-, LAX1-.
var awsPrefix = regexp.MustCompile(`^[A-Z]{2,4}[0-9]{0,2}-`)

// awsUsageType leaves the region out of a usage type. Those of us-east-1 have
// none, or USE1-: what else looks like one, as in VPN-Usage-Hours, belongs to
// the name.
func awsUsageType(region, usage string) string {
	if region == "us-east-1" {
		return strings.TrimPrefix(usage, "USE1-")
	}
	return awsPrefix.ReplaceAllString(usage, "")
}

// awsUnits turn AWS's units into the catalogue's, with what their price
// is multiplied with to be one of ours; zero for one.
var awsUnits = map[string]struct {
	unit   string
	factor decimal.Decimal
}{
	"hrs": {unit: "hour"}, "hour": {unit: "hour"}, "hours": {unit: "hour"},
	"gb-mo": {unit: "GB-month"}, "gb-month": {unit: "GB-month"},
	"gb": {unit: "GB"}, "gigabytes": {unit: "GB"},
	"iops-mo":  {unit: "IOPS-month"},
	"mibps-mo": {unit: "MBps-month"}, "mbps-mo": {unit: "MBps-month"},
	"gibps-mo": {unit: "MBps-month", factor: decimal.RequireFromString("0.0009765625")}, // 1 / 1024
	"lcu-hrs":  {unit: "LCU-hour"},
	"dsu-hrs":  {unit: "DSU-hour"},
	"acu-hr":   {unit: "ACU-hour"}, "acu-hrs": {unit: "ACU-hour"},
	"ios": {unit: "request"}, "requests": {unit: "request"},
	"alarms": {unit: "month"}, "metrics": {unit: "metric-month"},
}

// awsUnit reads a unit for a rule that expects one of the catalogue's.
func awsUnit(listed, want string) (decimal.Decimal, bool) {
	u, ok := awsUnits[strings.ToLower(listed)]
	if ok && u.unit == "hour" && strings.HasSuffix(want, "-hour") {
		return decimal.Zero, true // hours of the one thing that is counted
	}
	return u.factor, ok && u.unit == want
}

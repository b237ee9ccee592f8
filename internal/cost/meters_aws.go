package cost

import "maps"

// metered are the types that are paid for by use alone, with what the usage
// file says of them.
var metered = map[string][]meter{}

func init() {
	for _, m := range []map[string][]meter{awsMeters, azureMeters, googleMeters} {
		maps.Copy(metered, m)
	}
}

var route53Queries = []meter{
	{key: "monthly_standard_queries", name: "Queries", service: "route53", tiers: []tier{{"1000000000", "queries"}, {"", "queries-2"}}},
	{key: "monthly_latency_based_queries", name: "Latency based queries", service: "route53", tiers: []tier{{"1000000000", "queries-latency"}, {"", "queries-latency-2"}}},
	{key: "monthly_geo_queries", name: "Geo queries", service: "route53", tiers: []tier{{"1000000000", "queries-geo"}, {"", "queries-geo-2"}}},
}

var configRules = []meter{{key: "monthly_rule_evaluations", name: "Rule evaluations", service: "config", tiers: []tier{{"100000", "evaluation"}, {"500000", "evaluation-2"}, {"", "evaluation-3"}}}}

var cloudFormation = []meter{
	{key: "monthly_handler_operations", name: "Handler operations", service: "cloudformation", sku: "handler"},
	{key: "monthly_duration_secs", name: "Duration beyond 30 seconds", service: "cloudformation", sku: "duration"},
}

var awsMeters = map[string][]meter{
	"aws_backup_vault": {
		{key: "monthly_ebs_snapshot_gb", name: "EBS snapshots", service: "backup", sku: "ebs-snapshot"},
		{key: "monthly_efs_warm_backup_gb", name: "EFS backups, warm", service: "backup", sku: "efs-warm"},
		{key: "monthly_efs_cold_backup_gb", name: "EFS backups, cold", service: "backup", sku: "efs-cold"},
		{key: "monthly_rds_snapshot_gb", name: "RDS snapshots", service: "backup", sku: "rds-snapshot"},
		{key: "monthly_aurora_snapshot_gb", name: "Aurora snapshots", service: "backup", sku: "aurora-snapshot"},
		{key: "monthly_dynamodb_backup_gb", name: "DynamoDB backups", service: "backup", sku: "dynamodb-backup"},
		{key: "monthly_fsx_windows_backup_gb", name: "FSx for Windows backups", service: "backup", sku: "fsx-windows-backup"},
		{key: "monthly_fsx_lustre_backup_gb", name: "FSx for Lustre backups", service: "backup", sku: "fsx-lustre-backup"},
	},
	"aws_api_gateway_rest_api": {{key: "monthly_requests", name: "Requests", service: "apigateway", tiers: []tier{
		{"333000000", "rest"}, {"1000000000", "rest-2"}, {"20000000000", "rest-3"}, {"", "rest-4"},
	}}},
	"aws_cloudformation_stack":     cloudFormation,
	"aws_cloudformation_stack_set": cloudFormation,
	"aws_cloudtrail": {
		{key: "monthly_additional_management_events", name: "Management events, further copies", service: "cloudtrail", sku: "management"},
		{key: "monthly_data_events", name: "Data events", service: "cloudtrail", sku: "data"},
		{key: "monthly_insight_events", name: "Insight events", service: "cloudtrail", sku: "insight"},
	},
	"aws_cloudwatch_event_bus": {
		{key: "monthly_custom_events", name: "Custom events", service: "eventbridge", sku: "custom"},
		{key: "monthly_third_party_events", name: "Third-party events", service: "eventbridge", sku: "third-party"},
		{key: "monthly_archive_processing_gb", name: "Archive processing", service: "eventbridge", sku: "archive"},
		{key: "archive_storage_gb", name: "Archive storage", service: "eventbridge", sku: "archive-storage"},
		{key: "monthly_schema_discovery_events", name: "Schema discovery", service: "eventbridge", sku: "discovery"},
	},
	"aws_cloudwatch_log_group": {
		{key: "monthly_data_ingested_gb", name: "Data ingested", service: "logs", sku: "ingested"},
		{key: "storage_gb", name: "Storage", service: "logs", sku: "storage"},
		{key: "monthly_data_scanned_gb", name: "Data scanned by queries", service: "logs", sku: "scanned"},
	},
	"aws_config_config_rule":               configRules,
	"aws_config_organization_custom_rule":  configRules,
	"aws_config_organization_managed_rule": configRules,
	"aws_config_configuration_recorder": {
		{key: "monthly_config_items", name: "Configuration items", service: "config", sku: "item"},
		{key: "monthly_custom_config_items", name: "Custom configuration items", service: "config", sku: "custom-item"},
	},
	"aws_docdb_cluster": {{key: "backup_storage_gb", name: "Backup storage", service: "docdb", sku: "backup"}},
	"aws_ecr_repository": {
		{key: "storage_gb", name: "Storage", service: "ecr", sku: "storage"},
	},
	"aws_glue_catalog_database": {
		{key: "monthly_objects", name: "Objects stored", service: "glue", sku: "objects"},
		{key: "monthly_requests", name: "Requests", service: "glue", sku: "requests"},
	},
	"aws_glue_crawler": {{key: "monthly_hours", name: "Crawling", service: "glue", sku: "dpu"}},
	"aws_kinesis_firehose_delivery_stream": {{key: "monthly_data_ingested_gb", name: "Data ingested", service: "firehose", tiers: []tier{
		{"500000", "data"}, {"2000000", "data-2"}, {"5000000", "data-3"}, {"", "data-4"},
	}}},
	"aws_neptune_cluster": {
		{key: "storage_gb", name: "Storage", service: "neptune", sku: "storage"},
		{key: "monthly_io_requests", name: "I/O requests", service: "neptune", sku: "io"},
		{key: "backup_storage_gb", name: "Backup storage", service: "neptune", sku: "backup"},
	},
	"aws_route53_record": route53Queries,
	"aws_s3_bucket_analytics_configuration": {
		{key: "monthly_monitored_objects", name: "Objects monitored", service: "s3", sku: "analytics-objects"},
	},
	"aws_s3_bucket_inventory": {{key: "monthly_listed_objects", name: "Objects listed", service: "s3", sku: "inventory-objects"}},
	"aws_s3_bucket": {
		{key: "standard.storage_gb", name: "Storage", service: "s3", sku: "standard"},
		{key: "standard.monthly_tier_1_requests", name: "Requests that write or list", service: "s3", sku: "standard-tier1"},
		{key: "standard.monthly_tier_2_requests", name: "Requests that read", service: "s3", sku: "standard-tier2"},
		{key: "standard.monthly_select_data_scanned_gb", name: "Data scanned by Select", service: "s3", sku: "standard-select-scanned"},
		{key: "standard.monthly_select_data_returned_gb", name: "Data returned by Select", service: "s3", sku: "standard-select-returned"},
	},
	"aws_sfn_state_machine": {
		{key: "monthly_transitions", name: "Transitions", service: "stepfunctions", sku: "transitions"},
		{key: "monthly_requests", name: "Requests", service: "stepfunctions", sku: "requests"},
	},
}

var cloudfrontOut = []tier{
	{"10000", "us/out"}, {"50000", "us/out-2"}, {"150000", "us/out-3"}, {"500000", "us/out-4"},
	{"1024000", "us/out-5"}, {"5120000", "us/out-6"}, {"", "us/out-7"},
}

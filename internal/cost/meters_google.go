package cost

var googleLogging = []meter{{key: "monthly_logging_data_gb", name: "Log data", service: "logging", sku: "data"}}

var googleProxy = []meter{
	{key: "monthly_data_processed_gb", name: "Data processed", service: "network", sku: "proxy-data"},
}

var googleMeters = map[string][]meter{
	"google_artifact_registry_repository": {{key: "storage_gb", name: "Storage", service: "artifact-registry", sku: "storage"}},
	"google_bigquery_dataset":             {{key: "monthly_queries_tb", name: "Queries", service: "bigquery", sku: "queries"}},
	"google_bigquery_table": {
		{key: "monthly_active_storage_gb", name: "Active storage", service: "bigquery", sku: "active-storage"},
		{key: "monthly_long_term_storage_gb", name: "Long-term storage", service: "bigquery", sku: "long-term-storage"},
		{key: "monthly_streaming_inserts_mb", name: "Streaming inserts", service: "bigquery", sku: "streaming"},
		{key: "monthly_storage_write_api_gb", name: "Storage write API", service: "bigquery", sku: "write-api"},
		{key: "monthly_storage_read_api_tb", name: "Storage read API", service: "bigquery", sku: "read-api"},
	},
	"google_compute_image":         {{key: "storage_gb", name: "Storage", service: "disk", sku: "image"}},
	"google_compute_machine_image": {{key: "storage_gb", name: "Storage", service: "disk", sku: "machine-image"}},
	"google_compute_router_nat": {
		{key: "assigned_vms", name: "Gateway for each machine served, to 32", service: "network", hourly: true, tiers: []tier{{"32", "nat-vm"}, {"", ""}}},
		{key: "monthly_data_processed_gb", name: "Data processed", service: "network", sku: "nat-data"},
	},
	"google_compute_snapshot":                      {{key: "storage_gb", name: "Storage", service: "disk", sku: "snapshot"}},
	"google_compute_target_http_proxy":             googleProxy,
	"google_compute_target_https_proxy":            googleProxy,
	"google_compute_target_ssl_proxy":              googleProxy,
	"google_compute_target_tcp_proxy":              googleProxy,
	"google_compute_target_grpc_proxy":             googleProxy,
	"google_compute_region_target_http_proxy":      googleProxy,
	"google_compute_region_target_https_proxy":     googleProxy,
	"google_logging_project_sink":                  googleLogging,
	"google_logging_folder_sink":                   googleLogging,
	"google_logging_organization_sink":             googleLogging,
	"google_logging_billing_account_sink":          googleLogging,
	"google_logging_project_bucket_config":         googleLogging,
	"google_logging_folder_bucket_config":          googleLogging,
	"google_logging_organization_bucket_config":    googleLogging,
	"google_logging_billing_account_bucket_config": googleLogging,
	"google_monitoring_metric_descriptor": {
		{key: "monthly_api_calls", name: "API calls", service: "monitoring", sku: "api-calls"},
		{key: "monthly_monitoring_data_mb", name: "Monitoring data", service: "monitoring", sku: "data"},
	},
	"google_dns_record_set": {{key: "monthly_queries", name: "Queries", service: "dns", sku: "queries"}},
	"google_pubsub_topic":   {{key: "monthly_message_data_tb", name: "Messages published", service: "pubsub", sku: "ingestion"}},
	"google_pubsub_subscription": {
		{key: "monthly_message_data_tb", name: "Messages delivered", service: "pubsub", sku: "delivery"},
		{key: "storage_gb", name: "Messages retained", service: "pubsub", sku: "storage"},
		{key: "snapshot_storage_gb", name: "Snapshots", service: "pubsub", sku: "snapshot"},
	},
	"google_secret_manager_secret": {
		{key: "active_secret_versions", name: "Secret versions", service: "secret-manager", sku: "version"},
		{key: "monthly_access_operations", name: "Access operations", service: "secret-manager", sku: "access"},
		{key: "monthly_rotation_notifications", name: "Rotation notifications", service: "secret-manager", sku: "rotation"},
	},
	"google_cloudfunctions2_function": {{key: "monthly_function_invocations", name: "Invocations, CPU and memory time", service: "functions", sku: "gen2"}},
}

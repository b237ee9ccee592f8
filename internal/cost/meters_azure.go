package cost

var azureMeters = map[string][]meter{
	"azurerm_application_insights": {{key: "monthly_data_ingested_gb", name: "Data ingested", service: "insights", sku: "ingested"}},
	"azurerm_automation_account": {
		{key: "monthly_job_run_mins", name: "Job run time", service: "automation", sku: "job-minutes"},
		{key: "non_azure_config_node_count", name: "Nodes outside Azure", service: "automation", sku: "config-node"},
		{key: "monthly_watcher_hrs", name: "Watchers", service: "automation", sku: "watcher"},
	},
	"azurerm_data_factory": {
		{key: "monthly_read_write_operation_entities", name: "Read and write operations", service: "data-factory", sku: "read-write"},
		{key: "monthly_monitoring_operation_entities", name: "Monitoring operations", service: "data-factory", sku: "monitoring"},
	},
	"azurerm_data_factory_integration_runtime_azure": {{key: "monthly_orchestration_runs", name: "Orchestration", service: "data-factory", sku: "orchestration"}},
	"azurerm_eventgrid_topic":                        {{key: "monthly_operations", name: "Operations", service: "eventgrid", sku: "operations"}},
	"azurerm_eventgrid_system_topic":                 {{key: "monthly_operations", name: "Operations", service: "eventgrid", sku: "operations"}},
	"azurerm_iothub_dps":                             {{key: "monthly_operations", name: "Provisioning operations", service: "iothub", sku: "provisioning"}},
	"azurerm_key_vault_key": {
		{key: "monthly_secrets_operations", name: "Operations", service: "key-vault", sku: "operations"},
		{key: "monthly_key_rotation_renewals", name: "Key rotations", service: "key-vault", sku: "rotation"},
		{key: "monthly_protected_keys_operations", name: "Operations with protected keys", service: "key-vault", sku: "protected-operations"},
	},
	"azurerm_key_vault_certificate": {
		{key: "monthly_certificate_renewal_requests", name: "Certificate renewals", service: "key-vault", sku: "renewal"},
		{key: "monthly_certificate_other_operations", name: "Operations", service: "key-vault", sku: "operations"},
	},
	"azurerm_recovery_services_vault": {{key: "backup_storage_gb", name: "Backup storage", service: "recovery", sku: "storage"}},
	"azurerm_snapshot":                {{key: "storage_gb", name: "Storage", service: "disk", sku: "snapshot"}},
	"azurerm_image":                   {{key: "storage_gb", name: "Storage", service: "disk", sku: "image"}},
	"azurerm_storage_queue": {
		{key: "monthly_storage_gb", name: "Storage", service: "storage", sku: "queue/capacity"},
		{key: "monthly_class_1_operations", name: "Class 1 operations", service: "storage", sku: "queue/class-1"},
		{key: "monthly_class_2_operations", name: "Class 2 operations", service: "storage", sku: "queue/class-2"},
	},
	"azurerm_storage_share": {
		{key: "storage_gb", name: "Storage", service: "storage", sku: "share/capacity"},
		{key: "monthly_write_operations", name: "Write operations", service: "storage", sku: "share/write"},
		{key: "monthly_read_operations", name: "Read operations", service: "storage", sku: "share/read"},
		{key: "monthly_list_operations", name: "List operations", service: "storage", sku: "share/list"},
		{key: "monthly_other_operations", name: "Other operations", service: "storage", sku: "share/other"},
		{key: "snapshots_storage_gb", name: "Snapshots", service: "storage", sku: "share/snapshots"},
	},
	"azurerm_synapse_workspace": {
		{key: "serverless_sql_pool_size_tb", name: "Data that serverless SQL reads", service: "synapse", sku: "serverless-sql"},
	},
}

package cost

func logging(typ string) example {
	return example{typ: typ, name: "data", after: object{}, usage: "monthly_logging_data_gb: 100", status: StatusUsage, how: "100 × 0.5"}
}

func proxy(typ string) example {
	return example{typ: typ, name: "nobody says how much", after: object{}, status: StatusUsage}
}

var googleExamples = []example{
	{typ: "google_alloydb_instance", name: "no price", after: object{"cluster": "projects/p/locations/us-central1/clusters/c", "instance_type": "PRIMARY", "machine_config": []any{object{"cpu_count": 4}}}, status: StatusNoPrice},
	{typ: "google_artifact_registry_repository", name: "storage", after: object{"location": "europe-north1"}, usage: "storage_gb: 150", status: StatusUsage, how: "150 × 0.1"},
	{typ: "google_bigquery_dataset", name: "queries", after: object{"location": "us-central1"}, usage: "monthly_queries_tb: 100", status: StatusUsage, how: "100 × 6.25"},
	{
		typ: "google_bigquery_table", name: "where its dataset is", after: object{"dataset_id": "d"}, usage: "monthly_active_storage_gb: 1000", status: StatusUsage, how: "1000 × 0.023",
		others: []change{{address: "google_bigquery_dataset.d", actions: "create", after: object{"dataset_id": "d", "location": "us-central1"}, conf: object{}}},
	},
	{typ: "google_bigquery_table", name: "where nobody knows", after: object{"dataset_id": "d"}, usage: "monthly_active_storage_gb: 1000", status: StatusUnknown},
	{typ: "google_bigquery_table", name: "storage", after: object{"location": "us-central1"}, usage: "monthly_active_storage_gb: 1000\nmonthly_long_term_storage_gb: 1000\nmonthly_streaming_inserts_mb: 1000", status: StatusUsage, how: "1000 × 0.023 + 1000 × 0.016 + 1000 × 0.00005"},
	{typ: "google_cloud_run_v2_service", name: "requests", after: object{"location": "europe-west3", "template": []any{object{"containers": []any{object{"resources": []any{object{"limits": object{"cpu": "2000m", "memory": "1Gi"}}}}}}}}, usage: "monthly_requests: 500000\naverage_request_duration_ms: 3600\nconcurrent_requests_per_instance: 1", status: StatusUsage, how: "500000 × 0.0000004 + 500000 × 3.6 × (2 × 0.0000336 + 1 × 0.0000035)"},
	{typ: "google_cloud_run_service", name: "no price there", after: object{"location": "us-central1"}, usage: "monthly_requests: 500000", status: StatusNoPrice},
	{typ: "google_cloud_run_v2_job", name: "runs", after: object{"location": "europe-west3"}, usage: "monthly_job_executions: 100\naverage_task_execution_mins: 10", status: StatusUsage, how: "100 × 600 × (1 × 0.0000216 + 0.5 × 0.0000024)"},
	{typ: "google_cloudfunctions_function", name: "invocations", after: object{"region": "us-central1", "available_memory_mb": 256}, usage: "monthly_function_invocations: 10000000\nrequest_duration_ms: 250\nmonthly_outbound_data_gb: 100", status: StatusUsage, how: "10000000 × 0.0000004 + 10000000 × 0.3 × (0.4 × 0.00001 + 256 / 1024 × 0.0000025) + 100 × 0.12"},
	{typ: "google_cloudfunctions2_function", name: "nobody says how much", after: object{"location": "us-central1"}, status: StatusUsage},
	{typ: "google_compute_forwarding_rule", name: "no price", after: object{"region": "us-central1"}, status: StatusNoPrice},
	{typ: "google_compute_global_forwarding_rule", name: "no price", after: object{}, status: StatusNoPrice},
	{typ: "google_compute_global_address", name: "no price", after: object{}, status: StatusNoPrice},
	{typ: "google_compute_global_address", name: "internal", after: object{"address_type": "INTERNAL"}, status: StatusFree},
	{typ: "google_compute_image", name: "storage", after: object{}, usage: "storage_gb: 1000", status: StatusUsage, how: "1000 × 0.05"},
	{typ: "google_compute_machine_image", name: "storage", after: object{}, usage: "storage_gb: 1000", status: StatusUsage, how: "1000 × 0.05"},
	{typ: "google_compute_snapshot", name: "storage", after: object{"zone": "us-central1-a"}, usage: "storage_gb: 500", status: StatusUsage, how: "500 × 0.05"},
	{typ: "google_compute_router_nat", name: "machines beyond 32", after: object{"region": "us-central1"}, usage: "assigned_vms: 40\nmonthly_data_processed_gb: 1000", status: StatusUsage, how: "32 × 730 × 0.0014 + 1000 × 0.045"},
	proxy("google_compute_target_http_proxy"), proxy("google_compute_target_https_proxy"), proxy("google_compute_target_ssl_proxy"),
	proxy("google_compute_target_tcp_proxy"), proxy("google_compute_target_grpc_proxy"),
	proxy("google_compute_region_target_http_proxy"), proxy("google_compute_region_target_https_proxy"),
	{typ: "google_compute_vpn_tunnel", name: "one", after: object{"region": "us-central1"}, status: StatusPriced, how: "730 × 0.05"},
	{typ: "google_dns_managed_zone", name: "one", after: object{}, status: StatusPriced, how: "0.2"},
	{typ: "google_dns_record_set", name: "queries", after: object{}, usage: "monthly_queries: 1000000", status: StatusUsage, how: "0.4"},
	{typ: "google_filestore_instance", name: "no price", after: object{"location": "us-central1-b", "tier": "BASIC_HDD", "file_shares": []any{object{"capacity_gb": 1024}}}, status: StatusNoPrice},
	{typ: "google_kms_crypto_key", name: "one version", after: object{}, status: StatusPriced, how: "0.06"},
	{typ: "google_kms_crypto_key", name: "versions and operations as told", after: object{}, usage: "key_versions: 100\nmonthly_key_operations: 1000000", status: StatusUsage, how: "100 × 0.06 + 100 × 0.03"},
	{typ: "google_kms_crypto_key", name: "hardware, tiers", after: object{"version_template": []any{object{"protection_level": "HSM", "algorithm": "RSA_SIGN_PKCS1_4096_SHA512"}}}, usage: "key_versions: 2100", status: StatusUsage, how: "2000 × 2.5 + 100 × 1"},
	logging("google_logging_billing_account_bucket_config"), logging("google_logging_billing_account_sink"), logging("google_logging_folder_bucket_config"), logging("google_logging_folder_sink"),
	logging("google_logging_organization_bucket_config"), logging("google_logging_organization_sink"), logging("google_logging_project_bucket_config"), logging("google_logging_project_sink"),
	{typ: "google_monitoring_metric_descriptor", name: "calls", after: object{}, usage: "monthly_api_calls: 1000000", status: StatusUsage, how: "1000 × 0.01"},
	{typ: "google_pubsub_topic", name: "messages", after: object{}, usage: "monthly_message_data_tb: 7.5", status: StatusUsage, how: "7.5 × 40"},
	{typ: "google_pubsub_subscription", name: "messages", after: object{}, usage: "monthly_message_data_tb: 7.5", status: StatusUsage, how: "7.5 × 40"},
	{typ: "google_redis_cluster", name: "shards with a replica", after: object{"region": "us-central1", "shard_count": 3, "replica_count": 1, "node_type": "REDIS_STANDARD_SMALL"}, usage: "backup_storage_gb: 10", status: StatusPriced, how: "6 × 730 × 0.1425 + 10 × 0.0811103"},
	{typ: "google_secret_manager_secret", name: "versions", after: object{}, usage: "active_secret_versions: 100\nmonthly_access_operations: 20000\nmonthly_rotation_notifications: 10", status: StatusUsage, how: "100 × 0.06 + 2 × 0.03 + 10 × 0.05"},
	{typ: "google_secret_manager_secret_version", name: "one", after: object{}, usage: "monthly_access_operations: 20000", status: StatusPriced, how: "0.06 + 2 × 0.03"},
	{typ: "google_spanner_instance", name: "no price", after: object{"config": "regional-us-central1", "num_nodes": 1}, status: StatusNoPrice},
	{typ: "google_storage_bucket", name: "nearline", after: object{"location": "US-CENTRAL1", "storage_class": "NEARLINE"}, usage: "storage_gb: 1000\nmonthly_data_retrieval_gb: 100", status: StatusUsage, how: "1000 × 0.01 + 100 × 0.01"},

	{typ: "google_compute_instance", name: "part of the month", after: object{"zone": "us-central1-a", "machine_type": "n1-standard-1", "boot_disk": []any{object{"initialize_params": []any{object{"type": "pd-ssd", "size": 20}}}}}, usage: "monthly_hrs: 100", status: StatusPriced, how: "100 × 0.04749975 + 20 × 0.17"},
	{typ: "google_compute_disk", name: "hyperdisk with its speed", after: object{"zone": "us-central1-a", "type": "hyperdisk-extreme", "size": 100, "provisioned_iops": 1000}, status: StatusPriced, how: "100 × 0.125 + 1000 × 0.032"},
	{typ: "google_sql_database_instance", name: "backups", after: object{"region": "us-central1", "database_version": "POSTGRES_15", "settings": []any{object{"tier": "db-custom-1-3840", "disk_size": 10}}}, usage: "backup_storage_gb: 100", status: StatusPriced, how: "730 × 0.0413 + 3.75 × 5.11 + 10 × 0.17 + 100 × 0.08"},
	{typ: "google_container_cluster", name: "autopilot", after: object{"location": "us-central1", "enable_autopilot": true}, usage: "autopilot_vcpu_count: 10\nautopilot_ephemeral_storage_gb: 100", status: StatusPriced, how: "730 × 0.1 + 10 × 730 × 0.0445 + 100 × 0.040004"},
}

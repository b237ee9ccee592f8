package cost

func at(location string, more object) object {
	o := object{"location": location}
	for k, v := range more {
		o[k] = v
	}
	return o
}

// inAccount is a Cosmos DB account in one region.
func inAccount(location string) []change {
	account := object{"name": "acc", "location": location, "geo_location": []any{object{"location": location}}}
	return []change{{address: "azurerm_cosmosdb_account.a", actions: "no-op", before: account, after: account, conf: object{}}}
}

func cosmos(typ string) example {
	return example{typ: typ, name: "no price", after: object{"account_name": "acc", "throughput": 400}, status: StatusNoPrice, others: inAccount("eastus")}
}

var azureExamples = []example{
	{typ: "azurerm_api_management", name: "two basic units", after: at("eastus", object{"sku_name": "Basic_2"}), usage: "self_hosted_gateway_count: 1", status: StatusPriced, how: "2 × 147.17 + 250"},
	{typ: "azurerm_api_management", name: "by the call", after: at("eastus", object{"sku_name": "Consumption_0"}), usage: "monthly_api_calls: 10000000", status: StatusUsage, how: "9 × 3.5"},
	{typ: "azurerm_app_service_plan", name: "two workers", after: at("eastus", object{"kind": "Windows", "sku": []any{object{"tier": "Standard", "size": "S1", "capacity": 2}}}), status: StatusPriced, how: "2 × 730 × 0.1"},
	{typ: "azurerm_application_gateway", name: "fixed", after: at("eastus", object{"sku": []any{object{"name": "WAF_v2", "tier": "WAF_v2", "capacity": 2}}}), status: StatusPriced, how: "730 × 0.36 + 20 × 730 × 0.0144"},
	{typ: "azurerm_application_gateway", name: "capacity as told", after: at("eastus", object{"sku": []any{object{"name": "Standard_v2"}}}), usage: "monthly_v2_capacity_units: 30", status: StatusPriced, how: "730 × 0.2 + 30 × 730 × 0.008"},
	{typ: "azurerm_application_insights", name: "data", after: at("eastus", nil), usage: "monthly_data_ingested_gb: 1000", status: StatusUsage, how: "1000 × 2.3"},
	{typ: "azurerm_automation_account", name: "jobs", after: at("eastus", nil), usage: "monthly_job_run_mins: 500\nnon_azure_config_node_count: 2", status: StatusUsage, how: "500 × 0.002 + 2 × 6"},
	{typ: "azurerm_bastion_host", name: "data beyond what is free", after: at("australiaeast", nil), usage: "monthly_outbound_data_gb: 100", status: StatusPriced, how: "730 × 0.19 + 95 × 0.12"},
	{typ: "azurerm_cdn_frontdoor_profile", name: "no price", after: object{"sku_name": "Standard_AzureFrontDoor"}, status: StatusNoPrice},
	{typ: "azurerm_container_registry", name: "with a replica", after: at("westeurope", object{"sku": "Premium", "georeplications": []any{object{"location": "West Europe"}}}), usage: "storage_gb: 600", status: StatusPriced, how: "2 × 730 / 24 × 1.6667 + 100 × 0.1"},
	{typ: "azurerm_cosmosdb_account", name: "by itself", after: at("eastus", nil), status: StatusFree},
	cosmos("azurerm_cosmosdb_sql_database"), cosmos("azurerm_cosmosdb_sql_container"), cosmos("azurerm_cosmosdb_mongo_database"),
	cosmos("azurerm_cosmosdb_mongo_collection"), cosmos("azurerm_cosmosdb_cassandra_keyspace"), cosmos("azurerm_cosmosdb_cassandra_table"),
	cosmos("azurerm_cosmosdb_gremlin_database"), cosmos("azurerm_cosmosdb_gremlin_graph"), cosmos("azurerm_cosmosdb_table"),
	{typ: "azurerm_data_factory", name: "operations", after: at("westeurope", nil), usage: "monthly_read_write_operation_entities: 100000\nmonthly_monitoring_operation_entities: 50000", status: StatusUsage, how: "2 × 0.5 + 1 × 0.25"},
	{typ: "azurerm_data_factory_integration_runtime_azure", name: "runs", after: at("westeurope", nil), usage: "monthly_orchestration_runs: 10000", status: StatusUsage, how: "10 × 1"},
	{typ: "azurerm_databricks_workspace", name: "standard", after: at("eastus", object{"sku": "standard"}), usage: "monthly_jobs_compute_dbu_hrs: 1000", status: StatusUsage, how: "1000 × 0.15"},
	{typ: "azurerm_dns_zone", name: "one", after: at("eastus", nil), status: StatusPriced, how: "0.5"},
	{typ: "azurerm_private_dns_zone", name: "one", after: at("eastus", nil), status: StatusPriced, how: "0.5"},
	{typ: "azurerm_eventgrid_topic", name: "operations", after: at("westeurope", nil), usage: "monthly_operations: 1000000", status: StatusUsage, how: "10 × 0.06"},
	{typ: "azurerm_eventgrid_system_topic", name: "no price there", after: at("eastus", nil), usage: "monthly_operations: 1000000", status: StatusNoPrice},
	{typ: "azurerm_eventhub_namespace", name: "standard, capture", after: at("eastus", object{"sku": "Standard", "capacity": 2}), usage: "monthly_ingress_events: 100000000\ncapture_enabled: true", status: StatusPriced, how: "2 × 730 × 0.03 + 100 × 0.028 + 2 × 730 × 0.1"},
	{typ: "azurerm_express_route_gateway", name: "one unit", after: at("westeurope", object{"scale_units": 1}), status: StatusPriced, how: "306.6"},
	{typ: "azurerm_firewall", name: "premium", after: at("eastus", object{"sku_name": "AZFW_VNet", "sku_tier": "Premium"}), usage: "monthly_data_processed_gb: 1000", status: StatusPriced, how: "730 × 1.75 + 1000 × 0.016"},
	{typ: "azurerm_image", name: "no price", after: at("eastus", nil), usage: "storage_gb: 10", status: StatusNoPrice},
	{typ: "azurerm_iothub", name: "no price", after: at("eastus", object{"sku": []any{object{"name": "S1", "capacity": 1}}}), status: StatusNoPrice},
	{typ: "azurerm_iothub_dps", name: "operations", after: at("westeurope", nil), usage: "monthly_operations: 10000", status: StatusUsage, how: "10 × 0.1"},
	{typ: "azurerm_key_vault_certificate", name: "nobody says how much", after: at("eastus", nil), status: StatusUsage},
	{typ: "azurerm_key_vault_key", name: "nobody says how much", after: at("eastus", nil), status: StatusUsage},
	{typ: "azurerm_key_vault_managed_hardware_security_module", name: "one", after: at("eastus", nil), status: StatusPriced, how: "730 × 4.85"},
	{typ: "azurerm_kubernetes_cluster_node_pool", name: "nodes as told", after: at("eastus", object{"vm_size": "Standard_D2s_v3", "node_count": 1, "os_disk_size_gb": 128}), usage: "nodes: 3", status: StatusPriced, how: "3 × (730 × 0.096 + 19.71)"},
	{typ: "azurerm_lb", name: "data", after: at("eastus", object{"sku": "Standard"}), usage: "monthly_data_processed_gb: 100", status: StatusPartial, how: "100 × 0.005"},
	{typ: "azurerm_lb", name: "basic", after: at("eastus", object{"sku": "Basic"}), status: StatusFree},
	{
		typ: "azurerm_linux_function_app", name: "by use", after: at("eastus", object{"service_plan_id": "p"}), usage: "monthly_executions: 1000000\nexecution_duration_ms: 500\nmemory_mb: 200", status: StatusUsage, how: "0.2 + 1000000 × 0.5 × 256 / 1024 × 0.000016",
		others: []change{{address: "azurerm_service_plan.p", actions: "create", after: at("eastus", object{"id": "p", "sku_name": "Y1", "os_type": "Linux"}), conf: object{}}},
	},
	{
		typ: "azurerm_windows_function_app", name: "of a plan that is billed", after: at("eastus", object{"service_plan_id": "p"}), status: StatusFree,
		others: []change{{address: "azurerm_service_plan.p", actions: "create", after: at("eastus", object{"id": "p", "sku_name": "EP1", "os_type": "Windows"}), conf: object{}}},
	},
	{typ: "azurerm_linux_virtual_machine_scale_set", name: "two", after: at("eastus", object{"sku": "Standard_B2s", "instances": 2, "os_disk": []any{object{"storage_account_type": "Premium_LRS", "disk_size_gb": 128}}}), status: StatusPriced, how: "2 × (730 × 0.0416 + 19.71)"},
	{typ: "azurerm_windows_virtual_machine_scale_set", name: "Windows with a price", after: at("eastus", object{"sku": "Standard_A2_v2", "instances": 2, "os_disk": []any{object{"storage_account_type": "Premium_LRS", "disk_size_gb": 128}}}), status: StatusPriced, how: "2 × (730 × 0.136 + 19.71)"},
	{typ: "azurerm_orchestrated_virtual_machine_scale_set", name: "three", after: at("eastus", object{"sku_name": "Standard_B2s", "instances": 3, "os_profile": []any{object{"linux_configuration": []any{object{}}}}, "os_disk": []any{object{"storage_account_type": "Premium_LRS", "disk_size_gb": 128}}}), status: StatusPriced, how: "3 × (730 × 0.0416 + 19.71)"},
	{typ: "azurerm_virtual_machine_scale_set", name: "of the first kind", after: at("eastus", object{"sku": []any{object{"name": "Standard_B2s", "capacity": 2}}, "storage_profile_os_disk": []any{object{"managed_disk_type": "Premium_LRS", "disk_size_gb": 128}}}), status: StatusPriced, how: "2 × (730 × 0.0416 + 19.71)"},
	{typ: "azurerm_virtual_machine", name: "of the first kind", after: at("eastus", object{"vm_size": "Standard_B2s", "storage_os_disk": []any{object{"managed_disk_type": "Premium_LRS", "disk_size_gb": 128}}}), status: StatusPriced, how: "730 × 0.0416 + 19.71"},
	{typ: "azurerm_linux_virtual_machine", name: "part of the month, and disk operations", after: at("eastus", object{"size": "Standard_B2s", "os_disk": []any{object{"storage_account_type": "Standard_LRS", "disk_size_gb": 32}}}), usage: "monthly_hrs: 100\nos_disk:\n  monthly_disk_operations: 2000000", status: StatusPriced, how: "100 × 0.0416 + 1.54 + 200 × 0.0005"},
	{typ: "azurerm_log_analytics_workspace", name: "by the GB", after: at("westeurope", nil), usage: "monthly_log_data_ingestion_gb: 20\nmonthly_additional_log_data_retention_gb: 30", status: StatusUsage, how: "20 × 2.99 + 30 × 0.13"},
	{typ: "azurerm_log_analytics_workspace", name: "with a commitment", after: at("westeurope", object{"sku": "CapacityReservation", "reservation_capacity_in_gb_per_day": 100}), status: StatusPriced, how: "730 / 24 × 252.84"},
	{typ: "azurerm_managed_redis", name: "two nodes", after: at("eastus", object{"sku_name": "Balanced_B3"}), status: StatusPriced, how: "2 × 730 × 0.065"},
	{typ: "azurerm_mariadb_server", name: "basic", after: at("eastus", object{"sku_name": "B_Gen5_2", "storage_mb": 102400}), usage: "additional_backup_storage_gb: 10", status: StatusPriced, how: "730 × 0.068 + 100 × 0.115 + 10 × 0.1"},
	{typ: "azurerm_mysql_server", name: "general purpose", after: at("eastus", object{"sku_name": "GP_Gen5_4", "storage_mb": 102400}), status: StatusPriced, how: "730 × 0.3504 + 100 × 0.115"},
	{typ: "azurerm_postgresql_server", name: "memory", after: at("eastus", object{"sku_name": "MO_Gen5_16", "storage_mb": 102400}), status: StatusPriced, how: "730 × 1.8896 + 100 × 0.115"},
	{typ: "azurerm_mssql_database", name: "DTUs", after: at("eastus", object{"sku_name": "S0"}), status: StatusPriced, how: "730 × 0.02016"},
	{typ: "azurerm_mssql_database", name: "cores, business critical, licence brought along", after: at("eastus", object{"sku_name": "BC_Gen5_4", "license_type": "BasePrice", "max_size_gb": 100}), status: StatusPriced, how: "4 × 730 × 0.30444 + 100 × 0.25"},
	{typ: "azurerm_mssql_database", name: "cores, general purpose, licence and storage without a price", after: at("eastus", object{"sku_name": "GP_Gen5_2", "zone_redundant": true, "max_size_gb": 32}), status: StatusPartial, how: "2 × 730 × (0.152216 + 0.09133)"},
	{
		typ: "azurerm_mssql_database", name: "where its server is", after: object{"sku_name": "P1", "server_id": "/servers/s"}, status: StatusPriced, how: "730 × 0.625",
		others: []change{{address: "azurerm_mssql_server.s", actions: "create", after: at("eastus", object{"id": "/servers/s"}), conf: object{}}},
	},
	{typ: "azurerm_mssql_database", name: "of a server that nobody knows", after: object{"sku_name": "P1", "server_id": "/servers/s"}, status: StatusUnknown},
	{typ: "azurerm_mssql_database", name: "in a pool", after: at("eastus", object{"elastic_pool_id": "p"}), status: StatusFree},
	{typ: "azurerm_mssql_elasticpool", name: "DTUs", after: at("westeurope", object{"sku": []any{object{"name": "StandardPool", "tier": "Standard", "capacity": 200}}}), status: StatusPriced, how: "730 × 0.60416"},
	{typ: "azurerm_mssql_elasticpool", name: "cores", after: at("westeurope", object{"license_type": "LicenseIncluded", "max_size_gb": 10, "sku": []any{object{"name": "GP_Gen5", "capacity": 4}}}), status: StatusPartial, how: "4 × 730 × (0.16744 + 0.099966)"},
	{typ: "azurerm_mssql_managed_instance", name: "with its licence", after: at("westeurope", object{"sku_name": "GP_Gen5", "vcores": 4, "storage_size_in_gb": 64, "license_type": "LicenseIncluded"}), status: StatusPriced, how: "4 × 730 × (0.167439 + 0.099966) + 32 × 0.136875"},
	{typ: "azurerm_mysql_flexible_server", name: "in two zones, fast", after: at("westus", object{"sku_name": "GP_Standard_D2ads_v5", "storage": []any{object{"size_gb": 100, "iops": 1000}}, "high_availability": []any{object{"mode": "ZoneRedundant"}}}), status: StatusPriced, how: "2 × (730 × 0.195 + 100 × 0.138 + 400 × 0.06)"},
	{typ: "azurerm_postgresql_flexible_server", name: "backups", after: at("eastus", object{"sku_name": "B_Standard_B1ms", "storage_mb": 32768}), usage: "additional_backup_storage_gb: 100", status: StatusPartial, how: "730 × 0.017 + 100 × 0.095"},
	{typ: "azurerm_nat_gateway", name: "data", after: at("westeurope", nil), usage: "monthly_data_processed_gb: 10", status: StatusPriced, how: "730 × 0.045 + 10 × 0.045"},
	{typ: "azurerm_network_ddos_protection_plan", name: "one", after: at("westeurope", nil), status: StatusPriced, how: "730 × 4.03226"},
	{typ: "azurerm_notification_hub_namespace", name: "basic", after: at("eastus", object{"sku_name": "Basic"}), status: StatusPriced, how: "10"},
	{typ: "azurerm_notification_hub_namespace", name: "free", after: at("eastus", object{"sku_name": "Free"}), status: StatusFree},
	{typ: "azurerm_point_to_site_vpn_gateway", name: "two units", after: at("westeurope", object{"scale_unit": 2}), status: StatusPriced, how: "2 × 730 × 0.361"},
	{typ: "azurerm_vpn_gateway", name: "one unit", after: at("westeurope", nil), status: StatusPriced, how: "730 × 0.361"},
	{typ: "azurerm_private_dns_resolver_dns_forwarding_ruleset", name: "one", after: at("westeurope", nil), status: StatusPriced, how: "2.5"},
	{typ: "azurerm_private_dns_resolver_inbound_endpoint", name: "one", after: at("westeurope", nil), status: StatusPriced, how: "180"},
	{typ: "azurerm_private_dns_resolver_outbound_endpoint", name: "one", after: at("westeurope", nil), status: StatusPriced, how: "180"},
	{typ: "azurerm_private_endpoint", name: "data", after: at("westus", nil), usage: "monthly_inbound_data_processed_gb: 100\nmonthly_outbound_data_processed_gb: 50", status: StatusPriced, how: "730 × 0.01 + 150 × 0.01"},
	{typ: "azurerm_public_ip_prefix", name: "one", after: at("eastus", nil), status: StatusPriced, how: "730 × 0.006"},
	{typ: "azurerm_recovery_services_vault", name: "nobody says how much", after: at("eastus", nil), status: StatusUsage},
	{typ: "azurerm_redis_cache", name: "premium, two shards with a replica each", after: at("eastus", object{"family": "P", "sku_name": "Premium", "capacity": 1, "shard_count": 2}), status: StatusPriced, how: "2 × 2 × 202.21"},
	{typ: "azurerm_search_service", name: "replicas and partitions", after: at("eastus", object{"sku": "standard2", "replica_count": 2, "partition_count": 3}), status: StatusPriced, how: "6 × 730 × 1.344"},
	{typ: "azurerm_service_plan", name: "premium functions", after: at("eastus", object{"sku_name": "EP2", "os_type": "Linux", "worker_count": 1}), status: StatusPriced, how: "730 × (2 × 0.173 + 7 × 0.0123)"},
	{typ: "azurerm_service_plan", name: "workers", after: at("eastus", object{"sku_name": "B2", "os_type": "Linux", "worker_count": 3}), status: StatusPriced, how: "3 × 730 × 0.034"},
	{typ: "azurerm_servicebus_namespace", name: "no price", after: at("eastus", object{"sku": "Premium", "capacity": 1}), status: StatusNoPrice},
	{typ: "azurerm_snapshot", name: "nobody says how much", after: at("eastus", nil), status: StatusUsage},
	{typ: "azurerm_static_web_app", name: "standard", after: at("centralus", object{"sku_tier": "Standard"}), status: StatusPriced, how: "9"},
	{typ: "azurerm_storage_account", name: "hot, kept three times", after: at("westeurope", object{"account_tier": "Standard", "account_replication_type": "LRS", "access_tier": "Hot"}), usage: "storage_gb: 1000\nmonthly_write_operations: 1000000\nmonthly_read_operations: 100000", status: StatusUsage, how: "1000 × 0.0196 + 100 × 0.054 + 10 × 0.0043"},
	{typ: "azurerm_storage_account", name: "another class has no price", after: at("westeurope", object{"account_tier": "Standard", "account_replication_type": "GRS"}), usage: "storage_gb: 1000", status: StatusNoPrice},
	{typ: "azurerm_storage_queue", name: "nobody says how much", after: object{}, status: StatusUsage},
	{typ: "azurerm_storage_share", name: "nobody says how much", after: object{}, status: StatusUsage},
	{typ: "azurerm_synapse_spark_pool", name: "nobody says how much", after: at("westeurope", nil), status: StatusUsage},
	{typ: "azurerm_synapse_sql_pool", name: "no price", after: at("westeurope", object{"sku_name": "DW100c"}), status: StatusNoPrice},
	{typ: "azurerm_synapse_workspace", name: "serverless", after: at("westeurope", nil), usage: "serverless_sql_pool_size_tb: 10", status: StatusUsage, how: "10 × 5"},
	{typ: "azurerm_virtual_hub", name: "data", after: at("westeurope", nil), usage: "monthly_data_processed_gb: 10", status: StatusPriced, how: "730 × 0.25 + 10 × 0.02"},
	{typ: "azurerm_virtual_network_gateway", name: "people's tunnels", after: at("eastus", object{"type": "Vpn", "sku": "VpnGw1"}), usage: "p2s_connection: 150", status: StatusPriced, how: "730 × 0.19 + 22 × 730 × 0.01"},
}

package main

var azurerm = family{
	name: "azurerm",
	config: fields{
		str("subscription_id"), str("tenant_id"), str("client_id"), str("client_secret", sensitive), str("environment"),
		boolean("use_oidc"), boolean("use_cli"), boolean("use_msi"), str("oidc_token", sensitive), str("oidc_token_file_path"),
		boolean("skip_provider_registration"), str("resource_provider_registrations"), boolean("storage_use_azuread"),
		block("features", fields{
			block("key_vault", fields{boolean("purge_soft_delete_on_destroy"), boolean("recover_soft_deleted_key_vaults")}),
			block("resource_group", fields{boolean("prevent_deletion_if_contains_resources")}),
			block("virtual_machine", fields{boolean("delete_os_disk_on_deletion"), boolean("skip_shutdown_and_force_delete")}),
			block("log_analytics_workspace", fields{boolean("permanently_delete_on_destroy")}),
		}, required),
	},
	vars: map[string]string{
		"subscription_id": "00000000-0000-0000-0000-000000000000", "tenant_id": "00000000-0000-0000-0000-000000000000",
		"client_id": "00000000-0000-0000-0000-000000000000",
	},
	fromEnv: map[string][]string{"subscription_id": {"ARM_SUBSCRIPTION_ID"}, "tenant_id": {"ARM_TENANT_ID"},
		"client_id": {"ARM_CLIENT_ID"}},
	resources: azurermResources,
	data:      azurermData,
}

// azSubscription begins the id of everything in Azure.
const azSubscription = "/subscriptions/{subscription_id}"

// azThing is a type that lives in a resource group; kind is as in
// Microsoft.Compute/disks.
func azThing(name, kind string, of ...field) resourceType {
	return azPart(name, azSubscription+"/resourceGroups/{resource_group_name}/providers/"+kind+"/{name}",
		append(fields{
			str("resource_group_name", required, replaces), str("location", required, replaces), strMap("tags"),
		}, of...)...)
}

// azPart is a type that is part of another, with an id of its own form.
func azPart(name, id string, of ...field) resourceType {
	all := fields{computed("id", "{id}")}
	if _, ok := fields(of).byName("name"); !ok {
		all = append(all, str("name", required, replaces))
	}
	return resourceType{name: name, id: id, of: append(all, of...)}
}

// azLink ties two things together and has no name.
func azLink(name, id string, of ...field) resourceType {
	return resourceType{name: name, id: id, of: append(fields{computed("id", "{id}")}, of...)}
}

func azIdentity() field {
	return block("identity", fields{str("type", required), strSet("identity_ids"), computed("principal_id", "{uuid}"),
		computed("tenant_id", "{tenant_id}")})
}

// azVM is what Linux and Windows machines share.
func azVM(name string, of ...field) resourceType {
	return azThing(name, "Microsoft.Compute/virtualMachines", append(fields{
		str("size", required), str("admin_username", required, replaces), str("admin_password", sensitive, replaces),
		strList("network_interface_ids", required), str("zone", replaces), str("availability_set_id", replaces),
		str("computer_name", fills("{name}"), replaces), str("custom_data", sensitive, replaces), str("license_type"),
		str("priority", defaults("Regular"), replaces, oneOf("Regular", "Spot")), str("eviction_policy", replaces),
		number("max_bid_price", defaults("-1")), boolean("encryption_at_host_enabled"), str("source_image_id", replaces),
		block("os_disk", fields{
			str("caching", required), str("storage_account_type", required, replaces), integer("disk_size_gb", fills("30")),
			str("name", fills("{computer_name}_OsDisk"), replaces),
			boolean("write_accelerator_enabled", defaults("false")), str("disk_encryption_set_id"),
		}, required),
		block("source_image_reference", fields{str("publisher", required), str("offer", required), str("sku", required),
			str("version", required)}, replaces),
		block("boot_diagnostics", fields{str("storage_account_uri")}), azIdentity(),
		computed("private_ip_address", "{ip}"), computed("public_ip_address", ""), computed("virtual_machine_id", "{uuid}"),
	}, of...)...)
}

func azurermResources() []resourceType {
	nsgRule := func() fields {
		return fields{
			str("name"), str("description"), str("protocol"), str("source_port_range"), strSet("source_port_ranges"),
			str("destination_port_range"), strSet("destination_port_ranges"),
			str("source_address_prefix"), strSet("source_address_prefixes"), str("destination_address_prefix"),
			strSet("destination_address_prefixes"),
			strSet("source_application_security_group_ids"), strSet("destination_application_security_group_ids"),
			str("access"), integer("priority"), str("direction"),
		}
	}
	pool := func(extra ...field) fields {
		return append(fields{
			str("name", required), str("vm_size", fills("Standard_D2s_v3")), integer("node_count", fills("1")),
			integer("min_count"), integer("max_count"), boolean("auto_scaling_enabled"),
			integer("os_disk_size_gb", fills("128")), str("os_disk_type", defaults("Managed")),
			integer("max_pods", fills("110")), str("vnet_subnet_id"), strSet("zones"), strMap("node_labels"),
			str("os_sku", fills("Ubuntu")), strMap("tags"),
		}, extra...)
	}
	return []resourceType{
		azPart("azurerm_resource_group", azSubscription+"/resourceGroups/{name}", str("location", required, replaces),
			str("managed_by"), strMap("tags")),
		azThing("azurerm_virtual_network", "Microsoft.Network/virtualNetworks", strList("address_space", required),
			strList("dns_servers", fills("")), computed("guid", "{uuid}")),
		azPart("azurerm_subnet",
			azSubscription+"/resourceGroups/{resource_group_name}/providers/Microsoft.Network/virtualNetworks/{virtual_network_name}/subnets/{name}",
			str("resource_group_name", required, replaces), str("virtual_network_name", required, replaces),
			strList("address_prefixes", required), strSet("service_endpoints"),
			str("private_endpoint_network_policies", defaults("Disabled")),
			blocks("delegation", fields{str("name", required),
				block("service_delegation", fields{str("name", required), strSet("actions")}, required)})),
		azThing("azurerm_network_security_group", "Microsoft.Network/networkSecurityGroups",
			objects("security_rule", nsgRule(), fills(""))),
		azPart("azurerm_network_security_rule",
			azSubscription+"/resourceGroups/{resource_group_name}/providers/Microsoft.Network/networkSecurityGroups/{network_security_group_name}/securityRules/{name}",
			str("resource_group_name", required, replaces), str("network_security_group_name", required, replaces),
			str("description"), integer("priority", required), str("direction", required, oneOf("Inbound", "Outbound")),
			str("access", required, oneOf("Allow", "Deny")), str("protocol", required),
			str("source_port_range"), strSet("source_port_ranges"), str("destination_port_range"),
			strSet("destination_port_ranges"), str("source_address_prefix"), strSet("source_address_prefixes"),
			str("destination_address_prefix"), strSet("destination_address_prefixes")),
		azLink("azurerm_subnet_network_security_group_association", "{subnet_id}", str("subnet_id", required, replaces),
			str("network_security_group_id", required, replaces)),
		azThing("azurerm_public_ip", "Microsoft.Network/publicIPAddresses",
			str("allocation_method", required, oneOf("Static", "Dynamic")), str("sku", defaults("Standard"), replaces),
			str("sku_tier", defaults("Regional"), replaces), strSet("zones", replaces), str("domain_name_label"),
			str("ip_version", defaults("IPv4"), replaces), computed("ip_address", "{public_ip}"), computed("fqdn", "")),
		azThing("azurerm_nat_gateway", "Microsoft.Network/natGateways", str("sku_name", defaults("Standard")),
			integer("idle_timeout_in_minutes", defaults("4")), strSet("zones", replaces), computed("resource_guid", "{uuid}")),
		azThing("azurerm_network_interface", "Microsoft.Network/networkInterfaces",
			boolean("accelerated_networking_enabled", defaults("false")), boolean("ip_forwarding_enabled", defaults("false")),
			strList("dns_servers", fills("")),
			blocks("ip_configuration", fields{str("name", required), str("subnet_id"),
				str("private_ip_address_allocation", required), str("private_ip_address", fills("{ip}")),
				str("public_ip_address_id"), boolean("primary", fills("true"))}, required),
			computed("private_ip_address", "{ip}"), computed("mac_address", "")),
		azVM("azurerm_linux_virtual_machine", boolean("disable_password_authentication", defaults("true"), replaces),
			blockSet("admin_ssh_key", fields{str("username", required), str("public_key", required)}, replaces)),
		azVM("azurerm_windows_virtual_machine", str("timezone", replaces), str("patch_mode", defaults("AutomaticByOS")),
			boolean("automatic_updates_enabled", defaults("true"))),
		azThing("azurerm_linux_virtual_machine_scale_set", "Microsoft.Compute/virtualMachineScaleSets", str("sku", required),
			integer("instances", defaults("0")), str("admin_username", required, replaces),
			str("admin_password", sensitive, replaces), boolean("disable_password_authentication", defaults("true")),
			str("upgrade_mode", defaults("Manual"), replaces),
			blockSet("admin_ssh_key", fields{str("username", required), str("public_key", required)}),
			block("os_disk", fields{str("caching", required), str("storage_account_type", required),
				integer("disk_size_gb", fills("30"))}, required),
			block("source_image_reference", fields{str("publisher", required), str("offer", required), str("sku", required),
				str("version", required)}),
			blocks("network_interface", fields{str("name", required), boolean("primary"),
				blocks("ip_configuration", fields{str("name", required), boolean("primary"), str("subnet_id")}, required)},
				required), azIdentity()),
		azThing("azurerm_managed_disk", "Microsoft.Compute/disks", str("storage_account_type", required),
			str("create_option", required, replaces), integer("disk_size_gb", fills("0")),
			integer("disk_iops_read_write", fills("500")), integer("disk_mbps_read_write", fills("100")), str("zone", replaces),
			str("tier", fills("")), str("source_resource_id", replaces), str("os_type")),
		azLink("azurerm_virtual_machine_data_disk_attachment", "{virtual_machine_id}/dataDisks/{hex8}",
			str("managed_disk_id", required, replaces), str("virtual_machine_id", required, replaces),
			integer("lun", required, replaces), str("caching", required)),
		azThing("azurerm_kubernetes_cluster", "Microsoft.ContainerService/managedClusters", str("dns_prefix", replaces),
			str("kubernetes_version", fills("1.33")), str("sku_tier", defaults("Free"), oneOf("Free", "Standard", "Premium")),
			boolean("private_cluster_enabled", defaults("false"), replaces),
			boolean("role_based_access_control_enabled", defaults("true"), replaces), boolean("local_account_disabled"),
			str("node_resource_group", fills("MC_{resource_group_name}_{name}"), replaces),
			block("default_node_pool", pool(str("temporary_name_for_rotation")), required),
			block("network_profile", fields{str("network_plugin", required), str("network_policy", fills("")),
				str("load_balancer_sku", defaults("standard")), str("outbound_type", defaults("loadBalancer"))}), azIdentity(),
			computed("fqdn", "{dns_prefix}-{short}.hcp.{location}.azmk8s.io"),
			computed("kube_config_raw", "{hex32}", sensitive), computed("oidc_issuer_url", "")),
		azPart("azurerm_kubernetes_cluster_node_pool", "{kubernetes_cluster_id}/agentPools/{name}",
			append(pool()[1:], str("kubernetes_cluster_id", required, replaces), str("mode", defaults("User")),
				str("os_type", defaults("Linux"), replaces), str("priority", defaults("Regular"), replaces),
				str("eviction_policy", replaces))...),
		azThing("azurerm_mssql_server", "Microsoft.Sql/servers", str("version", required, replaces),
			str("administrator_login", fills(""), replaces), str("administrator_login_password", sensitive),
			str("minimum_tls_version", defaults("1.2")), boolean("public_network_access_enabled", defaults("true")),
			azIdentity(), computed("fully_qualified_domain_name", "{name}.database.windows.net")),
		azPart("azurerm_mssql_database", "{server_id}/databases/{name}", str("server_id", required, replaces),
			str("sku_name", fills("GP_S_Gen5_2")), integer("max_size_gb", fills("32")),
			str("license_type", fills("LicenseIncluded")), boolean("zone_redundant", fills("false")),
			integer("read_replica_count", fills("0")), boolean("read_scale", fills("false")),
			str("collation", fills("SQL_Latin1_General_CP1_CI_AS"), replaces),
			integer("auto_pause_delay_in_minutes", fills("0")), number("min_capacity", fills("0")),
			str("storage_account_type", defaults("Geo")), boolean("geo_backup_enabled", defaults("true")), strMap("tags")),
		azThing("azurerm_postgresql_flexible_server", "Microsoft.DBforPostgreSQL/flexibleServers",
			str("sku_name", fills("B_Standard_B1ms")), integer("storage_mb", fills("32768")), str("storage_tier", fills("P4")),
			str("version", fills("16")), str("administrator_login", fills(""), replaces),
			str("administrator_password", sensitive), integer("backup_retention_days", fills("7")),
			boolean("geo_redundant_backup_enabled", defaults("false"), replaces), str("zone", fills("1")),
			str("delegated_subnet_id", replaces), str("private_dns_zone_id", fills("")),
			boolean("public_network_access_enabled", defaults("true")), boolean("auto_grow_enabled", defaults("false")),
			block("high_availability", fields{str("mode", required), str("standby_availability_zone")}),
			computed("fqdn", "{name}.postgres.database.azure.com")),
		azThing("azurerm_mysql_flexible_server", "Microsoft.DBforMySQL/flexibleServers",
			str("sku_name", fills("B_Standard_B1ms")), str("version", fills("8.0.21"), replaces),
			str("administrator_login", fills(""), replaces), str("administrator_password", sensitive),
			integer("backup_retention_days", defaults("7")), str("zone", fills("1")),
			block("storage", fields{integer("size_gb", fills("20")), integer("iops", fills("360"))}),
			block("high_availability", fields{str("mode", required)}), computed("fqdn", "{name}.mysql.database.azure.com")),
		azThing("azurerm_storage_account", "Microsoft.Storage/storageAccounts",
			str("account_tier", required, replaces, oneOf("Standard", "Premium")),
			str("account_replication_type", required, oneOf("LRS", "GRS", "RAGRS", "ZRS", "GZRS", "RAGZRS")),
			str("account_kind", defaults("StorageV2")), str("access_tier", fills("Hot")),
			boolean("https_traffic_only_enabled", defaults("true")), str("min_tls_version", defaults("TLS1_2")),
			boolean("allow_nested_items_to_be_public", defaults("true")),
			boolean("public_network_access_enabled", defaults("true")), boolean("shared_access_key_enabled", defaults("true")),
			boolean("is_hns_enabled", defaults("false"), replaces),
			block("blob_properties", fields{boolean("versioning_enabled", defaults("false")),
				block("delete_retention_policy", fields{integer("days", defaults("7"))})}),
			block("network_rules", fields{str("default_action", required), strSet("ip_rules"),
				strSet("virtual_network_subnet_ids"), strSet("bypass")}), azIdentity(),
			computed("primary_blob_endpoint", "https://{name}.blob.core.windows.net/"),
			computed("primary_access_key", "{hex32}", sensitive),
			computed("primary_connection_string", "{hex32}", sensitive)),
		azPart("azurerm_storage_container", "{storage_account_id}/blobServices/default/containers/{name}",
			str("storage_account_id", replaces), str("storage_account_name", replaces),
			str("container_access_type", defaults("private"))),
		azThing("azurerm_service_plan", "Microsoft.Web/serverFarms",
			str("os_type", required, replaces, oneOf("Linux", "Windows", "WindowsContainer")), str("sku_name", required),
			integer("worker_count", fills("1")), boolean("zone_balancing_enabled", defaults("false")),
			computed("kind", "linux")),
		azThing("azurerm_linux_web_app", "Microsoft.Web/sites", str("service_plan_id", required),
			boolean("https_only", defaults("false")), strMap("app_settings"), boolean("enabled", defaults("true")),
			block("site_config", fields{boolean("always_on", defaults("true")), str("minimum_tls_version", defaults("1.2")),
				block("application_stack", fields{str("docker_image_name"), str("node_version"), str("python_version")})},
				required), azIdentity(), computed("default_hostname", "{name}.azurewebsites.net")),
		azThing("azurerm_redis_cache", "Microsoft.Cache/redis", integer("capacity", required),
			str("family", required, oneOf("C", "P")), str("sku_name", required, oneOf("Basic", "Standard", "Premium")),
			integer("shard_count"), integer("replicas_per_primary", fills("0")), str("minimum_tls_version", defaults("1.0")),
			boolean("non_ssl_port_enabled", defaults("false")), strSet("zones", replaces),
			computed("hostname", "{name}.redis.cache.windows.net"), computed("primary_access_key", "{hex32}", sensitive)),
		azThing("azurerm_lb", "Microsoft.Network/loadBalancers", str("sku", defaults("Standard"), replaces),
			str("sku_tier", defaults("Regional"), replaces),
			blocks("frontend_ip_configuration", fields{str("name", required), str("public_ip_address_id"), str("subnet_id"),
				str("private_ip_address_allocation", fills("Dynamic"))})),
		azPart("azurerm_lb_rule", "{loadbalancer_id}/loadBalancingRules/{name}", str("loadbalancer_id", required, replaces),
			str("protocol", required), integer("frontend_port", required), integer("backend_port", required),
			str("frontend_ip_configuration_name", required), strList("backend_address_pool_ids"), str("probe_id")),
		azThing("azurerm_application_gateway", "Microsoft.Network/applicationGateways",
			block("sku", fields{str("name", required), str("tier", required), integer("capacity")}, required),
			block("autoscale_configuration", fields{integer("min_capacity", required), integer("max_capacity")}),
			strSet("zones", replaces),
			blocks("gateway_ip_configuration", fields{str("name", required), str("subnet_id", required)}, required),
			blocks("frontend_ip_configuration", fields{str("name", required), str("public_ip_address_id")}, required),
			blockSet("frontend_port", fields{str("name", required), integer("port", required)}, required)),
		azThing("azurerm_firewall", "Microsoft.Network/azureFirewalls", str("sku_name", required, replaces),
			str("sku_tier", required), str("firewall_policy_id"),
			blocks("ip_configuration", fields{str("name", required), str("subnet_id"), str("public_ip_address_id")})),
		azThing("azurerm_bastion_host", "Microsoft.Network/bastionHosts", str("sku", defaults("Basic")),
			integer("scale_units", defaults("2")), block("ip_configuration",
				fields{str("name", required), str("subnet_id", required), str("public_ip_address_id", required)}),
			computed("dns_name", "{short}.bastion.azure.com")),
		azThing("azurerm_key_vault", "Microsoft.KeyVault/vaults", str("tenant_id", required),
			str("sku_name", required, oneOf("standard", "premium")), boolean("purge_protection_enabled"),
			integer("soft_delete_retention_days", defaults("90"), replaces), boolean("rbac_authorization_enabled"),
			boolean("public_network_access_enabled", defaults("true")),
			block("network_acls", fields{str("bypass", required), str("default_action", required), strSet("ip_rules")}),
			computed("vault_uri", "https://{name}.vault.azure.net/")),
		azPart("azurerm_key_vault_secret", "https://{name}.vault.azure.net/secrets/{name}/{hex32}",
			str("key_vault_id", required, replaces), str("value", sensitive), str("content_type"), strMap("tags"),
			computed("version", "{hex32}")),
		azThing("azurerm_log_analytics_workspace", "Microsoft.OperationalInsights/workspaces", str("sku", fills("PerGB2018")),
			integer("retention_in_days", fills("30")), integer("reservation_capacity_in_gb_per_day"),
			number("daily_quota_gb", defaults("-1")), computed("workspace_id", "{uuid}"),
			computed("primary_shared_key", "{hex32}", sensitive)),
		azThing("azurerm_container_registry", "Microsoft.ContainerRegistry/registries",
			str("sku", required, oneOf("Basic", "Standard", "Premium")), boolean("admin_enabled", defaults("false")),
			boolean("public_network_access_enabled", defaults("true")),
			blocks("georeplications", fields{str("location", required), boolean("zone_redundancy_enabled", defaults("false"))}),
			azIdentity(), computed("login_server", "{name}.azurecr.io")),
		azThing("azurerm_cosmosdb_account", "Microsoft.DocumentDB/databaseAccounts", str("offer_type", required),
			str("kind", defaults("GlobalDocumentDB"), replaces), boolean("automatic_failover_enabled", defaults("false")),
			boolean("multiple_write_locations_enabled", defaults("false")),
			boolean("free_tier_enabled", defaults("false"), replaces),
			block("consistency_policy", fields{str("consistency_level", required),
				integer("max_interval_in_seconds", defaults("5")), integer("max_staleness_prefix", defaults("100"))}, required),
			blockSet("geo_location", fields{str("location", required), integer("failover_priority", required),
				boolean("zone_redundant")}, required), blockSet("capabilities", fields{str("name", required)}),
			computed("endpoint", "https://{name}.documents.azure.com:443/"), computed("primary_key", "{hex32}", sensitive)),
		azPart("azurerm_cosmosdb_sql_database",
			azSubscription+"/resourceGroups/{resource_group_name}/providers/Microsoft.DocumentDB/databaseAccounts/{account_name}/sqlDatabases/{name}", str("resource_group_name", required, replaces), str("account_name", required, replaces), integer("throughput", fills("0")), block("autoscale_settings", fields{integer("max_throughput", fills("1000"))})),
		azThing("azurerm_servicebus_namespace", "Microsoft.ServiceBus/namespaces",
			str("sku", required, oneOf("Basic", "Standard", "Premium")), integer("capacity"),
			integer("premium_messaging_partitions"), computed("endpoint", "https://{name}.servicebus.windows.net:443/")),
		azThing("azurerm_user_assigned_identity", "Microsoft.ManagedIdentity/userAssignedIdentities",
			computed("principal_id", "{uuid}"), computed("client_id", "{uuid}"), computed("tenant_id", "{tenant_id}")),
		azLink("azurerm_role_assignment", "{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid}",
			str("scope", required, replaces), str("role_definition_name", replaces),
			str("role_definition_id", fills(""), replaces), str("principal_id", required, replaces),
			str("principal_type", fills("ServicePrincipal"), replaces), str("name", fills("{uuid}"), replaces)),
		azPart("azurerm_dns_zone",
			azSubscription+"/resourceGroups/{resource_group_name}/providers/Microsoft.Network/dnsZones/{name}",
			str("resource_group_name", required, replaces), strMap("tags"),
			computedAs(strSet("name_servers"), "ns1.example.net,ns2.example.net")),
	}
}

func azurermData() []dataType {
	return []dataType{
		{name: "azurerm_client_config", of: fields{
			computed("id", "{client_id}"), computed("client_id", "{client_id}"), computed("tenant_id", "{tenant_id}"),
			computed("subscription_id", "{subscription_id}"), computed("object_id", "{client_id}"),
		}},
		{name: "azurerm_subscription", of: fields{
			str("subscription_id", defaults("{subscription_id}")), computed("id", "/subscriptions/{subscription_id}"),
			computed("display_name", "stand-in"), computed("tenant_id", "{tenant_id}"),
		}},
		{name: "azurerm_resource_group", of: fields{
			str("name", required), computed("id", azSubscription+"/resourceGroups/{name}"), computed("location", "westeurope"),
			computedAs(strMap("tags"), ""),
		}},
		{name: "azurerm_virtual_network", of: fields{
			str("name", required), str("resource_group_name", required),
			computed("id",
				azSubscription+"/resourceGroups/{resource_group_name}/providers/Microsoft.Network/virtualNetworks/{name}"),
			computed("location", "westeurope"), computedAs(strList("address_space"), "10.0.0.0/16"),
			computedAs(strList("subnets"), "default"),
		}},
		{name: "azurerm_subnet", of: fields{
			str("name", required), str("virtual_network_name", required), str("resource_group_name", required),
			computedAs(strList("address_prefixes"), "10.0.1.0/24"),
			computed("id",
				azSubscription+"/resourceGroups/{resource_group_name}/providers/Microsoft.Network/virtualNetworks/{virtual_network_name}/subnets/{name}"),
		}},
		{name: "azurerm_key_vault", of: fields{
			str("name", required), str("resource_group_name", required),
			computed("id",
				azSubscription+"/resourceGroups/{resource_group_name}/providers/Microsoft.KeyVault/vaults/{name}"),
			computed("vault_uri", "https://{name}.vault.azure.net/"),
		}},
	}
}

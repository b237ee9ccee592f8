package main

var google = family{
	name: "google",
	config: fields{
		str("project"), str("region"), str("zone"), str("credentials", sensitive), str("access_token", sensitive),
		str("impersonate_service_account"),
		boolean("user_project_override"), str("billing_project"), str("request_timeout"), strList("scopes"),
		strMap("default_labels"), boolean("add_terraform_attribution_label"),
	},
	vars: map[string]string{"project": "", "region": "us-central1", "zone": "us-central1-a", "number": "000000000000"},
	fromEnv: map[string][]string{
		"project": {"GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"},
		"region":  {"GOOGLE_REGION"}, "zone": {"GOOGLE_ZONE"},
	},
	needs: map[string]string{
		"project": "project: required field is not set. Give the provider a project, or set GOOGLE_PROJECT.",
	},
	tags:   "labels",
	merged: []string{"terraform_labels", "effective_labels"},
	defaultTags: func(config map[string]any) map[string]string {
		return stringMap(config["default_labels"])
	},
	resources: googleResources,
	data:      googleData,
}

const gcpLink = "https://www.googleapis.com/compute/v1/"

// gcp is a Google type; id is its path below the project.
func gcp(name, id string, of ...field) resourceType {
	all := fields{computed("id", "{id}"), str("project", defaults("{project}"), replaces)}
	if _, ok := fields(of).byName("name"); !ok {
		all = append(all, str("name", required, replaces))
	}
	return resourceType{name: name, id: "projects/{project}/" + id, of: append(all, of...)}
}

// gcpNameless is a Google type that is called by another attribute than name.
func gcpNameless(name, id string, of ...field) resourceType {
	return resourceType{name: name, id: "projects/{project}/" + id,
		of: append(fields{computed("id", "{id}"), str("project", defaults("{project}"), replaces)}, of...)}
}

// gcpCompute is a type of the compute API: it has a self_link.
func gcpCompute(name, id string, of ...field) resourceType {
	return gcp(name, id, append(of, computed("self_link", gcpLink+"{id}"))...)
}

func gcpZonal(name, kind string, of ...field) resourceType {
	return gcpCompute(name, "zones/{zone}/"+kind+"/{name}", append(fields{str("zone", defaults("{zone}"), replaces)}, of...)...)
}

func gcpRegional(name, kind string, of ...field) resourceType {
	return gcpCompute(name, "regions/{region}/"+kind+"/{name}",
		append(fields{str("region", defaults("{region}"), replaces)}, of...)...)
}

// labelled adds labels and the attributes that show them merged.
func labelled(rt resourceType) resourceType {
	rt.of = append(rt.of, strMap("labels"), computedAs(strMap("terraform_labels"), ""),
		computedAs(strMap("effective_labels"), ""))
	return rt
}

// gcpIAM is one member's role on something; on names that something.
func gcpIAM(name, on string) resourceType {
	of := fields{computed("id", "{id}"), str(on, required, replaces), str("role", required, replaces),
		str("member", required, replaces),
		block("condition", fields{str("title", required), str("expression", required), str("description")}, replaces),
		computed("etag", "{hex12}")}
	return resourceType{name: name, id: "{" + on + "}/{role}/{member}", of: of}
}

func googleResources() []resourceType {
	machine := func() fields {
		return fields{
			str("machine_type", required), str("description"), strSet("tags"), strMap("metadata"),
			str("metadata_startup_script"), boolean("can_ip_forward", defaults("false")),
			str("min_cpu_platform", fills("")),
			block("scheduling", fields{boolean("preemptible", defaults("false")),
				boolean("automatic_restart", defaults("true")), str("on_host_maintenance", fills("MIGRATE")),
				str("provisioning_model", fills("STANDARD")), str("instance_termination_action")}),
			block("service_account", fields{str("email", fills("{number}-compute@developer.gserviceaccount.com")),
				strSet("scopes", required)}),
			blocks("guest_accelerator", fields{str("type", required), integer("count", required)}, replaces),
			block("shielded_instance_config", fields{boolean("enable_secure_boot", defaults("false")),
				boolean("enable_vtpm", defaults("true")), boolean("enable_integrity_monitoring", defaults("true"))}),
			blocks("network_interface", fields{
				str("network", fills("")), str("subnetwork", fills("")), str("network_ip", fills("{ip}")),
				str("stack_type", fills("IPV4_ONLY")),
				blocks("access_config", fields{str("nat_ip", fills("{public_ip}")), str("network_tier", fills("PREMIUM")),
					str("public_ptr_domain_name")}),
			}, required),
		}
	}
	nodes := func() field {
		return block("node_config", fields{
			str("machine_type", fills("e2-medium")), integer("disk_size_gb", fills("100")),
			str("disk_type", fills("pd-balanced")), boolean("preemptible", defaults("false")),
			boolean("spot", defaults("false")), str("image_type", fills("COS_CONTAINERD")),
			strSet("oauth_scopes", fills("")),
			str("service_account", fills("default")), strMap("labels", fills("")), strList("tags"),
			strMap("metadata", fills("")), integer("local_ssd_count", fills("0")), strMap("resource_labels"),
			blocks("guest_accelerator", fields{str("type", required), integer("count", required)}),
		})
	}
	return []resourceType{
		gcpCompute("google_compute_network", "global/networks/{name}",
			boolean("auto_create_subnetworks", defaults("true"), replaces), str("routing_mode", fills("REGIONAL")),
			str("description", replaces), integer("mtu", fills("1460"), replaces),
			boolean("delete_default_routes_on_create", defaults("false")), computed("gateway_ipv4", "")),
		gcpRegional("google_compute_subnetwork", "subnetworks", str("network", required, replaces),
			str("ip_cidr_range", required), boolean("private_ip_google_access", fills("false")),
			str("purpose", fills("PRIVATE"), replaces), str("description", replaces),
			blocks("secondary_ip_range", fields{str("range_name", required), str("ip_cidr_range", required)}),
			block("log_config", fields{str("aggregation_interval", defaults("INTERVAL_5_SEC")),
				number("flow_sampling", defaults("0.5"))}), computed("gateway_address", "{ip}")),
		gcpCompute("google_compute_firewall", "global/firewalls/{name}", str("network", required, replaces),
			str("direction", fills("INGRESS"), replaces), integer("priority", defaults("1000")),
			strSet("source_ranges", fills("")), strSet("destination_ranges", fills("")), strSet("source_tags"),
			strSet("target_tags"), strSet("source_service_accounts"), strSet("target_service_accounts"), boolean("disabled"),
			str("description"),
			blockSet("allow", fields{str("protocol", required), strList("ports")}),
			blockSet("deny", fields{str("protocol", required), strList("ports")}),
			block("log_config", fields{str("metadata", required)})),
		gcpRegional("google_compute_router", "routers", str("network", required, replaces), str("description"),
			block("bgp", fields{integer("asn", required), str("advertise_mode", defaults("DEFAULT"))})),
		gcp("google_compute_router_nat", "{region}/{router}/{name}", str("router", required, replaces),
			str("region", defaults("{region}"), replaces), str("nat_ip_allocate_option", fills("AUTO_ONLY")),
			str("source_subnetwork_ip_ranges_to_nat", required), strSet("nat_ips"), integer("min_ports_per_vm", fills("64")),
			block("log_config", fields{boolean("enable", required), str("filter", required)})),
		labelled(gcpRegional("google_compute_address", "addresses", str("address", fills("{public_ip}"), replaces),
			str("address_type", defaults("EXTERNAL"), replaces), str("network_tier", fills("PREMIUM"), replaces),
			str("subnetwork", fills(""), replaces), str("purpose", fills(""), replaces), str("description", replaces))),
		labelled(gcpCompute("google_compute_global_address", "global/addresses/{name}",
			str("address", fills("{public_ip}"), replaces), str("address_type", defaults("EXTERNAL"), replaces),
			str("purpose", replaces), integer("prefix_length", fills("0"), replaces), str("network", replaces))),
		labelled(gcpZonal("google_compute_instance", "instances", append(machine(),
			boolean("allow_stopping_for_update"), boolean("deletion_protection", defaults("false")), str("hostname", replaces),
			str("desired_status"),
			block("boot_disk", fields{
				boolean("auto_delete", defaults("true")), str("device_name", fills("persistent-disk-0")),
				str("source", fills("")), str("mode", defaults("READ_WRITE")), str("kms_key_self_link", fills("")),
				block("initialize_params", fields{str("image", fills("debian-cloud/debian-12")), integer("size", fills("10")),
					str("type", fills("pd-standard")), strMap("labels"), integer("provisioned_iops", fills("0"))}),
			}, required, replaces),
			blocks("attached_disk", fields{str("source", required), str("device_name", fills("")),
				str("mode", defaults("READ_WRITE"))}), blocks("scratch_disk",
				fields{str("interface", required), integer("size", defaults("375"))}, replaces),
			computed("instance_id", "{digits}"), computed("cpu_platform", "Intel Broadwell"),
			computed("current_status", "RUNNING"))...)),
		labelled(gcpCompute("google_compute_instance_template", "global/instanceTemplates/{name}",
			append(machine(), str("name", fills("terraform-{hex17}"), replaces), str("name_prefix", replaces),
				str("region", replaces),
				blocks("disk", fields{boolean("boot", defaults("true")), boolean("auto_delete", defaults("true")),
					str("source_image", fills("")), integer("disk_size_gb", fills("10")), str("disk_type", fills("pd-standard")),
					str("type", fills("PERSISTENT"))}, required, replaces))...)),
		gcpZonal("google_compute_instance_group_manager", "instanceGroupManagers",
			str("base_instance_name", required, replaces), integer("target_size", fills("0")),
			blocks("version", fields{str("instance_template", required), str("name")}, required),
			blockSet("named_port", fields{str("name", required), integer("port", required)}),
			computed("instance_group", gcpLink+"{id}")),
		labelled(gcpZonal("google_compute_disk", "disks", str("type", defaults("pd-standard"), replaces),
			integer("size", fills("500")), str("image", replaces), str("snapshot", replaces),
			integer("provisioned_iops", fills("0")), integer("provisioned_throughput", fills("0")),
			str("description", replaces), integer("physical_block_size_bytes", fills("4096"), replaces))),
		labelled(gcpRegional("google_compute_region_disk", "disks", strList("replica_zones", required, replaces),
			str("type", defaults("pd-standard"), replaces), integer("size", fills("500")), str("snapshot", replaces))),
		labelled(gcpRegional("google_compute_vpn_tunnel", "vpnTunnels", str("peer_ip", fills(""), replaces),
			str("shared_secret", required, sensitive, replaces), str("target_vpn_gateway", replaces),
			str("vpn_gateway", replaces), str("router", replaces), integer("ike_version", defaults("2"), replaces))),
		labelled(gcp("google_filestore_instance", "locations/{location}/instances/{name}",
			str("location", defaults("{zone}"), replaces), str("tier", required, replaces), str("description"),
			block("file_shares", fields{str("name", required), integer("capacity_gb", required)}, required),
			block("networks", fields{str("network", required), strList("modes", required)}, required, replaces))),
		labelled(gcpCompute("google_compute_global_forwarding_rule", "global/forwardingRules/{name}", str("target", required),
			str("port_range", replaces), str("ip_address", fills("{public_ip}"), replaces),
			str("load_balancing_scheme", defaults("EXTERNAL"), replaces), str("ip_protocol", fills("TCP"), replaces))),
		labelled(gcpRegional("google_compute_forwarding_rule", "forwardingRules", str("target"), str("port_range", replaces),
			strSet("ports", replaces), str("ip_address", fills("{public_ip}"), replaces),
			str("load_balancing_scheme", defaults("EXTERNAL"), replaces), str("ip_protocol", fills("TCP"), replaces),
			str("backend_service"), str("network", fills(""), replaces), str("subnetwork", fills(""), replaces))),
		gcp("google_container_cluster", "locations/{location}/clusters/{name}", str("location", defaults("{zone}"), replaces),
			integer("initial_node_count", replaces), boolean("remove_default_node_pool"), boolean("enable_autopilot", replaces),
			boolean("deletion_protection", defaults("true")), str("network", defaults("default"), replaces),
			str("subnetwork", fills(""), replaces), strSet("node_locations", fills("")), str("min_master_version"),
			str("networking_mode", fills("VPC_NATIVE"), replaces), strMap("resource_labels"),
			str("logging_service", fills("logging.googleapis.com/kubernetes")),
			nodes(), block("release_channel", fields{str("channel", required)}),
			block("private_cluster_config", fields{boolean("enable_private_nodes"), boolean("enable_private_endpoint"),
				str("master_ipv4_cidr_block", fills(""))}),
			block("ip_allocation_policy", fields{str("cluster_secondary_range_name", fills("")),
				str("services_secondary_range_name", fills(""))}),
			block("workload_identity_config", fields{str("workload_pool")}),
			block("master_authorized_networks_config", fields{blockSet("cidr_blocks",
				fields{str("cidr_block", required), str("display_name")})}), computed("endpoint", "{public_ip}"),
			computed("master_version", "1.33.1-gke.1"), computed("self_link", gcpLink+"{id}")),
		gcp("google_container_node_pool", "locations/{location}/clusters/{cluster}/nodePools/{name}",
			str("name", fills("default-pool-{hex8}"), replaces), str("cluster", required, replaces),
			str("location", defaults("{zone}"), replaces), integer("node_count", fills("1")),
			integer("initial_node_count", fills("1"), replaces), strSet("node_locations", fills("")),
			str("version", fills("1.33.1-gke.1")), integer("max_pods_per_node", fills("110"), replaces), nodes(),
			block("autoscaling", fields{integer("min_node_count"), integer("max_node_count"), integer("total_min_node_count"),
				integer("total_max_node_count"), str("location_policy", fills("BALANCED"))}),
			block("management", fields{boolean("auto_repair", defaults("true")),
				boolean("auto_upgrade", defaults("true"))})),
		gcp("google_sql_database_instance", "instances/{name}", str("name", fills("terraform-{hex17}"), replaces),
			str("database_version", required), str("region", defaults("{region}"), replaces), str("root_password", sensitive),
			boolean("deletion_protection", defaults("true")), str("master_instance_name", fills(""), replaces),
			str("encryption_key_name", fills(""), replaces),
			block("settings", fields{
				str("tier", required), str("edition", fills("ENTERPRISE")),
				str("availability_type", defaults("ZONAL"), oneOf("ZONAL", "REGIONAL")),
				str("disk_type", defaults("PD_SSD")), integer("disk_size", fills("10")),
				boolean("disk_autoresize", defaults("true")), str("activation_policy", defaults("ALWAYS")),
				boolean("deletion_protection_enabled"), strMap("user_labels", fills("")),
				str("pricing_plan", defaults("PER_USE")),
				block("backup_configuration", fields{boolean("enabled"), boolean("point_in_time_recovery_enabled"),
					boolean("binary_log_enabled"), str("start_time", fills("03:00")), str("location")}),
				block("ip_configuration", fields{boolean("ipv4_enabled", defaults("true")), str("private_network"),
					str("ssl_mode", fills("ALLOW_UNENCRYPTED_AND_ENCRYPTED")),
					blockSet("authorized_networks", fields{str("value", required), str("name"), str("expiration_time")})}),
				blockSet("database_flags", fields{str("name", required), str("value", required)}),
				block("insights_config", fields{boolean("query_insights_enabled")}),
				block("maintenance_window", fields{integer("day"), integer("hour")}),
			}), computed("connection_name", "{project}:{region}:{name}"), computed("public_ip_address", "{public_ip}"),
			computed("private_ip_address", ""), computed("self_link", gcpLink+"{id}")),
		gcp("google_sql_database", "instances/{instance}/databases/{name}", str("instance", required, replaces),
			str("charset", fills("UTF8")), str("collation", fills("en_US.UTF8")), str("deletion_policy", defaults("DELETE"))),
		gcp("google_sql_user", "instances/{instance}/users/{name}", str("instance", required, replaces),
			str("password", sensitive), str("host", fills(""), replaces), str("type")),
		labelled(gcp("google_storage_bucket", "buckets/{name}", str("location", required, replaces),
			str("storage_class", defaults("STANDARD")), boolean("force_destroy", defaults("false")),
			boolean("uniform_bucket_level_access", fills("false")), str("public_access_prevention", fills("inherited")),
			boolean("requester_pays"),
			block("versioning", fields{boolean("enabled", required)}),
			blocks("lifecycle_rule", fields{block("action", fields{str("type", required), str("storage_class")}, required),
				block("condition", fields{integer("age"), integer("num_newer_versions"), str("with_state", fills("ANY"))},
					required)}), block("encryption", fields{str("default_kms_key_name", required)}),
			block("logging", fields{str("log_bucket", required), str("log_object_prefix", fills(""))}),
			computed("url", "gs://{name}"), computed("self_link", "https://www.googleapis.com/storage/v1/b/{name}"))),
		gcpIAM("google_storage_bucket_iam_member", "bucket"), gcpIAM("google_project_iam_member", "project"),
		gcpIAM("google_service_account_iam_member", "service_account_id"),
		gcpIAM("google_kms_crypto_key_iam_member", "crypto_key_id"),
		labelled(gcp("google_redis_instance", "locations/{region}/instances/{name}",
			str("region", defaults("{region}"), replaces), str("tier", defaults("BASIC"), replaces,
				oneOf("BASIC", "STANDARD_HA")), integer("memory_size_gb", required), str("redis_version", fills("REDIS_7_2")),
			str("display_name"), str("authorized_network", fills(""), replaces),
			str("connect_mode", defaults("DIRECT_PEERING"), replaces), boolean("auth_enabled", defaults("false")),
			str("transit_encryption_mode", defaults("DISABLED"), replaces), integer("replica_count", fills("0")),
			str("location_id", fills(""), replaces), strMap("redis_configs"), computed("host", "{ip}"),
			computedAs(integer("port"), "6379"), computed("auth_string", "{uuid}", sensitive))),
		labelled(gcp("google_dns_managed_zone", "managedZones/{name}", str("dns_name", required, replaces),
			str("description", defaults("Managed by Terraform")), str("visibility", defaults("public"), replaces),
			boolean("force_destroy", defaults("false")), block("private_visibility_config",
				fields{blockSet("networks", fields{str("network_url", required)})}),
			computedAs(strList("name_servers"), "ns1.example.net.,ns2.example.net."))),
		gcp("google_dns_record_set", "managedZones/{managed_zone}/rrsets/{name}/{type}",
			str("managed_zone", required, replaces), str("type", required), integer("ttl"), strList("rrdatas")),
		gcp("google_kms_key_ring", "locations/{location}/keyRings/{name}", str("location", required, replaces)),
		labelled(resourceType{name: "google_kms_crypto_key", id: "{key_ring}/cryptoKeys/{name}",
			of: fields{computed("id", "{id}"), str("name", required, replaces), str("key_ring", required, replaces),
				str("rotation_period"), str("purpose", defaults("ENCRYPT_DECRYPT"), replaces),
				block("version_template", fields{str("algorithm", required), str("protection_level", defaults("SOFTWARE"))})}}),
		labelled(gcpNameless("google_secret_manager_secret", "secrets/{secret_id}", str("secret_id", required, replaces),
			computed("name", "projects/{number}/secrets/{secret_id}"), str("ttl"),
			block("replication", fields{block("auto", fields{}),
				block("user_managed", fields{blocks("replicas", fields{str("location", required)}, required)})}, required))),
		resourceType{name: "google_secret_manager_secret_version", id: "{secret}/versions/1",
			of: fields{computed("id", "{id}"), str("secret", required, replaces),
				str("secret_data", required, sensitive, replaces), boolean("enabled", defaults("true")), computed("name", "{id}"),
				computed("version", "1")}},
		gcpNameless("google_service_account", "serviceAccounts/{account_id}@{project}.iam.gserviceaccount.com",
			str("account_id", required, replaces), str("display_name"), str("description"),
			boolean("disabled", defaults("false")), computed("email", "{account_id}@{project}.iam.gserviceaccount.com"),
			computed("name", "{id}"), computed("unique_id", "{digits}"),
			computed("member", "serviceAccount:{account_id}@{project}.iam.gserviceaccount.com")),
		gcpNameless("google_project_service", "{service}", str("service", required, replaces),
			boolean("disable_on_destroy", defaults("false")), boolean("disable_dependent_services")),
		labelled(gcp("google_pubsub_topic", "topics/{name}", str("message_retention_duration"), str("kms_key_name"))),
		labelled(gcp("google_pubsub_subscription", "subscriptions/{name}", str("topic", required, replaces),
			integer("ack_deadline_seconds", fills("10")), str("message_retention_duration", defaults("604800s")),
			boolean("retain_acked_messages"), block("push_config", fields{str("push_endpoint", required)}))),
		labelled(gcpNameless("google_bigquery_dataset", "datasets/{dataset_id}", str("dataset_id", required, replaces),
			str("location", defaults("US"), replaces), str("friendly_name"), str("description"),
			boolean("delete_contents_on_destroy", defaults("false")), integer("default_table_expiration_ms"),
			computed("self_link", "https://bigquery.googleapis.com/bigquery/v2/{id}"))),
		labelled(gcpNameless("google_artifact_registry_repository", "locations/{location}/repositories/{repository_id}",
			computed("name", "{repository_id}"), str("repository_id", required, replaces),
			str("location", defaults("{region}"), replaces), str("format", required, replaces), str("description"))),
		labelled(gcp("google_cloud_run_v2_service", "locations/{location}/services/{name}", str("location", required, replaces),
			str("ingress", fills("INGRESS_TRAFFIC_ALL")), boolean("deletion_protection", defaults("true")),
			block("template", fields{str("service_account", fills("")), str("timeout", fills("300s")),
				blocks("containers", fields{str("image", required), str("name"),
					blocks("env", fields{str("name", required), str("value")}),
					block("resources", fields{strMap("limits", fills("")), boolean("cpu_idle")})}),
				block("scaling", fields{integer("min_instance_count"), integer("max_instance_count")})}, required),
			computed("uri", "https://{name}-{short}.a.run.app"))),
	}
}

func googleData() []dataType {
	return []dataType{
		{name: "google_client_config", of: fields{computed("id", "projects/{project}"), computed("project", "{project}"),
			computed("region", "{region}"), computed("zone", "{zone}"), computed("access_token", "", sensitive)}},
		{name: "google_project", of: fields{str("project_id", defaults("{project}")), computed("id", "projects/{project_id}"),
			computed("name", "{project_id}"), computed("number", "{number}"), computedAs(strMap("labels"), "")}},
		{name: "google_compute_zones", of: fields{str("project", defaults("{project}")), str("region", defaults("{region}")),
			str("status"), computed("id", "projects/{project}/regions/{region}"),
			computedAs(strList("names"), "{region}-a,{region}-b,{region}-c")}},
		{name: "google_compute_image", of: fields{
			str("project", defaults("{project}")), str("family", defaults("")), str("name", defaults("standin-{asked}")),
			computed("id", "projects/{project}/global/images/{name}"),
			computed("self_link", gcpLink+"{id}"), computedAs(integer("disk_size_gb"), "10"),
		}},
		{name: "google_compute_network", of: fields{str("name", required), str("project", defaults("{project}")),
			computed("id", "projects/{project}/global/networks/{name}"), computed("self_link", gcpLink+"{id}")}},
		{name: "google_compute_subnetwork", of: fields{
			str("name", required), str("project", defaults("{project}")), str("region", defaults("{region}")),
			computed("id", "projects/{project}/regions/{region}/subnetworks/{name}"),
			computed("self_link", gcpLink+"{id}"), computed("ip_cidr_range", "10.0.0.0/24"),
			computed("network", gcpLink+"projects/{project}/global/networks/default"),
		}},
	}
}

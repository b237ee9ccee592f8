package main

// awsNetwork are networks, what guards them, and DNS.
func awsNetwork() []resourceType {
	rule := func() fields {
		return fields{
			integer("from_port"), integer("to_port"), str("protocol"), strList("cidr_blocks"), strList("ipv6_cidr_blocks"),
			strSet("security_groups"), strList("prefix_list_ids"), boolean("self"), str("description"),
		}
	}
	// one rule of a security group, the newer way: a resource each
	vpcRule := func(name string) resourceType {
		return awsTagged(name, "sgr-{hex17}", "ec2:{region}:{account}:security-group-rule/{id}",
			str("security_group_id", required, replaces), str("ip_protocol", required), integer("from_port"), integer("to_port"),
			str("cidr_ipv4"), str("cidr_ipv6"), str("prefix_list_id"), str("referenced_security_group_id"), str("description"),
			computed("security_group_rule_id", "{id}"))
	}
	return []resourceType{
		awsTagged("aws_vpc", "vpc-{hex17}", "ec2:{region}:{account}:vpc/{id}",
			str("cidr_block", fills("10.0.0.0/16"), replaces), str("instance_tenancy", defaults("default")), boolean("enable_dns_support", defaults("true")),
			boolean("enable_dns_hostnames", fills("false")), boolean("assign_generated_ipv6_cidr_block"), computed("owner_id", "{account}"),
			computed("main_route_table_id", "rtb-{hex17}"), computed("default_security_group_id", "sg-{hex17}"), computed("default_route_table_id", "rtb-{hex17}"),
		),
		awsTagged("aws_subnet", "subnet-{hex17}", "ec2:{region}:{account}:subnet/{id}",
			str("vpc_id", required, replaces), str("cidr_block", replaces), str("availability_zone", fills("{region}a"), replaces),
			boolean("map_public_ip_on_launch", defaults("false")), str("ipv6_cidr_block"), computed("owner_id", "{account}"),
		),
		awsTagged("aws_internet_gateway", "igw-{hex17}", "ec2:{region}:{account}:internet-gateway/{id}", str("vpc_id", fills(""))),
		awsTagged("aws_nat_gateway", "nat-{hex17}", "", str("subnet_id", required, replaces), str("allocation_id", replaces),
			str("connectivity_type", defaults("public"), replaces, oneOf("public", "private")), str("private_ip", fills("{ip}"), replaces),
			computed("public_ip", "{public_ip}"), computed("network_interface_id", "eni-{hex17}")),
		awsTagged("aws_eip", "eipalloc-{hex17}", "ec2:{region}:{account}:elastic-ip/{id}",
			str("domain", fills("vpc"), replaces), str("instance", fills("")), str("network_interface", fills("")), str("associate_with_private_ip"),
			computed("allocation_id", "{id}"), computed("public_ip", "{public_ip}"), computed("private_ip", "{ip}"), computed("public_dns", ""),
		),
		awsPlain("aws_eip_association", "eipassoc-{hex17}", "", str("allocation_id", fills(""), replaces), str("instance_id", fills(""), replaces), str("network_interface_id", fills(""), replaces)),
		awsTagged("aws_route_table", "rtb-{hex17}", "ec2:{region}:{account}:route-table/{id}", str("vpc_id", required, replaces), computed("owner_id", "{account}"),
			objects("route", fields{
				str("cidr_block"), str("ipv6_cidr_block"), str("gateway_id"), str("nat_gateway_id"), str("transit_gateway_id"),
				str("vpc_peering_connection_id"), str("vpc_endpoint_id"), str("network_interface_id"), str("egress_only_gateway_id"),
				str("destination_prefix_list_id"), str("local_gateway_id"), str("carrier_gateway_id"), str("core_network_arn"),
			}, fills("")),
		),
		awsPlain("aws_route", "r-{route_table_id}{short}", "", str("route_table_id", required, replaces), str("destination_cidr_block", replaces), str("destination_ipv6_cidr_block", replaces),
			str("gateway_id"), str("nat_gateway_id"), str("transit_gateway_id"), str("vpc_peering_connection_id"), str("vpc_endpoint_id"), computed("state", "active")),
		awsPlain("aws_route_table_association", "rtbassoc-{hex17}", "", str("route_table_id", required), str("subnet_id", replaces), str("gateway_id", replaces)),
		awsTagged("aws_security_group", "sg-{hex17}", "ec2:{region}:{account}:security-group/{id}",
			str("name", fills("terraform-{hex17}"), replaces), str("name_prefix", replaces), str("description", defaults("Managed by Terraform"), replaces), str("vpc_id", fills("vpc-{hex17}"), replaces),
			objects("ingress", rule(), fills("")), objects("egress", rule(), fills("")), boolean("revoke_rules_on_delete", defaults("false")), computed("owner_id", "{account}"),
		),
		awsPlain("aws_security_group_rule", "sgrule-{digits}", "",
			str("security_group_id", required, replaces), str("type", required, replaces, oneOf("ingress", "egress")), integer("from_port", required, replaces), integer("to_port", required, replaces),
			str("protocol", required, replaces), strList("cidr_blocks", replaces), strList("ipv6_cidr_blocks", replaces), strList("prefix_list_ids", replaces),
			str("source_security_group_id", fills(""), replaces), boolean("self", defaults("false"), replaces), str("description"), computed("security_group_rule_id", "sgr-{hex17}"),
		),
		vpcRule("aws_vpc_security_group_ingress_rule"), vpcRule("aws_vpc_security_group_egress_rule"),
		awsTagged("aws_vpc_endpoint", "vpce-{hex17}", "ec2:{region}:{account}:vpc-endpoint/{id}",
			str("vpc_id", required, replaces), str("service_name", replaces), str("vpc_endpoint_type", defaults("Gateway"), replaces, oneOf("Gateway", "Interface", "GatewayLoadBalancer")),
			strSet("subnet_ids", fills("")), strSet("security_group_ids", fills("")), strSet("route_table_ids", fills("")), boolean("private_dns_enabled", fills("false")),
			str("policy", fills("")), computed("state", "available"),
		),
		awsTagged("aws_vpn_gateway", "vgw-{hex17}", "ec2:{region}:{account}:vpn-gateway/{id}", str("vpc_id", fills("")), str("availability_zone", replaces)),
		awsTagged("aws_vpn_connection", "vpn-{hex17}", "ec2:{region}:{account}:vpn-connection/{id}", str("customer_gateway_id", required), str("type", required, replaces),
			str("vpn_gateway_id"), str("transit_gateway_id"), boolean("static_routes_only", fills("false"), replaces)),
		awsTagged("aws_ec2_transit_gateway", "tgw-{hex17}", "ec2:{region}:{account}:transit-gateway/{id}", str("description"), integer("amazon_side_asn", defaults("64512"))),
		awsTagged("aws_ec2_transit_gateway_vpc_attachment", "tgw-attach-{hex17}", "ec2:{region}:{account}:transit-gateway-attachment/{id}",
			str("transit_gateway_id", required, replaces), str("vpc_id", required, replaces), strSet("subnet_ids", required)),
		awsTagged("aws_flow_log", "fl-{hex17}", "ec2:{region}:{account}:vpc-flow-log/{id}", str("vpc_id", replaces), str("subnet_id", replaces), str("traffic_type", replaces),
			str("log_destination", fills(""), replaces), str("log_destination_type", defaults("cloud-watch-logs"), replaces), str("iam_role_arn", replaces)),
		awsTagged("aws_route53_zone", "Z{hex12}", "route53:::hostedzone/{id}", str("name", required, replaces), str("comment", defaults("Managed by Terraform")), boolean("force_destroy", defaults("false")),
			blockSet("vpc", fields{str("vpc_id", required), str("vpc_region")}), computed("zone_id", "{id}"), computedAs(strList("name_servers"), "ns-1.example.net,ns-2.example.net")),
		awsGlobal("aws_route53_record", "{zone_id}_{name}_{type}", str("zone_id", required, replaces), str("name", required, replaces), str("type", required, replaces), integer("ttl"), strSet("records"),
			str("set_identifier", replaces), boolean("allow_overwrite", fills("false")), block("alias", fields{str("name", required), str("zone_id", required), boolean("evaluate_target_health", required)}), computed("fqdn", "{name}")),
		awsTagged("aws_acm_certificate", "arn:aws:acm:{region}:{account}:certificate/{hex32}", "", computed("arn", "{id}"), str("domain_name", fills(""), replaces), str("validation_method", fills("NONE"), replaces), strSet("subject_alternative_names", fills(""), replaces), computed("status", "ISSUED")),
		awsTagged("aws_cloudfront_distribution", "E{hex12}", "cloudfront::{account}:distribution/{id}", boolean("enabled", required), str("comment"), str("price_class", defaults("PriceClass_All")), strSet("aliases"), str("default_root_object"),
			blockSet("origin", fields{str("domain_name", required), str("origin_id", required), str("origin_path"), str("origin_access_control_id")}, required),
			block("default_cache_behavior", fields{strSet("allowed_methods", required), strSet("cached_methods", required), str("target_origin_id", required), str("viewer_protocol_policy", required), str("cache_policy_id"), boolean("compress", defaults("false"))}, required),
			block("restrictions", fields{block("geo_restriction", fields{str("restriction_type", required), strSet("locations")}, required)}, required),
			block("viewer_certificate", fields{str("acm_certificate_arn"), boolean("cloudfront_default_certificate"), str("ssl_support_method"), str("minimum_protocol_version", defaults("TLSv1"))}, required),
			computed("domain_name", "{id}.cloudfront.net"), computed("hosted_zone_id", "Z{hex12}"), computed("status", "Deployed")),
	}
}

package cost

import (
	_ "embed"
	"strings"
	"sync"
)

// kind says how a type of resource is priced. A type that no list knows is
// not supported.
type kind struct {
	price  pricer
	meters []meter // what it is paid by, where the usage file can tell how much
	usage  string  // what it is paid by, where there is nothing fixed
	free   bool
}

// pricer writes the bill of one side of one resource.
type pricer func(s *side)

// types_free.txt and types_usage.txt list types that need no code: one a line,
// a star at the end for all types that begin so, and for usage what is paid.
var (
	//go:embed types_free.txt
	freeList string
	//go:embed types_usage.txt
	usageList string
)

type prefixed struct {
	prefix string
	kind   kind
}

var listed = sync.OnceValue(func() (l struct {
	exact    map[string]kind
	prefixes []prefixed
}) {
	l.exact = map[string]kind{}
	put := func(name string, k kind) {
		if p, ok := strings.CutSuffix(name, "*"); ok {
			l.prefixes = append(l.prefixes, prefixed{p, k})
			return
		}
		l.exact[name] = k
	}
	for line := range strings.Lines(freeList) {
		if name := strings.TrimSpace(line); name != "" && name[0] != '#' {
			put(name, kind{free: true})
		}
	}
	for line := range strings.Lines(usageList) {
		if name, what, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name[0] != '#' {
			put(name, kind{usage: strings.TrimSpace(what)})
		}
	}
	return l
})

// kindOf finds how a type is priced: by code, by its own name in a list, by
// the beginning of its name.
func kindOf(typ string) kind {
	if p := pricers[typ]; p != nil {
		return kind{price: p}
	}
	if m := metered[typ]; m != nil {
		return kind{meters: m}
	}
	l := listed()
	if k, ok := l.exact[typ]; ok {
		return k
	}
	for _, p := range l.prefixes {
		if strings.HasPrefix(typ, p.prefix) {
			return p.kind
		}
	}
	return kind{}
}

// pricers has the types that are priced by code. It is filled in init, since
// some pricers ask for the kinds of other types.
var pricers map[string]pricer

func init() {
	pricers = map[string]pricer{
		"aws_instance":                                 awsInstance,
		"aws_spot_instance_request":                    awsInstance,
		"aws_autoscaling_group":                        awsAutoscalingGroup,
		"aws_ebs_volume":                               awsEBSVolume,
		"aws_eip":                                      awsEIP,
		"aws_nat_gateway":                              awsNATGateway,
		"aws_lb":                                       awsLB,
		"aws_alb":                                      awsLB,
		"aws_elb":                                      awsELB,
		"aws_vpc_endpoint":                             awsVPCEndpoint,
		"aws_vpn_connection":                           flat("VPN connection", "vpc", "vpn-connection", "data transfer"),
		"aws_ec2_transit_gateway_vpc_attachment":       flat("Transit gateway attachment", "vpc", "transit-gateway-attachment", "data processed"),
		"aws_ec2_client_vpn_network_association":       flat("Client VPN association", "vpc", "client-vpn-association", "connections"),
		"aws_networkfirewall_firewall":                 awsNetworkFirewall,
		"aws_eks_cluster":                              awsEKSCluster,
		"aws_eks_node_group":                           awsEKSNodeGroup,
		"aws_db_instance":                              awsDBInstance,
		"aws_rds_cluster":                              awsRDSCluster,
		"aws_rds_cluster_instance":                     awsRDSClusterInstance,
		"aws_docdb_cluster_instance":                   awsDocDBInstance,
		"aws_elasticache_cluster":                      awsElastiCacheCluster,
		"aws_elasticache_replication_group":            awsElastiCacheGroup,
		"aws_opensearch_domain":                        awsOpenSearch,
		"aws_elasticsearch_domain":                     awsOpenSearch,
		"aws_msk_cluster":                              awsMSK,
		"aws_redshift_cluster":                         awsRedshift,
		"aws_kinesis_stream":                           awsKinesis,
		"aws_kms_key":                                  flat("Key", "kms", "key", "requests"),
		"aws_secretsmanager_secret":                    flat("Secret", "secretsmanager", "secret", "requests"),
		"aws_route53_zone":                             flat("Hosted zone", "route53", "zone", "queries"),
		"aws_wafv2_web_acl":                            awsWebACL,
		"aws_cloudwatch_metric_alarm":                  awsAlarm,
		"aws_cloudwatch_composite_alarm":               flat("Composite alarm", "cloudwatch", "alarm-composite"),
		"azurerm_linux_virtual_machine":                azureVM,
		"azurerm_windows_virtual_machine":              azureVM,
		"azurerm_virtual_machine":                      azureLegacyVM,
		"azurerm_linux_virtual_machine_scale_set":      azureScaleSet,
		"azurerm_windows_virtual_machine_scale_set":    azureScaleSet,
		"azurerm_managed_disk":                         azureDisk,
		"azurerm_public_ip":                            azurePublicIP,
		"azurerm_nat_gateway":                          flat("NAT gateway", "network", "nat-gateway", "data processed"),
		"azurerm_private_endpoint":                     flat("Private endpoint", "network", "private-endpoint", "data processed"),
		"azurerm_firewall":                             azureFirewall,
		"azurerm_virtual_network_gateway":              azureNetworkGateway,
		"azurerm_lb":                                   azureLB,
		"azurerm_kubernetes_cluster":                   azureKubernetes,
		"azurerm_kubernetes_cluster_node_pool":         azureNodePool,
		"azurerm_container_registry":                   azureRegistry,
		"azurerm_service_plan":                         azureServicePlan,
		"azurerm_postgresql_flexible_server":           azurePostgres,
		"azurerm_redis_cache":                          azureRedis,
		"azurerm_dns_zone":                             flat("DNS zone", "dns", "zone", "queries"),
		"google_compute_instance":                      googleInstance,
		"google_compute_instance_group_manager":        googleGroup,
		"google_compute_region_instance_group_manager": googleGroup,
		"google_compute_disk":                          googleDisk,
		"google_compute_region_disk":                   googleDisk,
		"google_compute_address":                       googleAddress,
		"google_compute_global_address":                googleGlobalAddress,
		"google_compute_vpn_tunnel":                    flat("VPN tunnel", "network", "vpn-tunnel", "data transfer"),
		"google_container_cluster":                     googleCluster,
		"google_container_node_pool":                   googleNodePool,
		"google_sql_database_instance":                 googleSQL,
		"google_redis_instance":                        googleRedis,
		"google_dns_managed_zone":                      flat("DNS zone", "dns", "zone", "queries"),
	}
}

// flat prices a resource that costs one thing, whatever its arguments.
func flat(name, service, sku string, usage ...string) pricer {
	return func(s *side) {
		s.charge(name, "", service, sku, one())
		for _, u := range usage {
			s.byUse(u)
		}
	}
}

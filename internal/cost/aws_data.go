package cost

import (
	"strings"

	"github.com/shopspring/decimal"
)

func awsDocDBInstance(s *side) {
	if class, ok := s.need(s.view, "instance_class"); ok {
		s.charge("Database", class, "docdb", class, one())
	}
	s.meters(
		meter{key: "data_storage_gb", name: "Storage", service: "docdb", sku: "storage"},
		meter{key: "monthly_io_requests", name: "I/O requests", service: "docdb", sku: "io"},
	)
	if hours, ok := s.amount("monthly_cpu_credit_hrs"); ok {
		s.used(meter{name: "CPU credits", service: "docdb", sku: "cpu-credits"}, hours)
	}
}

func awsNeptuneInstance(s *side) {
	class, ok := s.need(s.view, "instance_class")
	if !ok {
		return
	}
	if class == "db.serverless" {
		s.byUse("Neptune capacity units")
		return
	}
	s.charge("Database", class, "neptune", class, one())
	if hours, ok := s.amount("monthly_cpu_credit_hrs"); ok {
		s.used(meter{name: "CPU credits", service: "neptune", sku: "cpu-credits"}, hours)
	}
}

func awsMQBroker(s *side) {
	typ, okType := s.need(s.view, "host_instance_type")
	engine, okEngine := s.need(s.view, "engine_type")
	n, detail := one(), "single instance"
	switch {
	case s.is("deployment_mode", "ACTIVE_STANDBY_MULTI_AZ"):
		n, detail = whole(2), "active and standby"
	case s.is("deployment_mode", "CLUSTER_MULTI_AZ"):
		n, detail = whole(3), "cluster of three"
	}
	if okType && okEngine {
		s.charge("Broker", engine+", "+typ+", "+detail, "mq", strings.ToLower(engine+"/"+typ), n)
	}
	storage := "storage-efs"
	if s.is("storage_type", "ebs") || s.is("engine_type", "RabbitMQ") {
		storage = "storage-ebs"
	}
	s.meters(meter{key: "storage_size_gb", name: "Storage", service: "mq", sku: storage})
}

func awsElastiCacheCluster(s *side) {
	if _, st := s.str("replication_group_id"); st != absent {
		// A member of a group, unless the plan knows no better of a new
		// cluster than that it may be one.
		if st == known || s.x.configured(s, "replication_group_id") {
			return
		}
	}
	engine, okEngine := s.need(s.view, "engine")
	node, okNode := s.need(s.view, "node_type")
	n, st := s.num("num_cache_nodes")
	if st != known {
		n = one()
		s.assume("one node")
	}
	if okEngine && okNode {
		s.cacheNodes(node, engine, n)
	}
}

// cacheNodes bills nodes of a cache, and its snapshots.
func (s *side) cacheNodes(node, engine string, n decimal.Decimal) {
	detail := node + ", " + engine
	if s.reservedCapacity() {
		detail += ", on-demand price as ceiling: reserved"
	}
	s.charge("Node", detail, "elasticache-"+strings.ToLower(engine), node, n)
	if q, ok := s.amount("snapshot_storage_size_gb"); ok {
		s.used(meter{name: "Snapshots", service: "elasticache-extra", sku: "backup"}, q)
	}
}

// configured reports whether the configuration sets an argument.
func (x *estimation) configured(s *side, argument string) bool {
	r, _ := x.cfg.resource(s.ch)
	if r == nil {
		return false
	}
	_, ok := r.Expressions[argument]
	return ok
}

func awsElastiCacheGroup(s *side) {
	node, ok := s.need(s.view, "node_type")
	if !ok {
		return
	}
	engine, st := s.str("engine")
	if st != known {
		engine = "redis" // the provider's default
	}
	n, st := s.num("num_cache_clusters")
	if st != known {
		n, st = s.num("number_cache_clusters")
	}
	if st != known {
		groups, gst := s.num("num_node_groups")
		replicas, rst := s.num("replicas_per_node_group")
		switch {
		case gst == known && rst == known:
			n = groups.Mul(replicas.Add(one()))
		case gst == known && !s.x.configured(s, "replicas_per_node_group"):
			n = groups
			s.assume("no replicas")
		case s.x.configured(s, "num_node_groups") || s.x.configured(s, "num_cache_clusters") || s.x.configured(s, "replicas_per_node_group"):
			s.notKnown("num_node_groups")
			return
		default:
			n = one()
			s.assume("one node")
		}
	}
	s.cacheNodes(node, engine, n)
}

func awsOpenSearch(s *side) {
	cluster, _ := s.block("cluster_config")
	n := s.openSearchNodes(cluster, "Instance", "instance_type", "instance_count", "m4.large.search")
	if cluster.truth("dedicated_master_enabled") {
		s.openSearchNodes(cluster, "Dedicated master", "dedicated_master_type", "dedicated_master_count", "")
	}
	if cluster.truth("warm_enabled") {
		s.openSearchNodes(cluster, "UltraWarm instance", "warm_type", "warm_count", "")
	}
	ebs, st := s.block("ebs_options")
	if st != known || !ebs.truth("ebs_enabled") {
		return
	}
	typ, st := ebs.str("volume_type")
	if st != known {
		typ = "gp2"
		s.assume("gp2 storage")
	}
	size, ok := s.needNum(ebs, "volume_size")
	if !ok {
		return
	}
	s.charge("Storage", typ+", "+size.String()+" GB each", "opensearch-storage", typ, n.Mul(size))
	if iops, st := ebs.num("iops"); st == known && (typ == "io1" || typ == "gp3" && iops.GreaterThan(whole(3000))) {
		s.lacks("Storage IOPS")
	}
	if through, st := ebs.num("throughput"); st == known && typ == "gp3" && through.GreaterThan(whole(125)) {
		s.lacks("Storage throughput")
	}
}

// openSearchNodes bills one role of nodes and returns how many there are.
func (s *side) openSearchNodes(v view, name, typeKey, countKey, standard string) decimal.Decimal {
	n, st := v.num(countKey)
	if st != known {
		if standard == "" {
			s.notKnown(countKey)
			return decimal.Zero
		}
		n = one()
		s.assume("one instance")
	}
	typ, st := v.str(typeKey)
	if st != known {
		if standard == "" {
			s.notKnown(typeKey)
			return n
		}
		typ = standard
		s.assume(standard + " instances")
	}
	// The same machines, under the service's old name.
	if old, ok := strings.CutSuffix(typ, ".elasticsearch"); ok {
		typ = old + ".search"
	}
	s.charge(name, typ, "opensearch", typ, n)
	return n
}

func awsMSK(s *side) {
	n, ok := s.needNum(s.view, "number_of_broker_nodes")
	if !ok {
		return
	}
	group, _ := s.block("broker_node_group_info")
	if typ, ok := s.need(group, "instance_type"); ok {
		s.charge("Broker", typ, "msk", typ, n)
	}
	storage, _ := group.block("storage_info")
	ebs, _ := storage.block("ebs_storage_info")
	size, st := ebs.num("volume_size")
	if st != known {
		size, st = group.num("ebs_volume_size")
	}
	if st != known {
		s.notKnown("volume_size")
		return
	}
	s.charge("Storage", size.String()+" GB each", "msk", "storage", n.Mul(size))
}

func awsRedshift(s *side) {
	n, st := s.num("number_of_nodes")
	if st != known {
		n = one()
		s.assume("one node")
	}
	typ, ok := s.need(s.view, "node_type")
	if ok {
		s.charge("Node", typ, "redshift", typ, n)
	}
	if strings.HasPrefix(typ, "ra3.") {
		s.meters(meter{key: "managed_storage_gb", name: "Managed storage", service: "redshift", sku: "managed-storage"})
	}
	s.meters(meter{key: "backup_storage_gb", name: "Backups", service: "redshift", tiers: []tier{{"50000", "backup"}, {"500000", "backup-2"}, {"", "backup-3"}}})
	if q, ok := s.amount("spectrum_data_scanned_tb"); ok {
		s.used(meter{name: "Data scanned by Spectrum", service: "redshift", sku: "spectrum"}, q)
	}
}

func awsKinesis(s *side) {
	mode, _ := s.block("stream_mode_details")
	if mode.is("stream_mode", "ON_DEMAND") {
		s.charge("Stream", "on demand", "kinesis", "stream-on-demand", one())
		s.meters(
			meter{key: "monthly_on_demand_data_in_gb", name: "Data written", service: "kinesis", sku: "on-demand-in"},
			meter{key: "monthly_on_demand_data_out_gb", name: "Data read", service: "kinesis", sku: "on-demand-out"},
			meter{key: "monthly_on_demand_efo_data_out_gb", name: "Data read with enhanced fan-out", service: "kinesis", sku: "on-demand-efo"},
			meter{key: "monthly_on_demand_extended_retention_gb", name: "Retention to 7 days", service: "kinesis", sku: "on-demand-extended"},
			meter{key: "monthly_on_demand_long_term_retention_gb", name: "Retention beyond 7 days", service: "kinesis", sku: "long-term"},
		)
		return
	}
	if n, ok := s.needNum(s.view, "shard_count"); ok {
		s.charge("Shard", "provisioned", "kinesis", "shard", n)
	}
	s.meters(
		meter{key: "monthly_provisioned_put_units", name: "Puts", service: "kinesis", sku: "put-unit"},
		meter{key: "monthly_provisioned_efo_consumer_hours", name: "Enhanced fan-out", service: "kinesis", sku: "efo-consumer"},
		meter{key: "monthly_provisioned_efo_data_out_gb", name: "Data read with enhanced fan-out", service: "kinesis", sku: "efo-data"},
		meter{key: "monthly_provisioned_extended_retention_gb", name: "Retention to 7 days", service: "kinesis", sku: "extended"},
		meter{key: "monthly_provisioned_long_term_retention_gb", name: "Retention beyond 7 days", service: "kinesis", sku: "long-term"},
		meter{key: "monthly_provisioned_long_term_retrieval_gb", name: "Reads beyond 7 days", service: "kinesis", sku: "long-term-retrieval"},
	)
}

func awsWebACL(s *side) {
	s.charge("Web ACL", "", "waf", "web-acl", one())
	rules, st := s.length("rule")
	if st == unknown {
		s.notKnown("rule")
		return
	}
	s.charge("Rule", "", "waf", "rule", whole(rules))
	for _, key := range []string{"rule_group_rules", "managed_rule_group_rules"} {
		if n, ok := s.amount(key); ok {
			s.used(meter{name: "Rules of groups", service: "waf", sku: "rule"}, n)
		}
	}
	s.meters(meter{key: "monthly_requests", name: "Requests", service: "waf", sku: "requests"})
}

func awsAlarm(s *side) {
	sku, detail := "alarm", "standard resolution"
	if period, st := s.num("period"); st == known && period.LessThan(whole(60)) {
		sku, detail = "alarm-high-resolution", "high resolution"
	}
	n := 0
	queries, _ := s.blocks("metric_query")
	for _, q := range queries {
		if m, st := q.length("metric"); st == known {
			n += m
		}
	}
	s.charge("Alarm", detail, "cloudwatch", sku, whole(max(n, 1)))
}

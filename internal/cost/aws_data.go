package cost

import (
	"strings"

	"github.com/shopspring/decimal"
)

func awsDBInstance(s *side) {
	class, okClass := s.need(s.view, "instance_class")
	az, double := "single-az", 1
	if s.truth("multi_az") {
		az, double = "multi-az", 2
	}
	if engine, ok := s.need(s.view, "engine"); ok && okClass {
		// Engines other than these have licences or prices that the
		// catalogue lacks, and then no sheet answers.
		s.charge("Database", class+", "+engine+", "+az, "rds-"+engine, class+"/"+az, one())
	}
	s.byUse("backups beyond the size of the database")
	size, ok := s.needNum(s.view, "allocated_storage")
	if !ok {
		return
	}
	iops, iopsState := s.num("iops")
	typ, st := s.str("storage_type")
	if st != known {
		typ = "gp2"
		if iopsState == known && iops.IsPositive() {
			typ = "io1"
		}
		s.assume(typ + " storage")
	}
	detail := typ + ", " + size.String() + " GB, " + az
	s.rdsStorage("Storage", detail, typ, az, size, double)
	switch typ {
	case "io1":
		if iopsState != known {
			s.notKnown("iops")
			return
		}
		s.rdsStorage("Storage IOPS", typ+", "+az, "io1-iops", az, iops, double)
	case "io2":
		s.lacks("Storage IOPS")
	case "gp3":
		// From 400 GB on a volume is striped and comes with four times as much.
		free, through := 3000, 125
		if size.GreaterThanOrEqual(whole(400)) {
			free, through = 12000, 500
		}
		if iops.GreaterThan(whole(free)) {
			s.lacks("Storage IOPS beyond those included")
		}
		if t, _ := s.num("storage_throughput"); t.GreaterThan(whole(through)) {
			s.lacks("Storage throughput beyond that included")
		}
	case "standard":
		s.byUse("I/O requests")
	}
}

// rdsStorage bills storage, or what goes with it. Two zones have a price of
// their own, or else, as AWS documents it, twice that of one.
func (s *side) rdsStorage(name, detail, sku, az string, n decimal.Decimal, double int) {
	if double > 1 {
		_, ok, err := s.x.catalog.price("aws", "rds-storage", s.region(), sku+"/"+az)
		if err != nil {
			s.x.err = err
			return
		}
		if !ok {
			s.charge(name, detail, "rds-storage", sku+"/single-az", n.Mul(whole(double)))
			return
		}
	}
	s.charge(name, detail, "rds-storage", sku+"/"+az, n)
}

func awsRDSCluster(s *side) {
	if _, st := s.str("db_cluster_instance_class"); st == known {
		s.lacks("Multi-AZ DB cluster")
		return
	}
	s.byUse("storage, I/O requests, backups")
}

func awsRDSClusterInstance(s *side) {
	class, ok := s.need(s.view, "instance_class")
	if !ok {
		return
	}
	if class == "db.serverless" {
		s.byUse("Aurora capacity units")
		return
	}
	id, _ := s.str("cluster_identifier")
	cluster, _, found := s.join(id, []string{"cluster_identifier", "id"}, []string{"aws_rds_cluster"}, "cluster_identifier")
	if found && cluster.is("storage_type", "aurora-iopt1") {
		s.lacks("I/O-optimized database")
		return
	}
	engine, st := s.str("engine")
	if st != known && found {
		engine, st = cluster.str("engine")
	}
	if st != known {
		s.notKnown("engine")
		return
	}
	s.charge("Database", class+", "+engine, "rds-"+engine, class+"/single-az", one())
}

func awsDocDBInstance(s *side) {
	if class, ok := s.need(s.view, "instance_class"); ok {
		s.charge("Database", class, "docdb", class, one())
	}
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
		s.charge("Node", node+", "+engine, "elasticache-"+strings.ToLower(engine), node, n)
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
	s.charge("Node", node+", "+engine, "elasticache-"+strings.ToLower(engine), node, n)
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
	if typ, ok := s.need(s.view, "node_type"); ok {
		s.charge("Node", typ, "redshift", typ, n)
	}
	s.byUse("managed storage, backups")
}

func awsKinesis(s *side) {
	s.byUse("data written and read")
	mode, _ := s.block("stream_mode_details")
	if mode.is("stream_mode", "ON_DEMAND") {
		s.charge("Stream", "on demand", "kinesis", "stream-on-demand", one())
		return
	}
	if n, ok := s.needNum(s.view, "shard_count"); ok {
		s.charge("Shard", "provisioned", "kinesis", "shard", n)
	}
}

func awsWebACL(s *side) {
	s.charge("Web ACL", "", "waf", "web-acl", one())
	rules, st := s.length("rule")
	if st == unknown {
		s.notKnown("rule")
		return
	}
	s.charge("Rule", "", "waf", "rule", whole(rules))
	s.byUse("requests")
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

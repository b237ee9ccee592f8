package cost

import (
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
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
	s.rdsExtras()
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
		if iopsState != known {
			s.notKnown("iops")
			return
		}
		s.rdsStorage("Storage IOPS", typ+", "+az, "io2-iops", az, iops, double)
	case "gp3":
		// From 400 GB on a volume is striped and comes with four times as much.
		free, through := 3000, 125
		if size.GreaterThanOrEqual(whole(400)) {
			free, through = 12000, 500
		}
		if iops.GreaterThan(whole(free)) {
			s.rdsStorage("Storage IOPS", "beyond those included, "+az, "gp3-iops", az, iops.Sub(whole(free)), double)
		}
		if t, _ := s.num("storage_throughput"); t.GreaterThan(whole(through)) {
			s.rdsStorage("Storage throughput", "beyond that included, "+az, "gp3-throughput", az, t.Sub(whole(through)), double)
		}
	case "standard":
		s.meters(meter{key: "monthly_standard_io_requests", name: "I/O requests", service: "rds-storage", sku: "standard-io"})
	}
}

// rdsSupport says when standard support of a database's major version ends on
// RDS; extended support is then charged by the vCPU.
var rdsSupport = map[string]string{
	"mysql 5.7": "2024-02", "mysql 8.0": "2026-07", "postgres 11": "2024-02", "postgres 12": "2025-02", "postgres 13": "2026-02",
	"aurora-postgresql 11": "2024-02", "aurora-postgresql 12": "2025-02", "aurora-postgresql 13": "2026-02",
}

// rdsExtras bills what a database may cost beside machine and storage.
func (s *side) rdsExtras() {
	engine, _ := s.str("engine")
	version, _ := s.str("engine_version")
	for v, end := range rdsSupport {
		name, number, _ := strings.Cut(v, " ")
		if name == engine && (version == number || strings.HasPrefix(version, number+".")) && end < supportAsOf &&
			!s.is("engine_lifecycle_support", "open-source-rds-extended-support-disabled") {
			s.lacks("extended support of " + engine + " " + number)
		}
	}
	if s.truth("performance_insights_enabled") {
		if days, st := s.num("performance_insights_retention_period"); st == known && days.GreaterThan(whole(7)) {
			s.lacks("performance insights kept for more than 7 days")
		}
	}
	if s.reservedCapacity() {
		s.assume("machines at the on-demand price as ceiling: reserved")
	}
	if hours, ok := s.amount("monthly_cpu_credit_hrs"); ok {
		s.used(meter{name: "CPU credits", service: "rds-extra", sku: "cpu-credits"}, hours)
	}
	s.meters(meter{key: "additional_backup_storage_gb", name: "Backups beyond the size of the database", service: "rds-storage", sku: "backup"})
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
	if class, st := s.str("db_cluster_instance_class"); st == known {
		engine, _ := s.str("engine")
		s.charge("Database in three zones", class+", "+engine, "rds-"+engine, class+"/multi-az-cluster", one())
		if size, st := s.num("allocated_storage"); st == known {
			typ, st := s.str("storage_type")
			if st != known {
				typ = "io1"
				s.assume("io1 storage")
			}
			s.charge("Storage in three zones", typ+", "+size.String()+" GB", "rds-storage", typ+"/multi-az-cluster", size)
		}
		return
	}
	storage, io := "storage", true
	if s.is("storage_type", "aurora-iopt1") {
		storage, io = "storage-io-optimized", false
	}
	if s.is("engine_mode", "serverless") {
		s.meters(meter{key: "capacity_units_per_hr", name: "Capacity units", service: "aurora", sku: "serverless-v1", hourly: true})
	}
	s.meters(meter{key: "storage_gb", name: "Storage", service: "aurora", sku: storage})
	if io {
		read, okRead := s.amount("read_requests_per_sec")
		write, okWrite := s.amount("write_requests_per_sec")
		if okRead || okWrite {
			s.used(meter{name: "I/O requests", service: "aurora", sku: "io"}, s.perSecond(read.Add(write)))
		} else {
			s.byUse("I/O requests")
		}
	}
	s.meters(meter{key: "backup_snapshot_size_gb", name: "Backups", service: "aurora", sku: "backup"})
	if q, ok := s.amount("snapshot_export_size_gb"); ok {
		s.used(meter{name: "Snapshot export", service: "aurora", sku: "snapshot-export"}, q)
	}
	statements, okStatements := s.amount("average_statements_per_hr")
	records, okRecords := s.amount("change_records_per_statement")
	window, okWindow := s.amount("backtrack_window_hrs")
	if okStatements && okRecords && okWindow {
		s.used(meter{name: "Backtrack", service: "aurora", sku: "backtrack"}, statements.Mul(records).Mul(window).Mul(s.x.hours))
	}
}

// ioOptimized is by how much machines of an Aurora cluster cost more when its
// I/O requests cost nothing.
var ioOptimized = figure("1.3")

func awsRDSClusterInstance(s *side) {
	class, ok := s.need(s.view, "instance_class")
	if !ok {
		return
	}
	id, _ := s.str("cluster_identifier")
	cluster, _, found := s.join(id, []string{"cluster_identifier", "id"}, []string{"aws_rds_cluster"}, "cluster_identifier")
	optimized := found && cluster.is("storage_type", "aurora-iopt1")
	if class == "db.serverless" {
		s.auroraServerless(cluster, optimized)
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
	detail := class + ", " + engine
	if s.reservedCapacity() {
		detail += ", on-demand price as ceiling: reserved"
	}
	if optimized {
		s.assume("machines of I/O-optimized clusters cost 30 % more")
		s.chargeAs("Database", detail+", I/O-optimized", "rds-"+engine, class+"/single-az", one(), func(p *pricebook.Price, n decimal.Decimal) decimal.Decimal {
			p.Amount = p.Amount.Mul(ioOptimized)
			return n.Mul(s.x.hours)
		}, false)
	} else {
		s.charge("Database", detail, "rds-"+engine, class+"/single-az", one())
	}
	if s.truth("performance_insights_enabled") {
		if days, st := s.num("performance_insights_retention_period"); st == known && days.GreaterThan(whole(7)) {
			s.lacks("performance insights kept for more than 7 days")
		}
	}
	if hours, ok := s.amount("monthly_cpu_credit_hrs"); ok {
		cpus, ok := s.amount("vcpu_count")
		if !ok {
			cpus = one()
		}
		s.used(meter{name: "CPU credits", service: "aurora", sku: "cpu-credits"}, hours.Mul(cpus))
	}
}

// auroraServerless bills the capacity units of a serverless instance: those
// that the usage file tells, or else the least that the cluster allows.
func (s *side) auroraServerless(cluster view, optimized bool) {
	sku := "serverless-v2"
	if optimized {
		sku = "serverless-v2-io-optimized"
	}
	if q, ok := s.amount("capacity_units_per_hr"); ok {
		s.used(meter{name: "Capacity units", service: "aurora", sku: sku, hourly: true}, q)
		return
	}
	s.byUse("Aurora capacity units beyond the minimum")
	if scaling, st := cluster.block("serverlessv2_scaling_configuration"); st == known {
		if least, st := scaling.num("min_capacity"); st == known {
			s.assume("as many capacity units as the cluster's minimum")
			s.charge("Capacity units", "the cluster's minimum", "aurora", sku, least)
		}
	}
}

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

package cost

import (
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

func awsDBInstance(s *side) {
	class, okClass := s.need(s.view, "instance_class")
	// A replica in the same region has the engine and the size of its source.
	source := s.view
	if value, st := s.str("replicate_source_db"); st != absent {
		if v, _, ok := s.join(value, []string{"identifier", "id", "arn"}, []string{"aws_db_instance"}, "replicate_source_db"); ok {
			source = v
		}
	}
	inherited := func(key string) (string, bool) {
		if x, st := s.str(key); st == known {
			return x, true
		}
		return s.need(source, key)
	}
	az, double := "single-az", 1
	if s.truth("multi_az") {
		az, double = "multi-az", 2
	}
	engine, okEngine := inherited("engine")
	if okEngine && okClass {
		// Engines other than these have licences or prices that the
		// catalogue lacks, and then no sheet answers.
		s.charge("Database", class+", "+engine+", "+az, "rds-"+engine, class+"/"+az, one())
	}
	s.rdsExtras()
	size, st := s.num("allocated_storage")
	if st != known {
		var ok bool
		if size, ok = s.needNum(source, "allocated_storage"); !ok {
			return
		}
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
		// From a size on a volume is striped and comes with four times as much:
		// Oracle's from 200 GB, SQL Server's never.
		free, through, striped := 3000, 125, 400
		switch {
		case strings.HasPrefix(engine, "oracle"):
			striped = 200
		case strings.HasPrefix(engine, "sqlserver"):
			striped = 1 << 30
		}
		if size.GreaterThanOrEqual(whole(striped)) {
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
		typ, st := s.str("storage_type")
		if st != known {
			typ = "io1"
			s.assume("io1 storage")
		}
		if size, ok := s.needNum(s.view, "allocated_storage"); ok {
			s.charge("Storage in three zones", typ+", "+size.String()+" GB", "rds-storage", typ+"/multi-az-cluster", size)
		}
		if typ == "io1" || typ == "io2" {
			if iops, ok := s.needNum(s.view, "iops"); ok {
				s.charge("Storage IOPS in three zones", typ, "rds-storage", typ+"-iops/multi-az-cluster", iops)
			}
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

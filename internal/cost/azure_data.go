package cost

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

var (
	sqlCores = regexp.MustCompile(`^(gp|bc|hs)_(s_)?([a-z0-9]+)_(\d{1,3})$`)
	sqlDTU   = regexp.MustCompile(`^(basic|s\d{1,2}|p\d{1,2})$`)
)

// azureSQLDatabase bills a database by its DTUs or its cores. Cores are priced
// without the licence, which is a line of its own.
func azureSQLDatabase(s *side) {
	if _, st := s.str("elastic_pool_id"); st == known || s.x.configured(s, "elastic_pool_id") {
		return // the pool is billed
	}
	sku, st := s.str("sku_name")
	if st != known {
		if s.x.configured(s, "sku_name") {
			s.notKnown("sku_name")
			return
		}
		sku = "GP_S_Gen5_2" // Azure's default
		s.assume("GP_S_Gen5_2, Azure's default")
	}
	sku = strings.ToLower(sku)
	s.azureSQLBackups()
	if sqlDTU.MatchString(sku) {
		s.charge("Database", strings.ToUpper(sku), "sql", sku, one())
		included := map[byte]int{'b': 2, 's': 250, 'p': 500}[sku[0]]
		if size, st := s.num("max_size_gb"); st == known && size.GreaterThan(whole(included)) && (sku[0] == 's' || len(sku) == 2) { // P11 and P15 have all that there is
			s.charge("Storage", "beyond what is included", "sql", "dtu-storage-"+sku[:1], size.Sub(whole(included)))
		}
		return
	}
	m := sqlCores.FindStringSubmatch(sku)
	if m == nil {
		s.charge("Database", sku, "sql", sku, one())
		return
	}
	cores, _ := strconv.Atoi(m[4]) // digits, as the pattern says
	n := whole(cores)
	tier := m[1] + "_" + m[3]
	if m[2] != "" {
		s.meters(meter{key: "monthly_vcore_hours", name: "Core hours", service: "sql", sku: m[1] + "_s_" + m[3]})
	} else {
		s.charge("Cores", m[4]+" of "+strings.ToUpper(tier), "sql", tier, n)
		if s.truth("zone_redundant") && m[1] == "gp" {
			s.charge("Zone redundancy", m[4]+" cores", "sql", tier+"-zone", n)
		}
		s.azureSQLLicence(m[1], n)
		if r, st := s.num("read_replica_count"); st == known && r.IsPositive() {
			s.charge("Replicas' cores", m[4]+" each", "sql", tier, n.Mul(r))
		}
	}
	if m[1] == "hs" {
		s.byUse("storage")
		return
	}
	size, st := s.num("max_size_gb")
	if st != known {
		size = whole(32)
		s.assume("32 GB of storage")
	}
	s.charge("Storage", size.String()+" GB", "sql", m[1]+"-storage", size)
}

// azureSQLLicence bills the licence of n cores, unless one is brought along.
// Hyperscale's price has it.
func (s *side) azureSQLLicence(tier string, n decimal.Decimal) {
	if tier == "hs" || s.is("license_type", "BasePrice") {
		return
	}
	s.charge("SQL licence", "by the core", "sql", tier+"-license", n)
}

func (s *side) azureSQLBackups() {
	for _, m := range []meter{
		{key: "backup_storage_gb", name: "Backups", service: "sql", sku: "backup"},
		{key: "long_term_retention_storage_gb", name: "Backups kept long", service: "sql", sku: "backup-long-term"},
		{key: "extra_data_storage_gb", name: "Data beyond what is included", service: "sql", sku: "extra-storage"},
	} {
		if q, ok := s.amount(m.key); ok {
			s.used(m, q)
		}
	}
}

func azureSQLPool(s *side) {
	sku, _ := s.block("sku")
	name, okName := s.need(sku, "name")
	n, okCapacity := s.needNum(sku, "capacity")
	if !okName || !okCapacity {
		return
	}
	name = strings.ToLower(name)
	if kind, ok := strings.CutSuffix(name, "pool"); ok {
		s.charge("Pool", kind+", "+n.String()+" DTUs", "sql", "pool-"+kind+"-"+n.String(), one())
		return
	}
	tier, _, _ := strings.Cut(name, "_")
	s.charge("Cores", n.String()+" of "+strings.ToUpper(name), "sql", name, n)
	if s.truth("zone_redundant") && tier == "gp" {
		s.charge("Zone redundancy", n.String()+" cores", "sql", name+"-zone", n)
	}
	s.azureSQLLicence(tier, n)
	if size, st := s.num("max_size_gb"); st == known {
		s.charge("Storage", size.String()+" GB", "sql", tier+"-storage", size)
	} else {
		s.notKnown("max_size_gb")
	}
}

func azureSQLInstance(s *side) {
	sku, okSKU := s.need(s.view, "sku_name")
	n, okCores := s.needNum(s.view, "vcores")
	size, okSize := s.needNum(s.view, "storage_size_in_gb")
	if !okSKU || !okCores || !okSize {
		return
	}
	sku = strings.ToLower(sku)
	tier, _, _ := strings.Cut(sku, "_")
	s.charge("Cores", n.String()+" of "+strings.ToUpper(sku), "sql-mi", sku, n)
	s.azureSQLLicence(tier, n)
	if extra := size.Sub(whole(32)); extra.IsPositive() {
		s.charge("Storage", "beyond the 32 GB included", "sql-mi", tier+"-storage", extra)
	}
	s.byUse("backups")
}

func azureMySQL(s *side) {
	n := one()
	if ha, st := s.block("high_availability"); st == known && ha.value != nil {
		n = whole(2)
	}
	if sku, ok := s.need(s.view, "sku_name"); ok {
		s.charge("Database", sku, "mysql-flexible", strings.ToLower(sku), n)
	}
	storage, _ := s.block("storage")
	size, st := storage.num("size_gb")
	if st != known {
		size = whole(20)
		s.assume("20 GB of storage")
	}
	s.charge("Storage", size.String()+" GB", "mysql-flexible", "storage", n.Mul(size))
	if iops, st := storage.num("iops"); st == known {
		// 300 come with the server, and 3 more with every GB.
		if extra := iops.Sub(whole(300)).Sub(size.Mul(whole(3))); extra.IsPositive() {
			s.charge("IOPS", "beyond those included", "mysql-flexible", "iops", n.Mul(extra))
		}
	}
	s.meters(meter{key: "additional_backup_storage_gb", name: "Backups beyond those included", service: "mysql-flexible", sku: "backup"})
}

// azureSingleServer bills the older database servers.
func azureSingleServer(service string) pricer {
	return func(s *side) {
		if sku, ok := s.need(s.view, "sku_name"); ok {
			s.charge("Database", sku, service, strings.ToLower(sku), one())
		}
		if mb, ok := s.needNum(s.view, "storage_mb"); ok {
			gb := mb.Div(whole(1024))
			s.charge("Storage", gb.String()+" GB", service, "storage", gb)
		}
		s.meters(meter{key: "additional_backup_storage_gb", name: "Backups beyond those included", service: service, sku: "backup"})
	}
}

// azureCosmosAccount costs nothing by itself; its databases and containers do.
func azureCosmosAccount(*side) {}

var cosmosAccount = []string{"azurerm_cosmosdb_account"}

// azureCosmos bills the throughput of a database or container, once in each
// region of its account.
func azureCosmos(s *side) {
	name, _ := s.str("account_name")
	account, _, ok := s.join(name, []string{"name"}, cosmosAccount, "account_name")
	if !ok {
		s.notKnown("account_name")
		return
	}
	storage := meter{key: "storage_gb", name: "Storage", service: "cosmosdb", sku: "storage"}
	capabilities, _ := account.blocks("capabilities")
	for _, c := range capabilities {
		if c.is("name", "EnableServerless") {
			s.meters(meter{key: "monthly_serverless_request_units", name: "Request units", service: "cosmosdb", sku: "serverless"}, storage)
			return
		}
	}
	units, st := s.num("throughput")
	detail, sku := "provisioned", "throughput"
	if scale, bst := s.block("autoscale_settings"); bst == known {
		units, st = scale.num("max_throughput")
		detail, sku = "autoscaled, at its most", "throughput-autoscale"
	}
	switch {
	case st == unknown && s.x.configured(s, "throughput"):
		s.notKnown("throughput")
	case st == known && units.IsPositive():
		locations, lst := account.blocks("geo_location")
		if lst != known {
			s.notKnown("geo_location")
			break
		}
		for _, l := range locations {
			region, _ := l.str("location")
			region = strings.ToLower(strings.ReplaceAll(region, " ", ""))
			s.inRegion(region, func() {
				s.charge("Request units", detail+", "+region, "cosmosdb", sku, units.Div(whole(100)))
			})
		}
	}
	s.meters(storage)
}

func azureManagedRedis(s *side) {
	sku, ok := s.need(s.view, "sku_name")
	if !ok {
		return
	}
	n := whole(2)
	if x, st := s.get("high_availability_enabled"); st == known && x == false {
		n = one()
	}
	s.charge("Cache node", sku, "managed-redis", strings.ToLower(sku), n)
}

func azureSearch(s *side) {
	sku, ok := s.need(s.view, "sku")
	if !ok || strings.EqualFold(sku, "free") {
		return
	}
	n := one()
	for _, key := range []string{"replica_count", "partition_count"} {
		q, st := s.num(key)
		if st == unknown && s.x.configured(s, key) {
			s.notKnown(key)
			return
		}
		if st == known {
			n = n.Mul(q)
		}
	}
	s.charge("Search units", sku+", replicas × partitions", "search", strings.ToLower(sku), n)
}

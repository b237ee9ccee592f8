package cost

import (
	"strings"

	"github.com/shopspring/decimal"
)

// azurePremium are the plans that are billed by CPU and memory.
var azurePremium = map[string]struct {
	cpus   int
	memory string
}{"EP1": {1, "3.5"}, "EP2": {2, "7"}, "EP3": {4, "14"}, "WS1": {1, "3.5"}, "WS2": {2, "7"}, "WS3": {4, "14"}}

// azurePlan bills the workers of an App Service plan.
func (s *side) azurePlan(sku, os string, n decimal.Decimal) {
	upper := strings.ToUpper(sku)
	switch upper {
	case "F1", "FREE", "SHARED", "D1":
		if upper == "D1" || upper == "SHARED" {
			s.charge("Worker", sku, "app-service", strings.ToLower(os)+"/d1", n)
		}
		return // free
	case "Y1", "FC1":
		s.byUse("executions")
		return
	}
	if p, ok := azurePremium[upper]; ok {
		service, prefix := "functions", "premium-"
		if upper[0] == 'W' {
			service, prefix = "logic-apps", ""
		}
		s.charge("vCPUs", sku, service, prefix+"vcpu", n.Mul(whole(p.cpus)))
		s.charge("Memory", sku+", "+p.memory+" GB each", service, prefix+"memory", n.Mul(figure(p.memory)))
		return
	}
	s.charge("Worker", sku+", "+os, "app-service", strings.ToLower(os+"/"+sku), n)
}

func azureServicePlan(s *side) {
	sku, okSKU := s.need(s.view, "sku_name")
	os, okOS := s.need(s.view, "os_type")
	if !okSKU || !okOS {
		return
	}
	n, st := s.num("worker_count")
	if st != known {
		n = one()
		s.assume("one worker")
	}
	s.azurePlan(sku, os, n)
}

func azureLegacyPlan(s *side) {
	sku, _ := s.block("sku")
	size, ok := s.need(sku, "size")
	if !ok {
		return
	}
	n, st := sku.num("capacity")
	if st != known {
		n = one()
		s.assume("one worker")
	}
	os := "windows"
	if s.is("kind", "Linux") {
		os = "linux"
	}
	s.azurePlan(size, os, n)
}

// azureFunctions are billed by use on consumption plans, and through the plan
// on all others.
func azureFunctions(s *side) {
	id, _ := s.str("service_plan_id")
	plan, _, ok := s.join(id, []string{"id"}, []string{"azurerm_service_plan"}, "service_plan_id")
	if ok && !plan.is("sku_name", "Y1", "FC1") {
		return // the plan is billed
	}
	executions, told := s.amount("monthly_executions")
	if !told {
		s.byUse("executions, unless its plan is a premium one")
		return
	}
	s.used(meter{name: "Executions", service: "functions", sku: "executions"}, executions)
	ms, okTime := s.amount("execution_duration_ms")
	memory, okMemory := s.amount("memory_mb")
	if !okTime || !okMemory {
		s.byUse("execution time")
		return
	}
	// At least 100 ms are counted, and memory in steps of 128 MB.
	ms = decimal.Max(ms, whole(100))
	gb := memory.Div(whole(128)).Ceil().Mul(whole(128)).Div(whole(1024))
	s.used(meter{name: "Execution time", service: "functions", sku: "execution-time"}, executions.Mul(ms).Div(whole(1000)).Mul(gb))
}

func azureEventHub(s *side) {
	sku, ok := s.need(s.view, "sku")
	if !ok {
		return
	}
	n, st := s.num("capacity")
	if st != known {
		n = one()
		s.assume("one unit of capacity")
	}
	n, _ = s.count("throughput_or_capacity_units", n, true)
	sku = strings.ToLower(sku)
	s.charge("Capacity", sku, "eventhub", sku, n)
	if sku != "premium" {
		s.meters(meter{key: "monthly_ingress_events", name: "Events in", service: "eventhub", sku: "ingress"})
	}
	if s.word("capture_enabled") == "true" && sku == "standard" {
		s.used(meter{name: "Capture", service: "eventhub", sku: "capture", hourly: true}, n)
	}
}

func azureServiceBus(s *side) {
	sku, ok := s.need(s.view, "sku")
	if !ok {
		return
	}
	sku = strings.ToLower(sku)
	switch sku {
	case "basic":
		s.meters(meter{key: "monthly_messaging_operations", name: "Operations", service: "servicebus", sku: "basic-operations"})
	case "standard":
		s.charge("Namespace", sku, "servicebus", sku, one())
		s.meters(meter{key: "monthly_messaging_operations", name: "Operations", service: "servicebus", tiers: []tier{{"13000000", ""}, {"", "standard-operations"}}})
	default:
		n, st := s.num("capacity")
		if st != known || n.IsZero() {
			n = one()
			s.assume("one messaging unit")
		}
		s.charge("Messaging units", sku, "servicebus", sku, n)
	}
}

func azureLogAnalytics(s *side) {
	sku, st := s.str("sku")
	if st != known {
		sku = "PerGB2018"
	}
	if strings.EqualFold(sku, "Free") {
		return
	}
	if strings.EqualFold(sku, "CapacityReservation") {
		if n, ok := s.needNum(s.view, "reservation_capacity_in_gb_per_day"); ok {
			s.charge("Commitment", n.String()+" GB a day", "log-analytics", "commitment-"+n.String(), one())
		}
	} else {
		s.meters(meter{key: "monthly_log_data_ingestion_gb", name: "Data ingested", service: "log-analytics", sku: "ingested"})
	}
	for _, m := range []meter{
		{key: "monthly_additional_log_data_retention_gb", name: "Data kept longer", service: "log-analytics", sku: "retention"},
		{key: "monthly_log_data_export_gb", name: "Data exported", service: "log-analytics", sku: "export"},
		{key: "monthly_basic_log_data_ingestion_gb", name: "Basic logs ingested", service: "log-analytics", sku: "basic-ingested"},
		{key: "monthly_basic_log_search_gb", name: "Basic logs searched", service: "log-analytics", sku: "basic-search"},
		{key: "monthly_archive_data_gb", name: "Archive", service: "log-analytics", sku: "archive"},
		{key: "monthly_archive_data_searched_gb", name: "Archive searched", service: "log-analytics", sku: "archive-searched"},
		{key: "monthly_archive_data_restored_gb", name: "Archive restored", service: "log-analytics", sku: "archive-restored"},
		{key: "monthly_sentinel_data_ingestion_gb", name: "Sentinel", service: "log-analytics", sku: "sentinel"},
	} {
		if q, ok := s.amount(m.key); ok {
			s.used(m, q)
		}
	}
}

func azureStorageAccount(s *side) {
	tier, okTier := s.need(s.view, "account_tier")
	copies, okCopies := s.need(s.view, "account_replication_type")
	if !okTier || !okCopies {
		return
	}
	access, st := s.str("access_tier")
	if st != known {
		access = "Hot"
		s.assume("the hot access tier")
	}
	class := strings.ToLower("blob-" + access + "-" + copies)
	if strings.EqualFold(tier, "Premium") {
		class = strings.ToLower("blob-premium-" + copies)
	}
	if kind, st := s.str("account_kind"); st == known && !strings.EqualFold(kind, "StorageV2") && !strings.EqualFold(kind, "BlobStorage") {
		class = strings.ToLower(kind + "-" + copies)
	}
	s.meters(
		meter{key: "storage_gb", name: "Storage", service: "storage", sku: class + "/capacity"},
		meter{key: "monthly_write_operations", name: "Write operations", service: "storage", sku: class + "/write"},
		meter{key: "monthly_list_and_create_container_operations", name: "List and create operations", service: "storage", sku: class + "/list"},
		meter{key: "monthly_read_operations", name: "Read operations", service: "storage", sku: class + "/read"},
		meter{key: "monthly_other_operations", name: "Other operations", service: "storage", sku: class + "/other"},
	)
	for _, m := range []meter{
		{key: "monthly_data_retrieval_gb", name: "Data retrieved", service: "storage", sku: class + "/retrieval"},
		{key: "monthly_data_write_gb", name: "Data written", service: "storage", sku: class + "/data-write"},
		{key: "blob_index_tags", name: "Index tags", service: "storage", sku: class + "/index"},
		{key: "snapshots_storage_gb", name: "Snapshots", service: "storage", sku: class + "/snapshots"},
		{key: "data_at_rest_storage_gb", name: "Data at rest", service: "storage", sku: class + "/data-at-rest"},
		{key: "metadata_at_rest_storage_gb", name: "Metadata at rest", service: "storage", sku: class + "/metadata"},
		{key: "early_deletion_gb", name: "Early deletion", service: "storage", sku: class + "/early-deletion"},
	} {
		if q, ok := s.amount(m.key); ok {
			s.used(m, q)
		}
	}
}

func azureDatabricks(s *side) {
	sku, ok := s.need(s.view, "sku")
	if !ok {
		return
	}
	sku = strings.ToLower(sku)
	s.meters(
		meter{key: "monthly_all_purpose_compute_dbu_hrs", name: "All-purpose compute", service: "databricks", sku: sku + "/all-purpose"},
		meter{key: "monthly_jobs_compute_dbu_hrs", name: "Jobs compute", service: "databricks", sku: sku + "/jobs"},
		meter{key: "monthly_jobs_light_compute_dbu_hrs", name: "Light jobs compute", service: "databricks", sku: sku + "/jobs-light"},
	)
}

// azureTier bills one thing by the tier that an argument names; free names the
// tier that costs nothing.
func azureTier(name, service, argument, free string) pricer {
	return func(s *side) {
		tier, st := s.str(argument)
		if st == absent || st == known && strings.EqualFold(tier, free) {
			return
		}
		if st == unknown {
			s.notKnown(argument)
			return
		}
		s.charge(name, tier, service, strings.ToLower(tier), one())
	}
}

func azureIoTHub(s *side) {
	sku, _ := s.block("sku")
	name, okName := s.need(sku, "name")
	n, okCapacity := s.needNum(sku, "capacity")
	if okName && okCapacity && !strings.EqualFold(name, "F1") {
		s.charge("Hub units", name, "iothub", strings.ToLower(name), n)
	}
}

func azureSynapsePool(s *side) {
	sku, ok := s.need(s.view, "sku_name")
	if ok {
		s.charge("Warehouse", sku, "synapse", strings.ToLower(sku), one())
	}
	s.byUse("storage")
}

func azureSparkPool(s *side) {
	s.byUse("node hours")
}

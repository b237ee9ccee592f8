package cost

import (
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// sustainedUse is what Google takes off machines that run the whole month, in
// percent by family. All other families have no such discount.
var sustainedUse = map[string]int{"n1": 30, "f1": 30, "g1": 30, "n2": 20, "n2d": 20, "c2": 20}

// googleMachine bills n instances of a machine type. The prices of types with
// graphics processors of their own (a2, a3, g2) contain those.
func (s *side) googleMachine(name, typ string, spot bool, n decimal.Decimal) {
	typ = typ[strings.LastIndexByte(typ, '/')+1:]
	detail := typ + ", on demand"
	if spot {
		detail = typ + ", spot: on-demand price as ceiling"
		s.assume("spot capacity costs at most the on-demand price")
	}
	hours := s.runs("monthly_hrs")
	family, _, _ := strings.Cut(typ, "-")
	off := sustainedUse[family]
	if !s.x.sustained || spot || off == 0 || hours.LessThan(s.x.hours) {
		s.chargeHours(name, detail, "compute", typ, n, hours)
		return
	}
	s.assume("machines that run the whole month, for the sustained use discount")
	s.chargeAs(name, detail+", sustained use discount of "+whole(off).String()+" %", "compute", typ, n, func(p *pricebook.Price, n decimal.Decimal) decimal.Decimal {
		p.Amount = p.Amount.Mul(whole(100 - off)).Shift(-2)
		return n.Mul(hours)
	}, false)
}

// autoscaled finds how many instances the autoscaler of a group keeps at
// least.
func (s *side) autoscaled() (decimal.Decimal, bool) {
	v, ok := s.x.scalers(s.after)[s.ch]
	if !ok {
		return decimal.Zero, false
	}
	policy, _ := v.block("autoscaling_policy")
	n, st := policy.num("min_replicas")
	if st != known {
		return decimal.Zero, false
	}
	s.bill.joined = append(s.bill.joined, v.value)
	s.assume("as many instances as the autoscaler's minimum")
	return n, true
}

// scalers returns the autoscalers by the groups that they scale.
func (x *estimation) scalers(after bool) map[*tfplan.Change]view {
	i := 0
	if after {
		i = 1
	}
	if x.scaled[i] != nil {
		return x.scaled[i]
	}
	found := map[*tfplan.Change]view{}
	groups := []string{"google_compute_instance_group_manager", "google_compute_region_instance_group_manager"}
	for _, t := range []string{"google_compute_autoscaler", "google_compute_region_autoscaler"} {
		for _, c := range x.index.byType[t] {
			v := sideView(c, after)
			if v.value == nil {
				continue
			}
			var group *tfplan.Change
			if target, _ := v.value["target"].(string); target != "" {
				for _, g := range groups {
					for _, id := range []string{"id", "self_link"} {
						if group == nil {
							group = x.index.holding(g, id, target, after)
						}
					}
				}
			}
			if group == nil {
				r, m := x.cfg.resource(c)
				group = x.follow(references(r, "target"), m, c.ModuleAddress, c, groups, 0)
			}
			if group != nil {
				found[group] = v
			}
		}
	}
	x.scaled[i] = found
	return found
}

func googleForwardingRule(s *side) {
	if s.is("load_balancing_scheme", "INTERNAL_SELF_MANAGED") {
		return
	}
	// Up to five rules of a project share one price, which depends on what
	// else there is.
	s.charge("Forwarding rule", "", "network", "forwarding-rule", one())
	s.meters(meter{key: "monthly_ingress_data_gb", name: "Data in", service: "network", sku: "forwarding-data"})
}

func googleRedisCluster(s *side) {
	shards, ok := s.needNum(s.view, "shard_count")
	if !ok {
		return
	}
	replicas, st := s.num("replica_count")
	if st == unknown && s.x.configured(s, "replica_count") {
		s.notKnown("replica_count")
		return
	}
	node, nst := s.str("node_type")
	if nst != known {
		node = "REDIS_HIGHMEM_MEDIUM"
		s.assume("nodes of REDIS_HIGHMEM_MEDIUM")
	}
	sku := strings.TrimPrefix(strings.ToLower(node), "redis_")
	s.charge("Node", node+", shards with replicas", "redis-cluster", sku, shards.Mul(replicas.Add(one())))
	s.meters(meter{key: "backup_storage_gb", name: "Backups", service: "redis-cluster", sku: "backup"})
}

func googleBucket(s *side) {
	class, st := s.str("storage_class")
	if st != known {
		class = "STANDARD"
	}
	class = strings.ToLower(class)
	if class == "multi_regional" || class == "regional" {
		class = "standard"
	}
	s.meters(
		meter{key: "storage_gb", name: "Storage", service: "storage", sku: class},
		meter{key: "monthly_class_a_operations", name: "Operations that write or list", service: "storage", sku: "class-a"},
		meter{key: "monthly_class_b_operations", name: "Operations that read", service: "storage", sku: "class-b"},
	)
	if q, ok := s.amount("monthly_data_retrieval_gb"); ok && class != "standard" {
		s.used(meter{name: "Data retrieved", service: "storage", sku: class + "-retrieval"}, q)
	}
	for _, to := range []string{"same_continent", "worldwide", "asia", "china", "australia"} {
		if q, ok := s.amount("monthly_egress_data_transfer_gb." + to); ok {
			s.used(meter{name: "Data out, " + to, service: "storage", sku: "egress-" + to}, q)
		}
	}
}

func googleKMSKey(s *side) {
	template, _ := s.block("version_template")
	kind := "software"
	tiers := []tier{{"", "software-version"}}
	if template.is("protection_level", "HSM") {
		kind, tiers = "hsm", []tier{{"2000", "hsm-version"}, {"", "hsm-version-2"}}
		if alg, _ := template.str("algorithm"); alg == "" || alg == "GOOGLE_SYMMETRIC_ENCRYPTION" {
			tiers = []tier{{"", "hsm-symmetric-version"}}
		}
	}
	if q, ok := s.amount("key_versions"); ok {
		s.used(meter{name: "Key versions", service: "kms", tiers: tiers}, q)
	} else {
		s.assume("one version of the key")
		s.charge("Key version", kind, "kms", tiers[0].sku, one())
	}
	s.meters(meter{key: "monthly_key_operations", name: "Operations", service: "kms", sku: "operations"})
}

func googleSecretVersion(s *side) {
	s.charge("Secret version", "", "secret-manager", "version", one())
	s.meters(meter{key: "monthly_access_operations", name: "Access operations", service: "secret-manager", sku: "access"})
}

// googleRun bills what requests take of CPU and memory.
func googleRun(s *side) {
	requests, ok := s.amount("monthly_requests")
	if !ok {
		s.byUse("CPU and memory time, requests")
		return
	}
	s.used(meter{name: "Requests", service: "run", sku: "requests"}, requests)
	ms, ok := s.amount("average_request_duration_ms")
	if !ok {
		s.byUse("CPU and memory time")
		return
	}
	at, okAt := s.amount("concurrent_requests_per_instance")
	if !okAt || !at.IsPositive() {
		at = one()
		s.assume("one request at a time")
	}
	seconds := requests.Mul(ms).Div(whole(1000)).Div(at)
	cpu, memory := s.runLimits()
	s.used(meter{name: "CPU time", service: "run", sku: "cpu"}, seconds.Mul(cpu))
	s.used(meter{name: "Memory time", service: "run", sku: "memory"}, seconds.Mul(memory))
}

func googleRunJob(s *side) {
	n, okRuns := s.amount("monthly_job_executions")
	minutes, okTime := s.amount("average_task_execution_mins")
	if !okRuns || !okTime {
		s.byUse("CPU and memory time")
		return
	}
	seconds := n.Mul(minutes).Mul(whole(60))
	cpu, memory := s.runLimits()
	s.used(meter{name: "CPU time", service: "run", sku: "job-cpu"}, seconds.Mul(cpu))
	s.used(meter{name: "Memory time", service: "run", sku: "job-memory"}, seconds.Mul(memory))
}

// runLimits returns the CPUs and GB of memory of a Cloud Run service or job,
// by the first container's limits.
func (s *side) runLimits() (cpu, memory decimal.Decimal) {
	cpu, memory = one(), figure("0.5")
	v, _ := s.block("template")
	for _, name := range []string{"template", "spec"} { // of jobs, and of services of the old kind
		if inner, st := v.block(name); st == known {
			v = inner
		}
	}
	box, _ := v.block("containers")
	resources, _ := box.block("resources")
	limits, st := resources.block("limits")
	c, okCPU := limits.str("cpu")
	m, okMemory := limits.str("memory")
	if st == known && okCPU == known {
		if thousandths, ok := strings.CutSuffix(c, "m"); ok {
			if d, ok := usageNumber(thousandths); ok {
				cpu = d.Shift(-3)
			}
		} else if d, ok := usageNumber(c); ok {
			cpu = d
		}
	} else {
		s.assume("one CPU")
	}
	if st == known && okMemory == known {
		for suffix, div := range map[string]string{"Gi": "1", "G": "1.073741824", "Mi": "1024", "M": "1048.576"} {
			if number, ok := strings.CutSuffix(m, suffix); ok {
				if d, ok := usageNumber(number); ok {
					memory = d.Div(figure(div))
				}
			}
		}
	} else {
		s.assume("512 MB of memory")
	}
	return cpu, memory
}

// functionSpeed is how many GHz a function of the first generation gets, by
// its memory in MB.
var functionSpeed = []struct {
	memory int
	ghz    string
}{{128, "0.2"}, {256, "0.4"}, {512, "0.8"}, {1024, "1.4"}, {2048, "2.4"}, {4096, "4.8"}, {8192, "4.8"}}

func googleFunction(s *side) {
	n, ok := s.amount("monthly_function_invocations")
	if !ok {
		s.byUse("invocations, CPU and memory time")
		return
	}
	s.used(meter{name: "Invocations", service: "functions", sku: "invocations"}, n)
	if ms, ok := s.amount("request_duration_ms"); ok {
		memory, st := s.num("available_memory_mb")
		if st != known {
			memory = whole(256)
			s.assume("256 MB of memory")
		}
		seconds := n.Mul(ms.Div(whole(100)).Ceil().Mul(whole(100))).Div(whole(1000)) // counted in steps of 100 ms
		for _, f := range functionSpeed {
			if memory.LessThanOrEqual(whole(f.memory)) {
				s.used(meter{name: "CPU time", service: "functions", sku: "cpu"}, seconds.Mul(figure(f.ghz)))
				break
			}
		}
		s.used(meter{name: "Memory time", service: "functions", sku: "memory"}, seconds.Mul(memory).Div(whole(1024)))
	} else {
		s.byUse("CPU and memory time")
	}
	if q, ok := s.amount("monthly_outbound_data_gb"); ok {
		s.used(meter{name: "Data out", service: "functions", sku: "egress"}, q)
	}
}

func googleFilestore(s *side) {
	tier, ok := s.need(s.view, "tier")
	shares, _ := s.block("file_shares")
	size, okSize := s.needNum(shares, "capacity_gb")
	if ok && okSize {
		s.charge("Storage", tier+", "+size.String()+" GB", "filestore", strings.ToLower(tier), size)
	}
}

func googleSpanner(s *side) {
	where, ok := s.need(s.view, "config")
	if !ok {
		return
	}
	n, st := s.num("num_nodes")
	if st != known {
		units, ust := s.num("processing_units")
		if ust != known {
			s.notKnown("num_nodes")
			return
		}
		n = units.Div(whole(1000))
	}
	where = strings.TrimPrefix(where[strings.LastIndexByte(where, '/')+1:], "regional-")
	s.inRegion(where, func() { s.charge("Nodes", where, "spanner", "node", n) })
	s.byUse("storage")
}

func googleAlloyDB(s *side) {
	machine, _ := s.block("machine_config")
	cpus, ok := s.needNum(machine, "cpu_count")
	if !ok {
		return
	}
	n := one()
	if s.is("availability_type", "REGIONAL") && s.is("instance_type", "PRIMARY") {
		n = whole(2)
	}
	s.charge("vCPUs", cpus.String()+" each", "alloydb", "vcpu", n.Mul(cpus))
	s.charge("Memory", "8 GB each vCPU", "alloydb", "memory", n.Mul(cpus).Mul(whole(8)))
	s.byUse("storage, backups")
}

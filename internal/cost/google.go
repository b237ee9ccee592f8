package cost

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/planner/tfplan"
)

// googleVolume bills a disk; where tells "/regional" for one kept in two
// zones.
func (s *side) googleVolume(name, typ string, size, n decimal.Decimal, where string) {
	typ = typ[strings.LastIndexByte(typ, '/')+1:]
	s.charge(name, typ+", "+size.String()+" GB", "disk", typ+where, n.Mul(size))
}

// googleSpeed bills what a disk's provisioned speed costs beside its size.
func (s *side) googleSpeed(name, typ string, v view, key string, n decimal.Decimal) {
	typ = typ[strings.LastIndexByte(typ, '/')+1:]
	if !strings.HasPrefix(typ, "hyperdisk") && typ != "pd-extreme" {
		return
	}
	if typ == "hyperdisk-throughput" || typ == "hyperdisk-ml" {
		s.lacks(name + " throughput")
		return
	}
	iops, st := v.num(key)
	switch {
	case st == known:
		s.charge(name+" IOPS", typ, "disk", typ+"-iops", n.Mul(iops))
	default:
		s.lacks(name + " IOPS")
	}
	if typ == "hyperdisk-balanced" {
		s.lacks(name + " throughput")
	}
}

// googleSpot reports whether a scheduling block asks for spare capacity.
func googleSpot(v view) bool {
	sched, st := v.block("scheduling")
	return st == known && (sched.truth("preemptible") || sched.is("provisioning_model", "SPOT"))
}

func googleInstance(s *side) {
	if typ, ok := s.need(s.view, "machine_type"); ok {
		s.googleMachine("Instance", typ, googleSpot(s.view), one())
	}
	boot, _ := s.block("boot_disk")
	if _, st := boot.str("source"); st != known { // an existing disk is billed as itself
		init, _ := boot.block("initialize_params")
		s.googleBoot(init, "type", "size")
	}
	s.googleExtras(s.view, one())
	faces, _ := s.blocks("network_interface")
	for _, f := range faces {
		access, _ := f.blocks("access_config")
		for _, a := range access {
			// A reserved address is billed as itself. Whether there is one
			// can be known from the configuration alone.
			if _, st := a.str("nat_ip"); st == known || s.reserved() {
				continue
			}
			s.charge("External address", "", "network", "ip-vm", one())
		}
	}
}

// reserved reports whether the configuration gives the first interface an
// address of its own choice.
func (s *side) reserved() bool {
	r, _ := s.x.cfg.resource(s.ch)
	return len(references(r, "network_interface", "access_config", "nat_ip")) > 0
}

// googleBoot bills a boot disk; what is not set is Google's default.
func (s *side) googleBoot(v view, typeKey, sizeKey string) {
	typ, st := v.str(typeKey)
	if st != known {
		typ = "pd-standard"
		s.assume("pd-standard boot disk")
	}
	size, st := v.num(sizeKey)
	if st != known {
		size = whole(10)
		s.assume("boot disk of 10 GB, as most public images")
	}
	s.googleVolume("Boot disk", typ, size, one(), "")
	s.googleSpeed("Boot disk", typ, v, "provisioned_iops", one())
}

// withGPU are machine types whose price contains their graphics processors.
var withGPU = regexp.MustCompile(`^(a2|a3|a4|g2|g4)-`)

// googleExtras bills local disks and graphics processors of n instances.
func (s *side) googleExtras(v view, n decimal.Decimal) {
	scratch, _ := v.blocks("scratch_disk")
	if len(scratch) > 0 {
		size := whole(375 * len(scratch))
		s.charge("Local SSD", size.String()+" GB", "disk", "local-ssd", n.Mul(size))
	}
	gpus, _ := v.blocks("guest_accelerator")
	for _, g := range gpus {
		if typ, _ := v.str("machine_type"); withGPU.MatchString(typ) {
			continue
		}
		count, st := g.num("count")
		typ, tst := g.str("type")
		if st != known || tst != known {
			s.notKnown("guest_accelerator")
			continue
		}
		typ = typ[strings.LastIndexByte(typ, '/')+1:]
		s.charge("Graphics processor", typ, "gpu", typ, n.Mul(count))
	}
}

var googleTemplates = []string{"google_compute_instance_template", "google_compute_region_instance_template"}

func googleGroup(s *side) {
	n, ok := s.autoscaled()
	if !ok {
		if n, ok = s.needNum(s.view, "target_size"); !ok {
			return
		}
	}
	version, _ := s.block("version")
	value, _ := version.str("instance_template")
	t, _, found := s.join(value, []string{"self_link", "id", "self_link_unique"}, googleTemplates, "version", "instance_template")
	if !found {
		s.notKnown("instance_template")
		return
	}
	if typ, ok := s.need(t, "machine_type"); ok {
		s.googleMachine("Instance", typ, googleSpot(t), n)
	}
	disks, _ := t.blocks("disk")
	for _, d := range disks {
		if _, st := d.str("source"); st == known {
			continue
		}
		typ, st := d.str("disk_type")
		if d.is("type", "SCRATCH") {
			s.charge("Local SSD", "375 GB each", "disk", "local-ssd", n.Mul(whole(375)))
			continue
		}
		if st != known {
			typ = "pd-standard"
			s.assume("pd-standard disks")
		}
		size, st := d.num("disk_size_gb")
		if st != known {
			size = whole(10)
			s.assume("disks of 10 GB, as most public images")
		}
		s.googleVolume("Disk", typ, size, n, "")
		s.googleSpeed("Disk", typ, d, "provisioned_iops", n)
	}
	s.googleExtras(t, n)
	faces, _ := t.blocks("network_interface")
	for _, f := range faces {
		access, _ := f.blocks("access_config")
		if len(access) > 0 {
			s.charge("External address", "one each", "network", "ip-vm", n.Mul(whole(len(access))))
		}
	}
}

// googleDiskSizes are what a disk has that says nothing of it, in GB.
var googleDiskSizes = map[string]int{"pd-standard": 500, "pd-balanced": 100, "pd-ssd": 100, "pd-extreme": 1000}

func googleDisk(s *side) {
	typ, st := s.str("type")
	if st != known {
		typ = "pd-standard"
	}
	size, st := s.num("size")
	if st != known {
		if s.x.configured(s, "image") || s.x.configured(s, "snapshot") || s.x.configured(s, "source_disk") {
			s.notKnown("size")
			return
		}
		gb, ok := googleDiskSizes[typ[strings.LastIndexByte(typ, '/')+1:]]
		if !ok {
			s.notKnown("size")
			return
		}
		size = whole(gb)
		s.assume("disk of " + size.String() + " GB, Google's default for " + typ)
	}
	where := ""
	if s.ch.Type == "google_compute_region_disk" {
		where = "/regional"
	}
	s.googleVolume("Disk", typ, size, one(), where)
	s.googleSpeed("Disk", typ, s.view, "provisioned_iops", one())
}

func googleAddress(s *side) {
	if s.is("address_type", "INTERNAL") {
		return // free
	}
	if users, st := s.length("users"); st == known && users > 0 {
		s.charge("Address", "in use", "network", "ip-vm", one())
		return
	} else if st == known || !s.x.usedByInstance(s.ch) {
		s.charge("Address", "not in use", "network", "ip-unused", one())
		return
	}
	s.charge("Address", "in use", "network", "ip-vm", one())
}

// usedByInstance reports whether the configuration gives an address to an
// instance of the same module.
func (x *estimation) usedByInstance(ch *tfplan.Change) bool {
	m := x.cfg.module(ch.ModuleAddress)
	if m == nil {
		return false
	}
	used, ok := x.addressed[m]
	if !ok {
		used = map[string]bool{}
		for i := range m.Resources {
			if r := &m.Resources[i]; r.Type == "google_compute_instance" {
				for _, ref := range references(r, "network_interface", "access_config", "nat_ip") {
					used[ref] = true
				}
			}
		}
		if x.addressed == nil {
			x.addressed = map[*module]map[string]bool{}
		}
		x.addressed[m] = used
	}
	return used[ch.Type+"."+ch.Name]
}

func googleGlobalAddress(s *side) {
	if s.is("address_type", "INTERNAL") {
		return // free
	}
	// Addresses of forwarding rules are free; unused ones are not, and the
	// catalogue has no price for "global" yet.
	s.lacks("global address")
}

// cluster finds the cluster of a node pool.
func (s *side) cluster() (view, *tfplan.Change, bool) {
	name, _ := s.str("cluster")
	return s.join(name, []string{"id", "name"}, []string{"google_container_cluster"}, "cluster")
}

func googleCluster(s *side) {
	s.charge("Cluster", "", "gke", "cluster", one())
	if s.truth("enable_autopilot") {
		s.meters(
			meter{key: "autopilot_vcpu_count", name: "Pods' vCPUs", service: "gke", sku: "autopilot-vcpu", hourly: true},
			meter{key: "autopilot_memory_gb", name: "Pods' memory", service: "gke", sku: "autopilot-memory", hourly: true},
			meter{key: "autopilot_ephemeral_storage_gb", name: "Pods' storage", service: "gke", sku: "autopilot-storage"},
		)
		return
	}
	zones := s.googleZones(s.view, s.view)
	if s.truth("remove_default_node_pool") {
		return // the pools are resources of their own
	}
	// An existing cluster's values list all its pools, those that are
	// resources of their own too: only the configuration tells them apart.
	pools, _ := s.blocks("node_pool")
	r, _ := s.x.cfg.resource(s.ch)
	if r != nil && s.x.configured(s, "node_pool") || r == nil && len(pools) > 0 && !s.x.has("google_container_node_pool") {
		for _, p := range pools {
			s.googlePool(p, zones)
		}
		return
	}
	n, st := s.num("initial_node_count")
	switch st {
	case unknown:
		s.notKnown("initial_node_count")
	case known:
		n, _ = s.count("nodes", n, true)
		config, _ := s.block("node_config")
		s.googleNodes(config, n.Mul(zones))
	}
}

// has reports whether the plan has a resource of a type (one of joinable).
func (x *estimation) has(typ string) bool { return len(x.index.byType[typ]) > 0 }

// googleZones returns in how many zones nodes run.
func (s *side) googleZones(own, cluster view) decimal.Decimal {
	for i, v := range []view{own, cluster} {
		if n, st := v.length("node_locations"); st == known && n > 0 {
			// A cluster in one zone lists the others alone; a pool lists all.
			if where, _ := cluster.str("location"); (i == 1 || s.ch.Type == "google_container_cluster") && googleZone.MatchString(where) {
				n++
			}
			return whole(n)
		}
	}
	location, _ := own.str("location")
	if location == "" {
		location, _ = cluster.str("location")
	}
	if location == "" || googleZone.MatchString(location) {
		return one()
	}
	s.assume("three zones")
	return whole(3)
}

func googleNodePool(s *side) {
	cluster, _, _ := s.cluster()
	s.googlePool(s.view, s.googleZones(s.view, cluster))
}

func (s *side) googlePool(v view, zones decimal.Decimal) {
	n, st := v.num("node_count")
	if st != known {
		scaling, _ := v.block("autoscaling")
		total, totalState := scaling.num("total_min_node_count")
		least, leastState := scaling.num("min_node_count")
		initial, initialState := v.num("initial_node_count")
		switch {
		case totalState == known && total.IsPositive():
			n, zones = total, one()
			s.assume("as many nodes as the autoscaler's minimum")
		case leastState == known:
			n = least
			s.assume("as many nodes as the autoscaler's minimum")
		case initialState == known:
			n = initial
		default:
			s.notKnown("node_count")
			return
		}
	}
	if s.ch.Type == "google_container_node_pool" {
		n, _ = s.count("nodes", n, true)
	}
	config, _ := v.block("node_config")
	s.googleNodes(config, n.Mul(zones))
}

func (s *side) googleNodes(v view, n decimal.Decimal) {
	typ, st := v.str("machine_type")
	if st != known {
		typ = "e2-medium"
		s.assume("e2-medium nodes")
	}
	s.googleMachine("Node", typ, v.truth("spot") || v.truth("preemptible"), n)
	disk, st := v.str("disk_type")
	if st != known {
		disk = "pd-balanced"
		s.assume("pd-balanced disks")
	}
	size, st := v.num("disk_size_gb")
	if st != known {
		size = whole(100)
		s.assume("disks of 100 GB")
	}
	s.googleVolume("Node disk", disk, size, n, "")
	if local, st := v.num("local_ssd_count"); st == known && local.IsPositive() {
		s.charge("Local SSD", "375 GB each", "disk", "local-ssd", n.Mul(local).Mul(whole(375)))
	}
	s.googleExtras(v, n)
}

var (
	sqlCustom   = regexp.MustCompile(`^db-custom-(\d{1,3})-(\d{3,7})$`)
	sqlStandard = regexp.MustCompile(`^db-n1-(standard|highmem)-(\d{1,2})$`)
)

func googleSQL(s *side) {
	settings, st := s.block("settings")
	if st != known {
		s.notKnown("settings")
		return
	}
	version, ok := s.need(s.view, "database_version")
	if !ok {
		return
	}
	edition := ""
	if settings.is("edition", "ENTERPRISE_PLUS") {
		edition = "plus-" // prices of its own
	}
	licence, microsoft := strings.CutPrefix(strings.ToUpper(version), "SQLSERVER_")
	if microsoft {
		edition = "sqlserver-" + edition
	}
	where := "zonal"
	if settings.is("availability_type", "REGIONAL") {
		where = "regional"
	}
	if tier, ok := s.need(settings, "tier"); ok {
		cpus, memory := sqlShape(tier)
		if cpus == 0 {
			s.charge("Database", tier+", "+where, "sql", edition+tier+"/"+where, one())
		} else {
			s.charge("vCPU", tier+", "+where, "sql", edition+"vcpu/"+where, whole(cpus))
			s.charge("Memory", tier+", "+where, "sql", edition+"memory/"+where, memory)
			if microsoft {
				s.charge("SQL Server licence", version, "sql", "licence-"+strings.ToLower(licence), whole(cpus))
			}
		}
	}
	typ, st := settings.str("disk_type")
	if st != known {
		typ = "PD_SSD"
	}
	size, st := settings.num("disk_size")
	if st != known || size.IsZero() {
		size = whole(10)
		s.assume("10 GB of storage")
	}
	kind := strings.ToLower(strings.TrimPrefix(typ, "PD_"))
	s.charge("Storage", kind+", "+size.String()+" GB, "+where, "sql", "storage-"+kind+"/"+where, size)
	s.meters(meter{key: "backup_storage_gb", name: "Backups", service: "sql", sku: "backup"})
}

// sqlShape returns how many CPUs and GB of memory a tier has that is billed by
// those; no CPUs mean that it is billed as itself.
func sqlShape(tier string) (cpus int, memory decimal.Decimal) {
	if m := sqlCustom.FindStringSubmatch(tier); m != nil {
		n, _ := strconv.Atoi(m[1]) // digits, as the pattern says
		mb, _ := strconv.Atoi(m[2])
		return n, whole(mb).Div(whole(1024))
	}
	if m := sqlStandard.FindStringSubmatch(tier); m != nil {
		n, _ := strconv.Atoi(m[2])
		each := figure("3.75")
		if m[1] == "highmem" {
			each = figure("6.5")
		}
		return n, each.Mul(whole(n))
	}
	return 0, decimal.Zero
}

// The price of Memorystore falls with the size, in bands.
var redisBands = []struct {
	upTo int
	name string
}{{4, "m1"}, {10, "m2"}, {35, "m3"}, {100, "m4"}, {300, "m5"}}

func googleRedis(s *side) {
	size, ok := s.needNum(s.view, "memory_size_gb")
	if !ok {
		return
	}
	tier := "basic"
	if s.is("tier", "STANDARD_HA") {
		tier = "standard"
		if replicas, st := s.num("replica_count"); st == known && replicas.GreaterThan(one()) {
			s.lacks("read replicas")
		}
	}
	for _, b := range redisBands {
		if size.LessThanOrEqual(whole(b.upTo)) {
			s.charge("Cache", tier+", "+size.String()+" GB", "redis", tier+"/"+b.name, size)
			return
		}
	}
	s.lacks("cache of that size")
}

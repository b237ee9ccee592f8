package cost

import (
	"strings"

	"github.com/shopspring/decimal"
)

// azureMachine bills n virtual machines of a size. Windows whose licence is
// brought along (hybrid benefit) costs what Linux does.
func (s *side) azureMachine(name, size, os string, licensed, spot bool, n decimal.Decimal) {
	detail, service := size+", "+systems[os], "vm-linux"
	if os == "windows" {
		if licensed {
			detail += ", hybrid benefit"
		} else {
			service = "vm-windows"
		}
	}
	if spot {
		detail += ", spot: pay-as-you-go price as ceiling"
		s.assume("spot capacity costs at most the pay-as-you-go price")
	} else {
		detail += ", pay as you go"
	}
	hours := "monthly_hrs"
	if s.ch.Type == "azurerm_kubernetes_cluster" {
		hours = "default_node_pool.monthly_hrs"
	}
	s.chargeHours(name, detail, service, strings.ToLower(size), n, s.runs(hours))
}

func azureVM(s *side) {
	os := "linux"
	if s.ch.Type == "azurerm_windows_virtual_machine" {
		os = "windows"
	}
	if size, ok := s.need(s.view, "size"); ok {
		s.azureMachine("Virtual machine", size, os, s.is("license_type", "Windows_Server", "Windows_Client"), s.is("priority", "Spot"), one())
	}
	disk, _ := s.block("os_disk")
	s.azureOSDisk(disk, "storage_account_type", os, one())
}

func azureLegacyVM(s *side) {
	os := "linux"
	if _, st := s.block("os_profile_windows_config"); st == known {
		os = "windows"
	}
	if size, ok := s.need(s.view, "vm_size"); ok {
		s.azureMachine("Virtual machine", size, os, s.is("license_type", "Windows_Server"), false, one())
	}
	disk, _ := s.block("storage_os_disk")
	s.azureOSDisk(disk, "managed_disk_type", os, one())
	data, _ := s.blocks("storage_data_disk")
	for _, d := range data {
		s.azureDataDisk("Data disk", d, "managed_disk_type", one())
	}
}

func azureScaleSet(s *side) {
	os := "linux"
	if s.ch.Type == "azurerm_windows_virtual_machine_scale_set" {
		os = "windows"
	}
	n, st := s.num("instances")
	n, ok := s.count("instances", n, st == known)
	if !ok {
		s.notKnown("instances")
		return
	}
	sizeKey := "sku"
	if s.ch.Type == "azurerm_orchestrated_virtual_machine_scale_set" {
		sizeKey = "sku_name"
		if profile, st := s.block("os_profile"); st == known {
			if _, st := profile.block("windows_configuration"); st == known {
				os = "windows"
			}
		} else {
			return // without a profile it only holds machines of others
		}
	}
	if size, ok := s.need(s.view, sizeKey); ok {
		s.azureMachine("Virtual machine", size, os, s.is("license_type", "Windows_Server", "Windows_Client"), s.is("priority", "Spot"), n)
	}
	disk, _ := s.block("os_disk")
	s.azureOSDisk(disk, "storage_account_type", os, n)
	data, _ := s.blocks("data_disk")
	for _, d := range data {
		s.azureDataDisk("Data disk", d, "storage_account_type", n)
	}
}

// azureOSDisk bills a system disk, whose size is the image's where none is
// set.
func (s *side) azureOSDisk(v view, typeKey, os string, n decimal.Decimal) {
	if local, st := v.block("diff_disk_settings"); st == known && local.is("option", "Local") {
		return // ephemeral, on the host
	}
	typ, ok := s.need(v, typeKey)
	if !ok {
		return
	}
	size, st := v.num("disk_size_gb")
	if st != known {
		size = whole(30)
		if os == "windows" {
			size = whole(127)
		}
		s.assume("system disk of " + size.String() + " GB, as Azure's images for " + systems[os])
	}
	s.azureManagedDisk("System disk", typ, size, n)
}

func (s *side) azureDataDisk(name string, v view, typeKey string, n decimal.Decimal) {
	typ, ok := s.need(v, typeKey)
	size, sized := s.needNum(v, "disk_size_gb")
	if family, _, _ := strings.Cut(strings.ToLower(typ), "_"); ok && sized && (family == "ultrassd" || family == "premiumv2") {
		s.azureProvisionedDisk(v, name, typ, size, n)
		return
	}
	if ok && sized {
		s.azureManagedDisk(name, typ, size, n)
	}
}

// Managed disks are sold in steps, and one is billed as the next larger step.
var azureSteps = []struct{ gib, number int }{
	{4, 1}, {8, 2}, {16, 3}, {32, 4}, {64, 6}, {128, 10}, {256, 15}, {512, 20},
	{1024, 30}, {2048, 40}, {4096, 50}, {8192, 60}, {16384, 70}, {32767, 80},
}

var azureDiskLetters = map[string]string{"premium": "p", "standardssd": "e", "standard": "s"}

func (s *side) azureManagedDisk(name, typ string, size, n decimal.Decimal) {
	family, redundancy, _ := strings.Cut(strings.ToLower(typ), "_")
	letter, ok := azureDiskLetters[family]
	if !ok { // Ultra, Premium v2
		s.lacks(name + " (" + typ + ")")
		return
	}
	for _, step := range azureSteps {
		if size.GreaterThan(whole(step.gib)) {
			continue
		}
		number := step.number
		if letter == "s" && number < 4 {
			number = 4 // hard disks begin there
		}
		tier := letter + whole(number).String()
		s.charge(name, strings.ToUpper(tier)+" "+strings.ToUpper(redundancy)+", "+size.String()+" GB", "disk", tier+"/"+redundancy, n)
		if letter != "p" {
			azureDiskOperations(s, letter)
		}
		return
	}
	s.lacks(name + " of that size")
}

func azureDisk(s *side) { s.azureDataDisk("Disk", s.view, "storage_account_type", one()) }

func azurePublicIP(s *side) {
	method, ok := s.need(s.view, "allocation_method")
	if !ok {
		return
	}
	tier, st := s.str("sku_tier")
	if st != known {
		tier = "Regional"
	}
	sku, st := s.str("sku")
	if st != known {
		sku = "Standard"
		if strings.EqualFold(method, "Dynamic") {
			sku = "Basic" // a standard address can't be dynamic
		}
	}
	if strings.EqualFold(sku, "Basic") && strings.EqualFold(method, "Static") {
		s.lacks("basic static address")
		return
	}
	s.charge("IP address", strings.ToLower(sku+", "+method+", "+tier), "network", strings.ToLower("ip-"+method+"-"+tier), one())
}

func azureKubernetes(s *side) {
	tier, st := s.str("sku_tier")
	switch {
	case st == unknown:
		s.notKnown("sku_tier")
	case st == absent || strings.EqualFold(tier, "Free"):
		// The control plane is free.
	case strings.EqualFold(tier, "Standard"):
		s.charge("Control plane", "standard tier", "aks", "cluster-standard", one())
	default:
		s.lacks("Control plane, " + strings.ToLower(tier) + " tier")
	}
	pool, st := s.block("default_node_pool")
	if st != known {
		s.notKnown("default_node_pool")
		return
	}
	s.azurePool(pool)
	s.meters(meter{key: "load_balancer.monthly_data_processed_gb", name: "Data through the load balancer", service: "network", sku: "lb-data"})
}

func azureNodePool(s *side) { s.azurePool(s.view) }

func (s *side) azurePool(v view) {
	n, st := v.num("node_count")
	if st != known {
		if n, st = v.num("min_count"); st == known {
			s.assume("as many nodes as min_count")
		} else {
			n = one()
			s.assume("one node")
		}
	}
	key := "nodes"
	if s.ch.Type == "azurerm_kubernetes_cluster" {
		key = "default_node_pool.nodes"
	}
	n, _ = s.count(key, n, true)
	size, ok := s.need(v, "vm_size")
	if !ok {
		return
	}
	os := "linux"
	if v.is("os_type", "Windows") {
		os = "windows"
	}
	s.azureMachine("Node", size, os, false, v.is("priority", "Spot"), n)
	if v.is("os_disk_type", "Ephemeral") {
		return
	}
	disk, st := v.num("os_disk_size_gb")
	if st != known || disk.IsZero() {
		disk = whole(128)
		s.assume("128 GB disks")
	}
	typ := "Standard_LRS"
	if premiumCapable(size) {
		typ = "Premium_LRS"
	}
	s.azureManagedDisk("Node disk", typ, disk, n)
}

// premiumCapable tells by the s in a size's name (Standard_D2s_v3, DS2_v2)
// whether it takes premium disks, which AKS then uses.
func premiumCapable(size string) bool {
	size = strings.ToLower(size)
	size = strings.TrimPrefix(size, "standard_")
	family, _, _ := strings.Cut(size, "_")
	return strings.ContainsRune(family, 's')
}

func azureRegistry(s *side) {
	sku, ok := s.need(s.view, "sku")
	if !ok {
		return
	}
	s.charge("Registry", sku, "container-registry", strings.ToLower(sku), one())
	replicas, st := s.blocks("georeplications")
	if st == unknown {
		s.notKnown("georeplications")
	}
	for _, r := range replicas {
		region, ok := s.need(r, "location")
		if !ok {
			continue
		}
		region = strings.ToLower(strings.ReplaceAll(region, " ", ""))
		s.inRegion(region, func() {
			s.charge("Replica", sku+", "+region, "container-registry", strings.ToLower(sku), one())
		})
	}
	included := map[string]string{"basic": "10", "standard": "100", "premium": "500"}[strings.ToLower(sku)]
	s.meters(meter{key: "storage_gb", name: "Storage beyond that included", service: "container-registry", tiers: []tier{{included, ""}, {"", "storage"}}})
	if hours, ok := s.amount("monthly_build_vcpu_hrs"); ok {
		s.used(meter{name: "Build time", service: "container-registry", sku: "build"}, hours.Mul(whole(3600)))
	}
}

func azurePostgres(s *side) {
	n := one()
	if ha, st := s.block("high_availability"); st == known && ha.value != nil {
		n = whole(2) // the standby is billed like the primary, storage too
	}
	if sku, ok := s.need(s.view, "sku_name"); ok {
		s.charge("Database", sku, "postgresql-flexible", strings.ToLower(sku), n)
	}
	mb, st := s.num("storage_mb")
	if st != known {
		mb = whole(32768)
		s.assume("32 GB of storage")
	}
	gb := mb.Div(whole(1024))
	s.charge("Storage", gb.String()+" GB", "postgresql-flexible", "storage", n.Mul(gb))
	s.meters(meter{key: "additional_backup_storage_gb", name: "Backups beyond those included", service: "postgresql-flexible", sku: "backup"})
}

func azureRedis(s *side) {
	sku, ok := s.need(s.view, "sku_name")
	capacity, okCapacity := s.needNum(s.view, "capacity")
	family, okFamily := s.need(s.view, "family")
	if !ok || !okCapacity || !okFamily {
		return
	}
	nodes := one()
	switch strings.ToLower(sku) {
	case "standard":
		nodes = whole(2)
	case "premium":
		replicas, st := s.num("replicas_per_primary")
		if st != known || replicas.IsZero() {
			replicas = one()
		}
		shards, st := s.num("shard_count")
		if st != known || shards.IsZero() {
			shards = one()
		}
		nodes = shards.Mul(replicas.Add(one()))
	}
	name := sku + " " + family + capacity.String()
	s.charge("Cache node", name, "redis", strings.ToLower(sku+"_"+family+capacity.String()), nodes)
}

// azureLegacyScaleSet bills a scale set of the provider's first kind.
func azureLegacyScaleSet(s *side) {
	sku, _ := s.block("sku")
	size, okSize := s.need(sku, "name")
	n, st := sku.num("capacity")
	n, okCount := s.count("instances", n, st == known)
	if !okCount {
		s.notKnown("capacity")
	}
	if !okSize || !okCount {
		return
	}
	os := "linux"
	if _, st := s.block("os_profile_windows_config"); st == known {
		os = "windows"
	}
	s.azureMachine("Virtual machine", size, os, s.is("license_type", "Windows_Server"), s.is("priority", "Spot", "Low"), n)
	disk, _ := s.block("storage_profile_os_disk")
	s.azureOSDisk(disk, "managed_disk_type", os, n)
	data, _ := s.blocks("storage_profile_data_disk")
	for _, d := range data {
		s.azureDataDisk("Data disk", d, "managed_disk_type", n)
	}
}

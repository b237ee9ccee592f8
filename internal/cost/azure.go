package cost

import (
	"strings"

	"github.com/shopspring/decimal"
)

// azureMachine bills n virtual machines of a size. Windows has a price only
// where its licence is brought along (hybrid benefit): then it is Linux's.
func (s *side) azureMachine(name, size, os string, licensed, spot bool, n decimal.Decimal) {
	detail := size + ", " + systems[os]
	if os == "windows" {
		if !licensed {
			s.bill.missing = append(s.bill.missing, missing{name, "vm-windows", size + ", Windows", s.region(), n})
			return
		}
		detail += ", hybrid benefit"
	}
	if spot {
		detail += ", spot: pay-as-you-go price as ceiling"
		s.assume("spot capacity costs at most the pay-as-you-go price")
	} else {
		detail += ", pay as you go"
	}
	s.charge(name, detail, "vm-linux", strings.ToLower(size), n)
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
	n, ok := s.needNum(s.view, "instances")
	if !ok {
		return
	}
	if size, ok := s.need(s.view, "sku"); ok {
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
			s.byUse("disk operations")
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

func azureFirewall(s *side) {
	if s.is("sku_name", "AZFW_Hub") {
		s.lacks("Firewall in a virtual hub")
		return
	}
	tier, ok := s.need(s.view, "sku_tier")
	if !ok {
		return
	}
	s.charge("Firewall", tier, "network", "firewall-"+strings.ToLower(tier), one())
	s.byUse("data processed")
}

func azureNetworkGateway(s *side) {
	if s.is("type", "ExpressRoute") {
		s.lacks("ExpressRoute gateway")
		return
	}
	sku, ok := s.need(s.view, "sku")
	if !ok {
		return
	}
	s.charge("VPN gateway", sku, "network", "vpn-gateway-"+strings.ToLower(sku), one())
	s.byUse("tunnels beyond those included, data transfer")
}

func azureLB(s *side) {
	if s.is("sku", "Basic") {
		return // free
	}
	s.lacks("Standard load balancer")
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
	s.byUse("load balancer, egress")
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
	replicas, _ := s.length("georeplications")
	s.charge("Registry", sku+", each region", "container-registry", strings.ToLower(sku), whole(1+replicas))
	s.byUse("storage beyond that included")
}

func azureServicePlan(s *side) {
	sku, okSKU := s.need(s.view, "sku_name")
	os, okOS := s.need(s.view, "os_type")
	if !okSKU || !okOS {
		return
	}
	switch strings.ToUpper(sku) {
	case "F1":
		return // free
	case "Y1", "FC1":
		s.byUse("executions")
		return
	}
	n, st := s.num("worker_count")
	if st != known {
		n = one()
		s.assume("one worker")
	}
	s.charge("Worker", sku+", "+os, "app-service", strings.ToLower(os+"/"+sku), n)
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
	s.byUse("backups beyond those included")
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

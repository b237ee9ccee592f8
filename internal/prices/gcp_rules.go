package prices

import (
	"errors"
	"regexp"
	"strconv"

	"github.com/shopspring/decimal"
)

var errTooMany = errors.New("it has more regions and families than any list of Google's")

const (
	computeEngine = "Compute Engine"
	cloudSQL      = "Cloud SQL"
	cloudStorage  = "Cloud Storage"
	redisStore    = "Cloud Memorystore for Redis"
)

// googleMachines are the families of machines as descriptions call them. Those
// with local disks, processors for graphics or premiums of their own are left
// out: more than cores and memory makes their price.
var googleMachines = map[string]string{
	"e2": "E2 Instance", "n1": "N1 Predefined Instance", "n2": "N2 Instance", "n2d": "N2D AMD Instance",
	"n4": "N4 Instance", "c3": "C3 Instance", "c3d": "C3D Instance", "c4": "C4 Instance", "c4a": "C4A Arm Instance",
	"t2d": "T2D AMD Instance", "t2a": "T2A Arm Instance", "c2": "Compute optimized", "c2d": "C2D AMD Instance",
}

var googleRules = func() []googleRule {
	rules := []googleRule{
		{offer: computeEngine, pattern: `Storage PD Capacity`, service: "disk", sku: "pd-standard", unit: "GB-month"},
		{offer: computeEngine, pattern: `SSD backed PD Capacity`, service: "disk", sku: "pd-ssd", unit: "GB-month"},
		{offer: computeEngine, pattern: `Balanced PD Capacity`, service: "disk", sku: "pd-balanced", unit: "GB-month"},
		{offer: computeEngine, pattern: `Extreme PD Capacity`, service: "disk", sku: "pd-extreme", unit: "GB-month"},
		{offer: computeEngine, pattern: `Hyperdisk Extreme Capacity`, service: "disk", sku: "hyperdisk-extreme", unit: "GB-month"},
		{offer: computeEngine, pattern: `Regional Storage PD Capacity`, service: "disk", sku: "pd-standard/regional", unit: "GB-month"},
		{offer: computeEngine, pattern: `Regional SSD backed PD Capacity`, service: "disk", sku: "pd-ssd/regional", unit: "GB-month"},
		{offer: computeEngine, pattern: `Regional Balanced PD Capacity`, service: "disk", sku: "pd-balanced/regional", unit: "GB-month"},
		{offer: computeEngine, pattern: `SSD backed Local Storage`, service: "disk", sku: "local-ssd", unit: "GB-month"},
		{offer: computeEngine, pattern: `Storage PD Snapshot`, service: "disk", sku: "snapshot", unit: "GB-month"},
		{offer: computeEngine, pattern: `Static Ip Charge`, service: "network", sku: "ip-unused", unit: "hour"},
		{offer: computeEngine, pattern: `External IP Charge on a Standard VM`, service: "network", sku: "ip-vm", unit: "hour"},
		{offer: computeEngine, pattern: `Micro Instance with burstable CPU`, service: "compute", sku: "f1-micro", unit: "hour"},
		{offer: computeEngine, pattern: `Small Instance with 1 VCPU`, service: "compute", sku: "g1-small", unit: "hour"},
		{offer: cloudStorage, pattern: `(Standard|Nearline|Coldline|Archive) Storage`, service: "storage", sku: "$1", unit: "GB-month"},
		{offer: redisStore, pattern: `Redis Capacity (Basic|Standard) (M[1-5])`, service: "redis", sku: "$1/$2", unit: "GB-hour"},
		// The engines have the same prices, and the estimator asks for one for
		// both; where they don't, neither is taken.
		{offer: cloudSQL, pattern: `Cloud SQL for (?:MySQL|PostgreSQL): (Zonal|Regional) - vCPU`, service: "sql", sku: "vcpu/$1", unit: "hour"},
		{offer: cloudSQL, pattern: `Cloud SQL for (?:MySQL|PostgreSQL): (Zonal|Regional) - RAM`, service: "sql", sku: "memory/$1", unit: "GB-hour"},
		{offer: cloudSQL, pattern: `Cloud SQL for (?:MySQL|PostgreSQL): (Zonal|Regional) - Standard storage`, service: "sql", sku: "storage-ssd/$1", unit: "GB-month"},
		{offer: cloudSQL, pattern: `Cloud SQL for (?:MySQL|PostgreSQL): (Zonal|Regional) - Low cost storage`, service: "sql", sku: "storage-hdd/$1", unit: "GB-month"},
	}
	for family, name := range googleMachines {
		rules = append(rules,
			googleRule{offer: computeEngine, pattern: name + ` Core`, service: "compute", unit: "hour", shape: family},
			googleRule{offer: computeEngine, pattern: name + ` Ram`, service: "compute", unit: "GB-hour", shape: family, memory: true})
	}
	for i, r := range rules {
		// "… running in Iowa", "… in Iowa", "… Iowa", or nothing after it. What
		// a thing is called ends there: "in" or a place's capital letter. Only
		// storage and caches name the place without a word before.
		tail := `(?: (?:running )?in [A-Z].*)?`
		if r.offer == cloudStorage || r.offer == redisStore {
			tail = `(?: (?:running )?(?:in )?[A-Z][^-/()]*)?`
		}
		rules[i].match = regexp.MustCompile(`^` + r.pattern + tail + `$`)
	}
	return rules
}()

// googleSizes are the predefined machines of a family, as Google documents
// them: for each kind its memory a CPU, and its numbers of CPUs.
var googleSizes = []struct {
	family, kind, each string
	cpus               []int
}{
	{"e2", "standard", "4", []int{2, 4, 8, 16, 32}},
	{"e2", "highmem", "8", []int{2, 4, 8, 16}},
	{"e2", "highcpu", "1", []int{2, 4, 8, 16, 32}},
	{"n1", "standard", "3.75", []int{1, 2, 4, 8, 16, 32, 64, 96}},
	{"n1", "highmem", "6.5", []int{2, 4, 8, 16, 32, 64, 96}},
	{"n1", "highcpu", "0.9", []int{2, 4, 8, 16, 32, 64, 96}},
	{"n2", "standard", "4", []int{2, 4, 8, 16, 32, 48, 64, 80, 96, 128}},
	{"n2", "highmem", "8", []int{2, 4, 8, 16, 32, 48, 64, 80, 96}},
	{"n2", "highcpu", "1", []int{2, 4, 8, 16, 32, 48, 64, 80, 96}},
	{"n2d", "standard", "4", []int{2, 4, 8, 16, 32, 48, 64, 80, 96, 128, 224}},
	{"n2d", "highmem", "8", []int{2, 4, 8, 16, 32, 48, 64, 80, 96}},
	{"n2d", "highcpu", "1", []int{2, 4, 8, 16, 32, 48, 64, 80, 96, 128, 224}},
	{"n4", "standard", "4", []int{2, 4, 8, 16, 32, 48, 64, 80}},
	{"n4", "highmem", "8", []int{2, 4, 8, 16, 32, 48, 64, 80}},
	{"n4", "highcpu", "2", []int{2, 4, 8, 16, 32, 48, 64, 80}},
	{"c2", "standard", "4", []int{4, 8, 16, 30, 60}},
	{"c2d", "standard", "4", []int{2, 4, 8, 16, 32, 56, 112}},
	{"c2d", "highmem", "8", []int{2, 4, 8, 16, 32, 56, 112}},
	{"c2d", "highcpu", "2", []int{2, 4, 8, 16, 32, 56, 112}},
	{"c3", "standard", "4", []int{4, 8, 22, 44, 88, 176}},
	{"c3", "highmem", "8", []int{4, 8, 22, 44, 88, 176}},
	{"c3", "highcpu", "2", []int{4, 8, 22, 44, 88, 176}},
	{"c3d", "standard", "4", []int{4, 8, 16, 30, 60, 90, 180, 360}},
	{"c3d", "highmem", "8", []int{4, 8, 16, 30, 60, 90, 180, 360}},
	{"c4", "highcpu", "2", []int{2, 4, 8, 16, 24, 32, 48, 96, 144, 192, 288}},
	{"c4a", "standard", "4", []int{1, 2, 4, 8, 16, 32, 48, 64, 72}},
	{"c4a", "highmem", "8", []int{1, 2, 4, 8, 16, 32, 48, 64, 72}},
	{"c4a", "highcpu", "2", []int{1, 2, 4, 8, 16, 32, 48, 64, 72}},
	{"t2d", "standard", "4", []int{1, 2, 4, 8, 16, 32, 48, 60}},
	{"t2a", "standard", "4", []int{1, 2, 4, 8, 16, 32, 48}},
}

// googleShapes are the machines by family. The shared-core ones of E2 are
// billed as a part of two CPUs.
var googleShapes = func() map[string][]googleShape {
	of := decimal.RequireFromString
	m := map[string][]googleShape{"e2": {
		{"e2-micro", of("0.25"), of("1")}, {"e2-small", of("0.5"), of("2")}, {"e2-medium", of("1"), of("4")},
	}}
	for _, s := range googleSizes {
		for _, n := range s.cpus {
			cpus := decimal.NewFromInt(int64(n))
			m[s.family] = append(m[s.family], googleShape{s.family + "-" + s.kind + "-" + strconv.Itoa(n), cpus, cpus.Mul(of(s.each))})
		}
	}
	return m
}()

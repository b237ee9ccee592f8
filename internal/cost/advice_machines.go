package cost

import (
	"fmt"
	"strings"
	"sync"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/planner/tfplan"
)

// shape is what a kind of machine has.
type shape struct {
	cpus   int
	memory decimal.Decimal // GiB
}

// holds reports whether a machine has at least what another has.
func (s shape) holds(o shape) bool {
	return s.cpus >= o.cpus && s.memory.GreaterThanOrEqual(o.memory)
}

// shapesText has the vCPUs and the memory in GiB of families of machines, from
// the vendors' documentation: AWS's pages of instance types, RDS instance
// classes and ElastiCache node types, Azure's of virtual machine sizes,
// Google's of machine families; the smallest of a family first. Families whose machines have disks of their
// own are there only where the successor's are at least as large.
const shapesText = `
t2: t2.nano 1 0.5, t2.micro 1 1, t2.small 1 2, t2.medium 2 4, t2.large 2 8, t2.xlarge 4 16, t2.2xlarge 8 32
t3: t3.nano 2 0.5, t3.micro 2 1, t3.small 2 2, t3.medium 2 4, t3.large 2 8, t3.xlarge 4 16, t3.2xlarge 8 32
m4: m4.large 2 8, m4.xlarge 4 16, m4.2xlarge 8 32, m4.4xlarge 16 64, m4.10xlarge 40 160, m4.16xlarge 64 256
m5: m5.large 2 8, m5.xlarge 4 16, m5.2xlarge 8 32, m5.4xlarge 16 64, m5.8xlarge 32 128, m5.12xlarge 48 192, m5.16xlarge 64 256, m5.24xlarge 96 384
c4: c4.large 2 3.75, c4.xlarge 4 7.5, c4.2xlarge 8 15, c4.4xlarge 16 30, c4.8xlarge 36 60
c5: c5.large 2 4, c5.xlarge 4 8, c5.2xlarge 8 16, c5.4xlarge 16 32, c5.9xlarge 36 72, c5.12xlarge 48 96, c5.18xlarge 72 144, c5.24xlarge 96 192
r4: r4.large 2 15.25, r4.xlarge 4 30.5, r4.2xlarge 8 61, r4.4xlarge 16 122, r4.8xlarge 32 244, r4.16xlarge 64 488
r5: r5.large 2 16, r5.xlarge 4 32, r5.2xlarge 8 64, r5.4xlarge 16 128, r5.8xlarge 32 256, r5.12xlarge 48 384, r5.16xlarge 64 512, r5.24xlarge 96 768
db.t2: db.t2.micro 1 1, db.t2.small 1 2, db.t2.medium 2 4, db.t2.large 2 8, db.t2.xlarge 4 16, db.t2.2xlarge 8 32
db.t3: db.t3.micro 2 1, db.t3.small 2 2, db.t3.medium 2 4, db.t3.large 2 8, db.t3.xlarge 4 16, db.t3.2xlarge 8 32
db.m3: db.m3.medium 1 3.75, db.m3.large 2 7.5, db.m3.xlarge 4 15, db.m3.2xlarge 8 30
db.m4: db.m4.large 2 8, db.m4.xlarge 4 16, db.m4.2xlarge 8 32, db.m4.4xlarge 16 64, db.m4.10xlarge 40 160, db.m4.16xlarge 64 256
db.m5: db.m5.large 2 8, db.m5.xlarge 4 16, db.m5.2xlarge 8 32, db.m5.4xlarge 16 64, db.m5.8xlarge 32 128, db.m5.12xlarge 48 192, db.m5.16xlarge 64 256, db.m5.24xlarge 96 384
db.r3: db.r3.large 2 15.25, db.r3.xlarge 4 30.5, db.r3.2xlarge 8 61, db.r3.4xlarge 16 122, db.r3.8xlarge 32 244
db.r4: db.r4.large 2 15.25, db.r4.xlarge 4 30.5, db.r4.2xlarge 8 61, db.r4.4xlarge 16 122, db.r4.8xlarge 32 244, db.r4.16xlarge 64 488
db.r5: db.r5.large 2 16, db.r5.xlarge 4 32, db.r5.2xlarge 8 64, db.r5.4xlarge 16 128, db.r5.8xlarge 32 256, db.r5.12xlarge 48 384, db.r5.16xlarge 64 512, db.r5.24xlarge 96 768
cache.m3: cache.m3.medium 1 2.78, cache.m3.large 2 6.05, cache.m3.xlarge 4 13.3, cache.m3.2xlarge 8 27.9
cache.m4: cache.m4.large 2 6.42, cache.m4.xlarge 4 14.28, cache.m4.2xlarge 8 29.7, cache.m4.4xlarge 16 60.78, cache.m4.10xlarge 40 154.64
cache.m5: cache.m5.large 2 6.38, cache.m5.xlarge 4 12.93, cache.m5.2xlarge 8 26.04, cache.m5.4xlarge 16 52.26, cache.m5.12xlarge 48 157.12, cache.m5.24xlarge 96 314.32
cache.r3: cache.r3.large 2 13.5, cache.r3.xlarge 4 28.4, cache.r3.2xlarge 8 58.2, cache.r3.4xlarge 16 118, cache.r3.8xlarge 32 237
cache.r4: cache.r4.large 2 12.3, cache.r4.xlarge 4 25.05, cache.r4.2xlarge 8 50.47, cache.r4.4xlarge 16 101.38, cache.r4.8xlarge 32 203.26, cache.r4.16xlarge 64 407
cache.r5: cache.r5.large 2 13.07, cache.r5.xlarge 4 26.32, cache.r5.2xlarge 8 52.82, cache.r5.4xlarge 16 105.81, cache.r5.12xlarge 48 317.77, cache.r5.24xlarge 96 635.61
DSv2: Standard_DS2_v2 2 7, Standard_DS3_v2 4 14, Standard_DS4_v2 8 28, Standard_DS5_v2 16 56, Standard_DS11_v2 2 14, Standard_DS12_v2 4 28, Standard_DS13_v2 8 56, Standard_DS14_v2 16 112
Dsv3: Standard_D2s_v3 2 8, Standard_D4s_v3 4 16, Standard_D8s_v3 8 32, Standard_D16s_v3 16 64, Standard_D32s_v3 32 128, Standard_D48s_v3 48 192, Standard_D64s_v3 64 256
Dv3: Standard_D2_v3 2 8, Standard_D4_v3 4 16, Standard_D8_v3 8 32, Standard_D16_v3 16 64, Standard_D32_v3 32 128, Standard_D48_v3 48 192, Standard_D64_v3 64 256
Esv3: Standard_E2s_v3 2 16, Standard_E4s_v3 4 32, Standard_E8s_v3 8 64, Standard_E16s_v3 16 128, Standard_E20s_v3 20 160, Standard_E32s_v3 32 256, Standard_E48s_v3 48 384
Ev3: Standard_E2_v3 2 16, Standard_E4_v3 4 32, Standard_E8_v3 8 64, Standard_E16_v3 16 128, Standard_E20_v3 20 160, Standard_E32_v3 32 256, Standard_E48_v3 48 384
Ddsv5: Standard_D2ds_v5 2 8, Standard_D4ds_v5 4 16, Standard_D8ds_v5 8 32, Standard_D16ds_v5 16 64, Standard_D32ds_v5 32 128, Standard_D48ds_v5 48 192, Standard_D64ds_v5 64 256
Dadsv5: Standard_D2ads_v5 2 8, Standard_D4ads_v5 4 16, Standard_D8ads_v5 8 32, Standard_D16ads_v5 16 64, Standard_D32ads_v5 32 128, Standard_D48ads_v5 48 192, Standard_D64ads_v5 64 256
Edsv5: Standard_E2ds_v5 2 16, Standard_E4ds_v5 4 32, Standard_E8ds_v5 8 64, Standard_E16ds_v5 16 128, Standard_E20ds_v5 20 160, Standard_E32ds_v5 32 256, Standard_E48ds_v5 48 384
Eadsv5: Standard_E2ads_v5 2 16, Standard_E4ads_v5 4 32, Standard_E8ads_v5 8 64, Standard_E16ads_v5 16 128, Standard_E20ads_v5 20 160, Standard_E32ads_v5 32 256, Standard_E48ads_v5 48 384
n1-standard: n1-standard-1 1 3.75, n1-standard-2 2 7.5, n1-standard-4 4 15, n1-standard-8 8 30, n1-standard-16 16 60, n1-standard-32 32 120, n1-standard-64 64 240
n1-highmem: n1-highmem-2 2 13, n1-highmem-4 4 26, n1-highmem-8 8 52, n1-highmem-16 16 104, n1-highmem-32 32 208, n1-highmem-64 64 416
n1-highcpu: n1-highcpu-2 2 1.8, n1-highcpu-4 4 3.6, n1-highcpu-8 8 7.2, n1-highcpu-16 16 14.4, n1-highcpu-32 32 28.8, n1-highcpu-64 64 57.6
n2-standard: n2-standard-2 2 8, n2-standard-4 4 16, n2-standard-8 8 32, n2-standard-16 16 64, n2-standard-32 32 128, n2-standard-64 64 256
n2-highmem: n2-highmem-2 2 16, n2-highmem-4 4 32, n2-highmem-8 8 64, n2-highmem-16 16 128, n2-highmem-32 32 256, n2-highmem-64 64 512
n2-highcpu: n2-highcpu-2 2 2, n2-highcpu-4 4 4, n2-highcpu-8 8 8, n2-highcpu-16 16 16, n2-highcpu-32 32 32, n2-highcpu-64 64 64
e2-standard: e2-standard-2 2 8, e2-standard-4 4 16, e2-standard-8 8 32, e2-standard-16 16 64, e2-standard-32 32 128
e2-highmem: e2-highmem-2 2 16, e2-highmem-4 4 32, e2-highmem-8 8 64, e2-highmem-16 16 128
e2-highcpu: e2-highcpu-2 2 2, e2-highcpu-4 4 4, e2-highcpu-8 8 8, e2-highcpu-16 16 16, e2-highcpu-32 32 32
`

// successors are the families that came after one, and what else is another
// with them.
var successors = map[string]struct {
	families []string
	note     string
}{
	"t2":          {[]string{"t3"}, "T3 needs an image with drivers for NVMe and ENA, and is billed for bursts beyond its credits unless cpu_credits is \"standard\"."},
	"m4":          {[]string{"m5"}, "M5 needs an image with drivers for NVMe and ENA."},
	"c4":          {[]string{"c5"}, "C5 needs an image with drivers for NVMe and ENA."},
	"r4":          {[]string{"r5"}, "R5 needs an image with drivers for NVMe and ENA."},
	"db.t2":       {[]string{"db.t3"}, "The change restarts the database."},
	"db.m3":       {[]string{"db.m5"}, "The change restarts the database."},
	"db.m4":       {[]string{"db.m5"}, "The change restarts the database."},
	"db.r3":       {[]string{"db.r5"}, "The change restarts the database."},
	"db.r4":       {[]string{"db.r5"}, "The change restarts the database."},
	"cache.m3":    {[]string{"cache.m5"}, "The change replaces the nodes."},
	"cache.m4":    {[]string{"cache.m5"}, "The change replaces the nodes."},
	"cache.r3":    {[]string{"cache.r5"}, "The change replaces the nodes."},
	"cache.r4":    {[]string{"cache.r5"}, "The change replaces the nodes."},
	"DSv2":        {[]string{"Ddsv5", "Dadsv5", "Edsv5", "Eadsv5"}, "The change restarts the machine; its temporary disk is at least as large."},
	"Dsv3":        {[]string{"Ddsv5", "Dadsv5"}, "The change restarts the machine; its temporary disk is at least as large."},
	"Dv3":         {[]string{"Ddsv5", "Dadsv5"}, "The change restarts the machine; its temporary disk is at least as large."},
	"Esv3":        {[]string{"Edsv5", "Eadsv5"}, "The change restarts the machine; its temporary disk is at least as large."},
	"Ev3":         {[]string{"Edsv5", "Eadsv5"}, "The change restarts the machine; its temporary disk is at least as large."},
	"n1-standard": {[]string{"n2-standard", "e2-standard"}, "Sustained use is reckoned in."},
	"n1-highmem":  {[]string{"n2-highmem", "e2-highmem"}, "Sustained use is reckoned in."},
	"n1-highcpu":  {[]string{"n2-highcpu", "e2-highcpu"}, "Sustained use is reckoned in."},
}

type shapeTable struct {
	of       map[string]shape
	family   map[string]string
	machines map[string][]string // by family
}

var shapes = sync.OnceValue(func() shapeTable {
	t := shapeTable{map[string]shape{}, map[string]string{}, map[string][]string{}}
	for line := range strings.Lines(strings.TrimSpace(shapesText)) {
		family, list, _ := strings.Cut(strings.TrimSpace(line), ": ")
		for _, one := range strings.Split(list, ", ") {
			var name, memory string
			var cpus int
			if _, err := fmt.Sscanf(one, "%s %d %s", &name, &cpus, &memory); err != nil {
				continue // a test reads every line
			}
			t.of[name], t.family[name] = shape{cpus, figure(memory)}, family
			t.machines[family] = append(t.machines[family], name)
		}
	}
	return t
})

// newer returns what could stand in place of a kind of machine: of each of the
// families after its own the smallest that has at least what it has.
func newer(id, argument, is string, path ...any) []alternative {
	t := shapes()
	family, ok := t.family[is]
	if !ok {
		return nil
	}
	old, next := t.of[is], successors[family]
	var out []alternative
	for _, f := range next.families {
		for _, name := range t.machines[f] {
			if s := t.of[name]; s.holds(old) {
				out = append(out, alternative{
					id: id, text: fmt.Sprintf("Make %s %s instead of %s.", argument, name, is), sets: []set{{path, name}},
					why: fmt.Sprintf("It is of a newer generation with %d vCPUs and %s GiB where this has %d and %s, as the vendor documents. %s",
						s.cpus, s.memory, old.cpus, old.memory, next.note),
					dealt: strings.HasPrefix(is, "n1-"),
				})
				break
			}
		}
	}
	return out
}

// plain returns a text of a view that the plan itself has: what was looked up
// elsewhere can't be changed here.
func (v view) plain(key string) string {
	if mask := tfplan.MaskMember(v.unknown, key); mask != nil && tfplan.MaskCovers(mask) {
		return ""
	}
	s, _ := v.value[key].(string)
	return s
}

// machineAdvisers know machines that have a successor.
func machineAdvisers() map[string]func(view) []alternative {
	attribute := func(id, key string) func(view) []alternative {
		return func(v view) []alternative { return newer(id, key, v.plain(key), key) }
	}
	nested := func(id, block, key string) func(view) []alternative {
		return func(v view) []alternative {
			b, st := v.block(block)
			if st != known {
				return nil
			}
			return newer(id, key, b.plain(key), block, 0, key)
		}
	}
	const ec2, rds, cache, azure, google = "aws.instance.generation", "aws.database.generation", "aws.cache.generation", "azure.machine.generation", "gcp.machine.generation"
	m := map[string]func(view) []alternative{
		"aws_launch_template":               attribute(ec2, "instance_type"),
		"aws_launch_configuration":          attribute(ec2, "instance_type"),
		"aws_eks_node_group":                nodeTypes,
		"aws_db_instance":                   attribute(rds, "instance_class"),
		"aws_rds_cluster_instance":          attribute(rds, "instance_class"),
		"aws_elasticache_cluster":           attribute(cache, "node_type"),
		"aws_elasticache_replication_group": attribute(cache, "node_type"),
		"azurerm_kubernetes_cluster":        nested(azure, "default_node_pool", "vm_size"),
		"google_container_node_pool":        nested(google, "node_config", "machine_type"),
	}
	m["aws_instance"] = m["aws_launch_template"]
	for _, typ := range []string{"azurerm_linux_virtual_machine", "azurerm_windows_virtual_machine"} {
		m[typ] = attribute(azure, "size")
	}
	for _, typ := range []string{"azurerm_virtual_machine", "azurerm_kubernetes_cluster_node_pool"} {
		m[typ] = attribute(azure, "vm_size")
	}
	for _, typ := range []string{"azurerm_linux_virtual_machine_scale_set", "azurerm_windows_virtual_machine_scale_set"} {
		m[typ] = attribute(azure, "sku")
	}
	for _, typ := range []string{"google_compute_instance", "google_compute_instance_template", "google_compute_region_instance_template"} {
		m[typ] = googleMachine
	}
	return m
}

// nodeTypes advises on a node group that has one kind of machine.
func nodeTypes(v view) []alternative {
	typ, n, st := v.first("instance_types")
	if st != known || n != 1 {
		return nil
	}
	if _, direct := v.value["instance_types"].([]any); !direct {
		return nil
	}
	return newer("aws.instance.generation", "instance_types", typ, "instance_types", 0)
}

// googleMachine leaves machines alone that ask for what not every family has.
func googleMachine(v view) []alternative {
	for _, key := range []string{"guest_accelerator", "scratch_disk"} {
		if _, st := v.blocks(key); st != absent {
			return nil
		}
	}
	if v.plain("min_cpu_platform") != "" {
		return nil
	}
	return newer("gcp.machine.generation", "machine_type", v.plain("machine_type"), "machine_type")
}

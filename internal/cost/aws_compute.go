package cost

import (
	"strings"

	"github.com/shopspring/decimal"
)

// systems are the words for operating systems in a bill.
var systems = map[string]string{"linux": "Linux", "windows": "Windows", "rhel": "RHEL", "suse": "SUSE"}

// machine is a kind of EC2 instance that something runs.
type machine struct {
	typ, os string
	spot    bool
	assumed bool // the system is Linux for want of better knowledge
}

func (s *side) awsMachine(m machine, n decimal.Decimal) {
	if os := s.word("operating_system"); systems[os] != "" {
		m.os, m.assumed = os, false
		s.assume(systems[os] + ", as the usage file says")
	}
	if m.assumed {
		s.assume("Linux")
	}
	detail := m.typ + ", " + systems[m.os]
	if m.spot {
		detail += ", spot: on-demand price as ceiling"
		s.assume("spot capacity costs at most the on-demand price")
	} else {
		detail += ", on demand"
		if s.reservedCapacity() {
			detail += " price as ceiling: reserved"
		}
	}
	s.chargeHours("Instance", detail, "ec2-"+m.os, m.typ, n, s.runs("monthly_hrs"))
	if hours, ok := s.amount("monthly_cpu_credit_hrs"); ok {
		cpus, ok := s.amount("vcpu_count")
		if !ok {
			cpus = one()
		}
		if family, _, _ := strings.Cut(m.typ, "."); family == "t2" || family == "t3" || family == "t3a" {
			s.used(meter{name: "CPU credits", service: "ec2-extra", sku: "cpu-credits"}, n.Mul(hours).Mul(cpus))
		}
	}
}

// reservedCapacity reports whether the usage file says that capacity is
// reserved, and notes what is shown for it.
func (s *side) reservedCapacity() bool {
	for _, key := range []string{"reserved_instance_type", "reserved_instance_term", "reserved_instance_payment_option"} {
		if s.word(key) != "" {
			s.assume("reserved capacity costs at most the on-demand price")
			return true
		}
	}
	return false
}

// awsSystem tells the operating system of an image, as far as the plan looked
// it up; false means that Linux is a guess.
func (s *side) awsSystem(v view) (string, bool) {
	if v.truth("get_password_data") {
		return "windows", true // only Windows has one
	}
	for _, key := range []string{"ami", "image_id"} {
		if id, st := v.str(key); st == known {
			if os, ok := s.x.cfg.amis[id]; ok {
				return os, true
			}
		}
	}
	return "linux", false
}

func awsInstance(s *side) {
	if s.is("tenancy", "dedicated", "host") {
		s.lacks("dedicated tenancy")
		return
	}
	template, hasTemplate := s.awsTemplate("launch_template")
	if _, st := s.str("tenancy"); hasTemplate && st != known && dedicated(template) {
		s.lacks("dedicated tenancy")
		return
	}
	typ, st := s.str("instance_type")
	if st != known && hasTemplate {
		typ, st = template.str("instance_type")
	}
	if st != known {
		s.notKnown("instance_type")
	} else {
		os, sure := s.awsSystem(s.view)
		if !sure && hasTemplate {
			os, sure = s.awsSystem(template)
		}
		market, _ := s.block("instance_market_options")
		s.awsMachine(machine{typ, os, s.ch.Type == "aws_spot_instance_request" || market.is("market_type", "spot"), !sure}, one())
	}
	if s.truth("monitoring") {
		s.charge("Detailed monitoring", "7 metrics", "cloudwatch", "metric", whole(7))
	}
	if s.truth("associate_public_ip_address") {
		s.charge("Public IPv4 address", "", "vpc", "public-ipv4", one())
	}
	if root, st := s.block("root_block_device"); st == known {
		s.awsVolume("Root volume", root, "volume_type", "volume_size", one(), true)
	} else if !hasTemplate || !s.awsTemplateVolumes(template, one()) {
		s.awsRootDefault(one())
	}
	volumes, _ := s.blocks("ebs_block_device")
	for _, v := range volumes {
		s.awsVolume("Volume", v, "volume_type", "volume_size", one(), false)
	}
}

// awsRootDefault bills the root volume of an image that nobody described.
func (s *side) awsRootDefault(n decimal.Decimal) {
	s.assume("root volume of 8 GB gp2")
	s.charge("Root volume", "gp2, 8 GB", "ebs", "gp2", n.Mul(whole(8)))
}

// awsVolume bills an EBS volume with its provisioned performance. Blocks of
// instances name their arguments otherwise than volumes do.
func (s *side) awsVolume(name string, v view, typeKey, sizeKey string, n decimal.Decimal, root bool) {
	typ, st := v.str(typeKey)
	if st != known {
		typ = "gp2" // EC2's default where nothing is asked for
		s.assume("volumes are gp2 where no type is set")
	}
	size, st := v.num(sizeKey)
	if st != known {
		if !root {
			s.notKnown(sizeKey)
			return
		}
		size = whole(8)
		s.assume("root volume of 8 GB where no size is set")
	}
	s.charge(name, typ+", "+size.String()+" GB", "ebs", typ, n.Mul(size))
	iops, iopsState := v.num("iops")
	switch typ {
	case "gp3":
		// 3,000 IOPS and 125 MB/s come with the volume.
		if extra := iops.Sub(whole(3000)); extra.IsPositive() {
			s.charge(name+" IOPS", "gp3, beyond 3,000", "ebs", "gp3-iops", n.Mul(extra))
		}
		throughput, _ := v.num("throughput")
		if extra := throughput.Sub(whole(125)); extra.IsPositive() {
			s.charge(name+" throughput", "gp3, beyond 125 MB/s", "ebs", "gp3-throughput", n.Mul(extra))
		}
	case "io1":
		if iopsState != known {
			s.notKnown("iops")
			return
		}
		s.charge(name+" IOPS", "io1", "ebs", "io1-iops", n.Mul(iops))
	case "io2":
		if iopsState != known {
			s.notKnown("iops")
			return
		}
		for _, tier := range []struct {
			from, to int
			sku      string
		}{{0, 32000, "io2-iops"}, {32000, 64000, "io2-iops-tier2"}, {64000, 1 << 30, "io2-iops-tier3"}} {
			if part := decimal.Min(iops, whole(tier.to)).Sub(whole(tier.from)); part.IsPositive() {
				s.charge(name+" IOPS", "io2", "ebs", tier.sku, n.Mul(part))
			}
		}
	case "standard":
		s.meters(meter{key: "monthly_standard_io_requests", name: "I/O requests", service: "ebs", sku: "standard-io"})
	}
}

func awsEBSVolume(s *side) { s.awsVolume("Volume", s.view, "type", "size", one(), false) }

// awsTemplate finds the launch template of a launch_template block.
func (s *side) awsTemplate(path ...string) (view, bool) {
	v := s.view
	for _, p := range path {
		b, st := v.block(p)
		if st != known {
			return view{}, false
		}
		v = b
	}
	value, st := v.str("id")
	if st != known {
		value, st = v.str("launch_template_id")
	}
	if st != known {
		value, st = v.str("name")
	}
	if st != known {
		value, _ = v.str("launch_template_name")
	}
	for _, arg := range []string{"id", "launch_template_id", "name", "launch_template_name"} {
		if t, _, ok := s.join(value, []string{"id", "name"}, []string{"aws_launch_template"}, append(path, arg)...); ok {
			return t, true
		}
	}
	return view{}, false
}

// awsTemplateVolumes bills the volumes of a launch template, and reports
// whether it has any.
func (s *side) awsTemplateVolumes(t view, n decimal.Decimal) bool {
	maps, st := t.blocks("block_device_mappings")
	if st != known {
		return false
	}
	any := false
	for _, m := range maps {
		if ebs, st := m.block("ebs"); st == known {
			any = true
			s.awsVolume("Volume", ebs, "volume_type", "volume_size", n, true)
		}
	}
	return any
}

func awsAutoscalingGroup(s *side) {
	n, told := s.amount("instances")
	if told {
		s.assume(n.String() + " instances, as the usage file says")
	} else {
		var st state
		if n, st = s.num("desired_capacity"); st != known {
			if n, st = s.num("min_size"); st != known {
				s.notKnown("desired_capacity")
				return
			}
			s.assume("as many instances as min_size")
		}
	}
	if _, st := s.str("launch_configuration"); st != absent {
		name, _ := s.str("launch_configuration")
		lc, _, ok := s.join(name, []string{"id", "name"}, []string{"aws_launch_configuration"}, "launch_configuration")
		if !ok {
			s.notKnown("launch_configuration")
			return
		}
		_, spot := lc.str("spot_price")
		s.awsGroupMembers(lc, "", spot == known, n)
		return
	}
	path := []string{"launch_template"}
	typ, spot := "", false
	if mixed, st := s.block("mixed_instances_policy"); st == known {
		path = []string{"mixed_instances_policy", "launch_template", "launch_template_specification"}
		lt, _ := mixed.block("launch_template")
		if override, st := lt.block("override"); st == known {
			if t, st := override.str("instance_type"); st == known {
				typ = t
				s.assume("all instances are of the first type that the policy names")
			}
			// Capacity may be counted in weights, of which an instance has several.
			if w, st := override.num("weighted_capacity"); st == known && w.GreaterThan(one()) {
				n = n.Div(w).Ceil()
				s.assume("as many instances as the capacity's weight needs")
			}
		}
		if d, st := mixed.block("instances_distribution"); st == known {
			base, _ := d.num("on_demand_base_capacity")
			above, st := d.num("on_demand_percentage_above_base_capacity")
			spot = st == known && above.LessThan(whole(100)) && base.LessThan(n)
		}
	}
	t, ok := s.awsTemplate(path...)
	if !ok {
		s.notKnown(path[0])
		return
	}
	s.awsGroupMembers(t, typ, spot, n)
}

// dedicated reports whether instances of a launch template or configuration run
// on machines of their own, which have prices of their own.
func dedicated(t view) bool {
	place, _ := t.block("placement")
	return place.is("tenancy", "dedicated", "host") || t.is("placement_tenancy", "dedicated", "host")
}

// awsGroupMembers bills n instances of a launch template or configuration.
func (s *side) awsGroupMembers(t view, typ string, spot bool, n decimal.Decimal) {
	if dedicated(t) {
		s.lacks("dedicated tenancy")
		return
	}
	if typ == "" {
		var st state
		if typ, st = t.str("instance_type"); st != known {
			s.notKnown("instance_type")
			return
		}
	}
	market, _ := t.block("instance_market_options")
	os, sure := s.awsSystem(t)
	s.awsMachine(machine{typ, os, spot || market.is("market_type", "spot"), !sure}, n)
	if root, st := t.block("root_block_device"); st == known { // a launch configuration's
		s.awsVolume("Root volume", root, "volume_type", "volume_size", n, true)
	} else if !s.awsTemplateVolumes(t, n) {
		s.awsRootDefault(n)
	}
	extra, _ := t.blocks("ebs_block_device")
	for _, v := range extra {
		s.awsVolume("Volume", v, "volume_type", "volume_size", n, false)
	}
	face, _ := t.block("network_interfaces")
	if t.truth("associate_public_ip_address") || face.truth("associate_public_ip_address") || face.is("associate_public_ip_address", "true") {
		s.charge("Public IPv4 address", "one each", "vpc", "public-ipv4", n)
	}
	monitoring, _ := t.block("monitoring")
	if t.truth("enable_monitoring") || monitoring.truth("enabled") {
		s.charge("Detailed monitoring", "7 metrics each", "cloudwatch", "metric", n.Mul(whole(7)))
	}
}

func awsEKSNodeGroup(s *side) {
	scaling, _ := s.block("scaling_config")
	n, st := scaling.num("desired_size")
	if st != known {
		// Who scales by themselves leave it out, and the provider begins with
		// the least.
		if n, st = scaling.num("min_size"); st == known {
			s.assume("as many nodes as min_size")
		}
	}
	n, ok := s.count("instances", n, st == known)
	if !ok {
		s.notKnown("desired_size")
		return
	}
	template, hasTemplate := s.awsTemplate("launch_template")
	typ, types, st := s.first("instance_types")
	if hasTemplate {
		if t, st := template.str("instance_type"); st == known {
			typ = t
		}
	}
	switch {
	case typ == "" && hasTemplate && st == unknown:
		s.notKnown("instance_types")
		return
	case typ == "":
		typ = "t3.medium"
		s.assume("t3.medium nodes")
	case types > 1:
		s.assume("all nodes are of the first type that is listed")
	}
	os := "linux"
	if ami, _ := s.str("ami_type"); strings.HasPrefix(ami, "WINDOWS") {
		os = "windows"
	}
	s.awsMachine(machine{typ, os, s.is("capacity_type", "SPOT"), false}, n)
	if hasTemplate && s.awsTemplateVolumes(template, n) {
		return
	}
	size, st := s.num("disk_size")
	if st != known {
		size = whole(20)
		s.assume("20 GB disks")
	}
	s.assume("gp2 disks")
	s.charge("Disk", "gp2, "+size.String()+" GB each", "ebs", "gp2", n.Mul(size))
}

func awsEIP(s *side) {
	// Charged whether attached or not, since February 2024.
	s.charge("Public IPv4 address", "", "vpc", "public-ipv4", one())
}

func awsNATGateway(s *side) {
	s.charge("NAT gateway", "", "vpc", "nat-gateway", one())
	s.meters(meter{key: "monthly_data_processed_gb", name: "Data processed", service: "vpc", sku: "nat-gateway-data"})
}

func awsLB(s *side) {
	typ, st := s.str("load_balancer_type")
	if st == unknown {
		s.notKnown("load_balancer_type")
		return
	}
	if st == absent {
		typ = "application" // the provider's default
	}
	s.charge("Load balancer", typ, "elb", typ, one())
	s.loadBalancerUnits(typ)
}

func awsELB(s *side) {
	s.charge("Load balancer", "classic", "elb", "classic", one())
	s.meters(meter{key: "monthly_data_processed_gb", name: "Data processed", service: "elb", sku: "classic-data"})
}

func awsVPCEndpoint(s *side) {
	typ, st := s.str("vpc_endpoint_type")
	switch {
	case st == unknown:
		s.notKnown("vpc_endpoint_type")
		return
	case st == absent || typ == "Gateway":
		return // free
	}
	n, st := s.length("subnet_ids")
	if st == unknown {
		s.notKnown("subnet_ids")
		return
	}
	sku := "endpoint-" + strings.ToLower(typ)
	s.charge("Endpoint", typ+", one each subnet", "vpc", sku, whole(n))
	data := meter{key: "monthly_data_processed_gb", name: "Data processed", service: "vpc", sku: sku + "-data"}
	if typ == "Interface" {
		data.tiers = []tier{{"1000000", sku + "-data"}, {"5000000", sku + "-data-2"}, {"", sku + "-data-3"}}
	}
	s.meters(data)
}

func awsNetworkFirewall(s *side) {
	n, st := s.length("subnet_mapping")
	if st != known {
		s.notKnown("subnet_mapping")
		return
	}
	s.charge("Firewall endpoint", "one each subnet", "vpc", "network-firewall-endpoint", whole(n))
	s.meters(meter{key: "monthly_data_processed_gb", name: "Data processed", service: "vpc", sku: "network-firewall-data"})
}

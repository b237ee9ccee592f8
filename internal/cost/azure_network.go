package cost

import (
	"strings"

	"github.com/shopspring/decimal"
)

func azureAppGateway(s *side) {
	sku, _ := s.block("sku")
	name, ok := s.need(sku, "name")
	if !ok {
		return
	}
	service := "application-gateway"
	if !strings.HasSuffix(strings.ToLower(name), "_v2") {
		n, st := sku.num("capacity")
		if st != known {
			s.notKnown("capacity")
			return
		}
		s.charge("Gateway", name, service, strings.ToLower(name), n)
		s.byUse("data processed")
		return
	}
	s.charge("Gateway", name, service, strings.ToLower(name), one())
	units := strings.ToLower(name) + "-unit"
	if q, ok := s.amount("monthly_v2_capacity_units"); ok {
		s.used(meter{name: "Capacity units", service: service, sku: units, hourly: true}, q)
		return
	}
	n, st := sku.num("capacity")
	if st != known || n.IsZero() {
		scaling, bst := s.block("autoscale_configuration")
		if bst == known {
			n, st = scaling.num("min_capacity")
			s.assume("as much capacity as the autoscaler's minimum")
		}
	}
	if st == known {
		// An instance brings ten units of capacity with it.
		s.charge("Capacity units", "ten each instance", service, units, n.Mul(whole(10)))
	}
	s.byUse("capacity units")
}

func azureBastion(s *side) {
	sku, st := s.str("sku")
	if st != known {
		sku = "Basic"
	}
	if strings.EqualFold(sku, "Developer") {
		return // free
	}
	s.charge("Bastion host", sku, "network", "bastion-"+strings.ToLower(sku), one())
	if n, st := s.num("scale_units"); st == known && n.GreaterThan(whole(2)) {
		s.charge("Scale units", "beyond two", "network", "bastion-scale-unit", n.Sub(whole(2)))
	}
	s.meters(meter{key: "monthly_outbound_data_gb", name: "Data out", service: "network", tiers: []tier{
		{"5", ""}, {"10240", "bastion-out"}, {"51200", "bastion-out-2"}, {"153600", "bastion-out-3"}, {"", "bastion-out-4"},
	}})
}

// scaleUnits bills what is sold in scale units.
func scaleUnits(name, argument, sku string) pricer {
	return func(s *side) {
		n, st := s.num(argument)
		switch st {
		case unknown:
			s.notKnown(argument)
			return
		case absent:
			n = one()
			s.assume("one scale unit")
		}
		s.charge(name, "scale units", "network", sku, n)
	}
}

func azurePrivateEndpoint(s *side) {
	s.charge("Private endpoint", "", "network", "private-endpoint", one())
	s.meters(
		meter{key: "monthly_inbound_data_processed_gb", name: "Data in", service: "network", tiers: []tier{{"1000000", "private-endpoint-in"}, {"", "private-endpoint-in-2"}}},
		meter{key: "monthly_outbound_data_processed_gb", name: "Data out", service: "network", tiers: []tier{{"1000000", "private-endpoint-out"}, {"", "private-endpoint-out-2"}}},
	)
}

func azureVirtualHub(s *side) {
	if s.is("sku", "Basic") {
		return // free
	}
	s.charge("Hub", "", "network", "virtual-hub", one())
	s.meters(meter{key: "monthly_data_processed_gb", name: "Data processed", service: "network", sku: "virtual-hub-data"})
}

func azureFirewall(s *side) {
	sku, ok := s.need(s.view, "sku_tier")
	if !ok {
		return
	}
	where := ""
	if s.is("sku_name", "AZFW_Hub") {
		where = "hub-"
	}
	s.charge("Firewall", strings.TrimSuffix(where, "-")+" "+sku, "network", "firewall-"+where+strings.ToLower(sku), one())
	s.meters(meter{key: "monthly_data_processed_gb", name: "Data processed", service: "network", sku: "firewall-data"})
}

func azureNetworkGateway(s *side) {
	sku, ok := s.need(s.view, "sku")
	if !ok {
		return
	}
	if s.is("type", "ExpressRoute") {
		s.charge("ExpressRoute gateway", sku, "network", "expressroute-gateway-"+strings.ToLower(sku), one())
		return
	}
	s.charge("VPN gateway", sku, "network", "vpn-gateway-"+strings.ToLower(sku), one())
	if n, ok := s.amount("p2s_connection"); ok {
		s.used(meter{name: "Tunnels of people, beyond 128", service: "network", hourly: true, tiers: []tier{{"128", ""}, {"", "vpn-gateway-p2s"}}}, n)
	}
	s.byUse("tunnels beyond those included, data transfer")
}

func azureLB(s *side) {
	switch {
	case s.is("sku", "Basic"):
		return // free
	case s.is("sku", "Gateway"):
		s.charge("Load balancer", "gateway", "network", "lb-gateway", one())
		return
	}
	s.charge("Load balancer", "standard, first five rules", "network", "lb-standard", one())
	s.meters(meter{key: "monthly_data_processed_gb", name: "Data processed", service: "network", sku: "lb-data"})
}

func azureFrontDoor(s *side) {
	sku, ok := s.need(s.view, "sku_name")
	if !ok {
		return
	}
	s.inRegion("global", func() { s.charge("Front Door profile", sku, "frontdoor", strings.ToLower(sku), one()) })
	s.byUse("requests and data transfer")
}

func azureAPIManagement(s *side) {
	sku, ok := s.need(s.view, "sku_name")
	if !ok {
		return
	}
	level, units, _ := strings.Cut(strings.ToLower(sku), "_")
	if level == "consumption" {
		s.meters(meter{key: "monthly_api_calls", name: "Calls", service: "api-management", tiers: []tier{{"1000000", ""}, {"", "calls"}}})
		return
	}
	n, ok := usageNumber(units)
	if !ok {
		s.notKnown("sku_name")
		return
	}
	s.charge("Units", level, "api-management", level, n)
	if q, ok := s.amount("self_hosted_gateway_count"); ok {
		s.used(meter{name: "Self-hosted gateways", service: "api-management", sku: "self-hosted-gateway"}, q)
	}
}

func azureDiskOperations(s *side, letter string) {
	key := "monthly_disk_operations"
	if s.ch.Type != "azurerm_managed_disk" {
		key = "os_disk." + key
	}
	s.meters(meter{key: key, name: "Disk operations", service: "disk", sku: "operations-" + letter})
}

// azureProvisionedDisk bills disks whose size and speed are paid for apart.
func (s *side) azureProvisionedDisk(v view, name, typ string, size, n decimal.Decimal) {
	kind := "ultra"
	freeIOPS, freeThroughput := decimal.Zero, decimal.Zero
	if strings.EqualFold(typ, "PremiumV2_LRS") {
		kind, freeIOPS, freeThroughput = "premiumv2", whole(3000), whole(125)
	}
	s.charge(name, typ+", "+size.String()+" GB", "disk", kind+"-storage", n.Mul(size))
	for _, part := range []struct {
		key, name, sku string
		free           decimal.Decimal
	}{{"disk_iops_read_write", "IOPS", "-iops", freeIOPS}, {"disk_mbps_read_write", "throughput", "-throughput", freeThroughput}} {
		q, st := v.num(part.key)
		if st != known {
			if s.x.configured(s, part.key) || kind == "ultra" {
				s.notKnown(part.key)
			}
			continue
		}
		if q = q.Sub(part.free); q.IsPositive() {
			s.charge(name+" "+part.name, typ, "disk", kind+part.sku, n.Mul(q))
		}
	}
}

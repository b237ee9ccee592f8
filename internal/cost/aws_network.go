package cost

import (
	"strings"

	"github.com/shopspring/decimal"
)

// capacityUnits are how many connections and so on one unit of a load
// balancer's capacity covers; the largest share counts.
var capacityUnits = map[string]map[string]int{
	"application": {"new_connections": 25, "active_connections": 3000, "processed_bytes_gb": 1, "rule_evaluations": 1000},
	"network":     {"new_connections": 800, "active_connections": 100000, "processed_bytes_gb": 1},
	"gateway":     {"new_connections": 600, "active_connections": 60000, "processed_bytes_gb": 1},
}

func (s *side) loadBalancerUnits(typ string) {
	most, some := decimal.Zero, false
	for key, each := range capacityUnits[typ] {
		if n, ok := s.amount(key); ok {
			some = true
			most = decimal.Max(most, n.Div(whole(each)))
		}
	}
	if !some {
		s.byUse("load balancer capacity units")
		return
	}
	s.used(meter{name: "Capacity units", service: "elb", sku: "lcu-" + typ, hourly: true}, most)
}

func awsDXConnection(s *side) {
	if speed, ok := s.need(s.view, "bandwidth"); ok {
		s.charge("Port", speed, "directconnect", "port-"+strings.ToLower(speed), one())
	}
	s.meters(meter{key: "monthly_outbound_region_to_dx_location_gb", name: "Data out", service: "directconnect", sku: "data-out"})
}

func awsResolverEndpoint(s *side) {
	n, st := s.length("ip_address")
	if st == unknown {
		s.notKnown("ip_address")
	} else {
		s.charge("Endpoint", "each address", "route53", "resolver-endpoint", whole(n))
	}
	s.meters(meter{key: "monthly_queries", name: "Queries", service: "route53", tiers: []tier{{"1000000000", "resolver-queries"}, {"", "resolver-queries-2"}}})
}

func awsGlobalAccelerator(s *side) {
	s.charge("Accelerator", "", "globalaccelerator", "accelerator", one())
	s.byUse("data transfer")
}

func awsDirectory(s *side) {
	typ, st := s.str("type")
	if st != known {
		typ = "SimpleAD"
	}
	if typ != "MicrosoftAD" {
		size, _ := s.str("size")
		s.charge("Directory", typ+" "+size, "directory", strings.ToLower(typ+"/"+size), one())
		return
	}
	edition, st := s.str("edition")
	if st != known {
		edition = "Enterprise" // the provider's default
		s.assume("the Enterprise edition")
	}
	n, st := s.num("desired_number_of_domain_controllers")
	if st != known {
		n = whole(2)
		s.assume("two domain controllers")
	}
	if more, ok := s.amount("additional_domain_controllers"); ok {
		n = n.Add(more)
	}
	s.charge("Domain controllers", typ+" "+edition, "directory", strings.ToLower(typ+"/"+edition), n)
}

func awsPrivateCA(s *side) {
	sku, cert := "authority", []tier{{"1000", "certificate"}, {"10000", "certificate-2"}, {"", "certificate-3"}}
	if s.is("usage_mode", "SHORT_LIVED_CERTIFICATE") {
		sku, cert = "authority-short-lived", []tier{{"", "certificate-short-lived"}}
	}
	s.charge("Certificate authority", strings.TrimPrefix(sku, "authority-"), "acm-pca", sku, one())
	s.meters(meter{key: "monthly_requests", name: "Certificates", service: "acm-pca", tiers: cert})
}

func awsHealthCheck(s *side) {
	if s.is("type", "CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL") {
		s.charge("Health check", "of others", "route53", "health-check-calculated", one())
		return
	}
	s.charge("Health check", "", "route53", "health-check", one())
}

# METADATA
# scope: package
# title: Open to the internet (Google Cloud)
# description: Denies firewall rules, those of policies too, that let every address reach a port other than 80 and 443.
# custom:
#   severity: high
#   level: mandatory
#   controls:
#     cis_gcp_3.0: ["3.6", "3.7"]
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   why: >-
#     The whole internet is scanned without pause: an open SSH, RDP or database port is found
#     within minutes and attacked from then on.
#   mend: >-
#     Name the addresses, tags or service accounts that need access, or reach the machine through
#     Identity-Aware Proxy (35.235.240.0/20), a VPN or a load balancer on port 443.
#   examples:
#     bad:
#       hcl: |
#         resource "google_compute_firewall" "ssh" {
#           name          = "ssh"
#           network       = "default"
#           source_ranges = ["0.0.0.0/0"]
#           allow {
#             protocol = "tcp"
#             ports    = ["22"]
#           }
#         }
#     good:
#       hcl: |
#         resource "google_compute_firewall" "ssh" {
#           name          = "ssh"
#           network       = "default"
#           source_ranges = ["35.235.240.0/20"]
#           allow {
#             protocol = "tcp"
#             ports    = ["22"]
#           }
#         }
package tidelock.security.google.public_ingress

import data.tidelock.google
import data.tidelock.network
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some [rc, allow] in closed
	some source in sources(rc)
	network.public(source)
	message := sprintf("%s may reach %s.", [source, shown(allow)])
}

# Sources that the provider works out (none are set, but tags or service
# accounts are) are not known either, and are no worry.
deny contains {"address": rc.address, "msg": message, "level": "advisory"} if {
	some [rc, allow] in closed
	sources_unknown(rc)
	not limited(rc)
	message := sprintf("Who may reach %s is known only after the apply: make sure that it is not the whole internet.", [shown(allow)])
}

# closed: each block that allows ports which must not face the internet, with its
# rule.
closed := [[rc, allow] |
	some [rc, allow] in array.concat(classic, policies)
	object.get(rc.change.after, "disabled", false) != true
	not open(allow)
]

# Google takes a rule without a direction for an ingress rule.
classic := [[rc, allow] |
	some rc in plan.made.google_compute_firewall
	upper(plan.text(rc.change.after, "direction", "INGRESS")) == "INGRESS"
	some allow in plan.list(rc.change.after, "allow")
]

# Rules of firewall policies say the same in other words.
policies := [[rc, {"protocol": block.ip_protocol, "ports": plan.list(block, "ports")}] |
	some rc in google.of({
		"google_compute_firewall_policy_rule",
		"google_compute_network_firewall_policy_rule",
		"google_compute_region_network_firewall_policy_rule",
	})
	rc.change.after.direction == "INGRESS"
	rc.change.after.action == "allow"
	some block in google.blocks(rc, ["match", 0, "layer4_configs"])
]

sources(rc) := {source |
	some source in array.concat(plan.list(rc.change.after, "source_ranges"), google.blocks(rc, ["match", 0, "src_ip_ranges"]))
	is_string(source)
}

sources_unknown(rc) if plan.masked(plan.unknown(rc), "source_ranges")

sources_unknown(rc) if plan.masked(plan.unknown(rc).match[0], "src_ip_ranges")

limited(rc) if {
	some key in {"source_tags", "source_service_accounts"}
	count(plan.list(rc.change.after, key)) > 0
}

open(allow) if {
	network.bearing(allow.protocol)
	ports := plan.list(allow, "ports")
	count(ports) > 0
	every port in ports {
		network.open_to_all(network.parse(port))
	}
}

shown(allow) := "every port" if {
	lower(plan.text(allow, "protocol", "all")) == "all"
} else := sprintf("%s port %s", [allow.protocol, concat(", ", texts)]) if {
	network.bearing(allow.protocol)
	texts := [port | some port in plan.list(allow, "ports"); is_string(port)]
	count(texts) > 0
} else := sprintf("every %s port", [allow.protocol]) if {
	network.bearing(allow.protocol)
} else := sprintf("protocol %s", [allow.protocol])

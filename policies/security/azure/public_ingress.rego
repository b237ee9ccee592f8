# METADATA
# scope: package
# title: Open to the internet (Azure)
# description: Denies network security rules that let every address reach a port other than 80 and 443.
# custom:
#   severity: high
#   level: mandatory
#   why: >-
#     The whole internet is scanned without pause: an open SSH, RDP or database port is found
#     within minutes and attacked from then on.
#   mend: >-
#     Name the addresses, service tags or application security groups that need access, or reach
#     the machine through Bastion, a VPN or a gateway on port 443.
#   controls:
#     cis_azure_3.0: ["7.1", "7.2", "7.3"]
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_network_security_rule" "rdp" {
#           direction              = "Inbound"
#           access                 = "Allow"
#           protocol               = "Tcp"
#           source_address_prefix  = "Internet"
#           destination_port_range = "3389"
#         }
#     good:
#       hcl: |
#         resource "azurerm_network_security_rule" "rdp" {
#           direction              = "Inbound"
#           access                 = "Allow"
#           protocol               = "Tcp"
#           source_address_prefix  = "198.51.100.0/24"
#           destination_port_range = "3389"
#         }
package tidelock.security.azure.public_ingress

import data.tidelock.network
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some [rc, raw, _] in closed
	some source in sources(raw)
	network.public(source)
	message := sprintf("%s may reach %s%s.", [source, shown(raw), named(rc, raw)])
}

deny contains {"address": rc.address, "msg": message, "level": "advisory"} if {
	some [rc, raw, mask] in closed
	some key in {"source_address_prefix", "source_address_prefixes"}
	plan.masked(mask, key)
	message := sprintf("Who may reach %s%s is known only after the apply: make sure that it is not the whole internet.", [shown(raw), named(rc, raw)])
}

# closed: each rule that lets something in on ports that must not face the
# internet. A direction or access that is not known yet may be the worse one.
closed := [[rc, raw, mask] |
	some [rc, raw, mask] in raws
	lower(plan.text(raw, "direction", "Inbound")) == "inbound"
	lower(plan.text(raw, "access", "Allow")) == "allow"
	not allowed(raw)
]

raws := array.concat(inline, single)

single := [[rc, rc.change.after, plan.unknown(rc)] |
	some rc in plan.made.azurerm_network_security_rule
]

inline := [[rc, raw, mask] |
	some rc in plan.made.azurerm_network_security_group
	some i, raw in plan.list(rc.change.after, "security_rule")
	mask := inline_mask(rc, i)
]

default inline_mask(_, _) := {}

inline_mask(rc, i) := plan.unknown(rc).security_rule[i]

sources(raw) := {raw.source_address_prefix |
	is_string(raw.source_address_prefix)
} | {source |
	some source in plan.list(raw, "source_address_prefixes")
	is_string(source)
}

ports(raw) := array.concat(
	[raw.destination_port_range | is_string(raw.destination_port_range)],
	plan.list(raw, "destination_port_ranges"),
)

allowed(raw) if {
	count(ports(raw)) > 0
	every port in ports(raw) {
		network.open_to_all(network.parse(port))
	}
}

shown(raw) := "a port that is not known yet" if {
	count([port | some port in ports(raw); is_string(port)]) == 0
} else := "every port" if {
	"*" in ports(raw)
} else := sprintf("%s port %s", [lower(plan.text(raw, "protocol", "any")), concat(", ", [port | some port in ports(raw); is_string(port)])])

# named tells which rule inside a group is meant.
named(rc, raw) := sprintf(" (rule %s)", [raw.name]) if {
	rc.type == "azurerm_network_security_group"
	is_string(raw.name)
} else := ""

# METADATA
# scope: package
# title: Open to the internet (AWS)
# description: Denies security group rules that let every address reach a port other than 80 and 443.
# custom:
#   severity: high
#   level: mandatory
#   why: >-
#     The whole internet is scanned without pause: an open SSH, RDP or database port is found
#     within minutes and attacked from then on.
#   mend: >-
#     Name the addresses or security groups that need access, or reach the machine through Session
#     Manager, a VPN or a load balancer on port 443.
#   controls:
#     cis_aws_3.0: ["5.2", "5.3"]
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_security_group_rule" "ssh" {
#           type        = "ingress"
#           protocol    = "tcp"
#           from_port   = 22
#           to_port     = 22
#           cidr_blocks = ["0.0.0.0/0"]
#         }
#     good:
#       hcl: |
#         resource "aws_security_group_rule" "ssh" {
#           type        = "ingress"
#           protocol    = "tcp"
#           from_port   = 22
#           to_port     = 22
#           cidr_blocks = ["198.51.100.0/24"]
#         }
package tidelock.security.aws.public_ingress

import data.tidelock.network
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some [rc, rule] in closed
	some source in rule.sources
	network.public(source)
	message := sprintf("%s may reach %s.", [source, rule.shown])
}

deny contains {"address": rc.address, "msg": message, "level": "advisory"} if {
	some [rc, rule] in closed
	rule.sources_unknown
	message := sprintf("Who may reach %s is known only after the apply: make sure that it is not the whole internet.", [rule.shown])
}

# closed: each ingress rule on ports that must not face the internet, with its
# resource.
closed := [[rc, rule] |
	some [rc, raw, mask] in raws
	rule := read(raw, mask)
	not rule.open
]

raws := array.concat(array.concat(inline, separate), single)

# Rules inside a group. Where they are not known as a whole, they are not set
# here: the group's rules are then resources of their own.
inline := [[rc, raw, mask] |
	some type in {"aws_security_group", "aws_default_security_group"}
	some rc in plan.made[type]
	some i, raw in plan.list(rc.change.after, "ingress")
	mask := inline_mask(rc, i)
]

default inline_mask(_, _) := {}

inline_mask(rc, i) := plan.unknown(rc).ingress[i]

separate := [[rc, rc.change.after, plan.unknown(rc)] |
	some rc in plan.made.aws_security_group_rule
	plan.text(rc.change.after, "type", "ingress") == "ingress"
]

single := [[rc, rc.change.after, plan.unknown(rc)] |
	some rc in plan.made.aws_vpc_security_group_ingress_rule
]

# read brings the three forms of a rule into one.
read(raw, mask) := {
	"sources": sources(raw),
	"sources_unknown": sources_unknown(mask),
	"open": allowed(protocol, ports),
	"shown": shown(protocol, ports),
} if {
	protocol := plan.text(raw, "protocol", plan.text(raw, "ip_protocol", "not known"))
	ports := {"from": object.get(raw, "from_port", null), "to": object.get(raw, "to_port", null)}
}

sources(raw) := {source |
	some key in {"cidr_blocks", "ipv6_cidr_blocks"}
	some source in plan.list(raw, key)
	is_string(source)
} | {source |
	some key in {"cidr_ipv4", "cidr_ipv6"}
	source := raw[key]
	is_string(source)
}

default sources_unknown(_) := false

sources_unknown(mask) if {
	some key in {"cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6"}
	plan.masked(mask, key)
}

default allowed(_, _) := false

allowed(protocol, ports) if {
	network.bearing(protocol)
	network.open_to_all(ports)
}

shown(protocol, ports) := sprintf("%s %s", [protocol, network.show(ports)]) if {
	network.bearing(protocol)
} else := "every port" if {
	protocol in {"-1", "all"}
} else := "a protocol that is not known yet" if {
	protocol == "not known"
} else := sprintf("protocol %s", [protocol])

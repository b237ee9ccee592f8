# METADATA
# scope: package
# title: Security group that may reach everything (AWS)
# description: Finds security groups whose machines may open connections to every address on every port.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     What breaks into a machine calls home and carries data off. Where only the needed ports are
#     open, much of that fails and is noticed.
#   mend: >-
#     Allow the ports that are needed, such as 443, or name the groups and prefix lists.
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_vpc_security_group_egress_rule" "all" {
#           security_group_id = "sg-0a1b2c3d"
#           ip_protocol       = "-1"
#           cidr_ipv4         = "0.0.0.0/0"
#         }
#     good:
#       hcl: |
#         resource "aws_vpc_security_group_egress_rule" "https" {
#           security_group_id = "sg-0a1b2c3d"
#           ip_protocol       = "tcp"
#           from_port         = 443
#           to_port           = 443
#           cidr_ipv4         = "0.0.0.0/0"
#         }
package tidelock.security.aws.open_egress

import data.tidelock.aws
import data.tidelock.network
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some [rc, rule] in array.concat(inline, separate)
	every_port(rule)
	some source in sources(rule)
	network.public(source)
	message := sprintf("Its machines may reach %s on every port.", [source])
}

every_port(rule) if {
	some key in {"protocol", "ip_protocol"}
	rule[key] in {"-1", "all"}
}

every_port(rule) if {
	rule.from_port <= 1
	rule.to_port >= 65535
}

sources(rule) := {source |
	some key in {"cidr_blocks", "ipv6_cidr_blocks"}
	some source in plan.list(rule, key)
	is_string(source)
} | {source |
	some key in {"cidr_ipv4", "cidr_ipv6"}
	source := rule[key]
	is_string(source)
}

inline := [[rc, rule] |
	some rc in aws.of({"aws_security_group"})
	some rule in aws.blocks(rc.change.after, "egress")
]

separate := [[rc, rc.change.after] |
	some rc in aws.of({"aws_vpc_security_group_egress_rule", "aws_security_group_rule"})
	plan.text(rc.change.after, "type", "egress") == "egress"
]

# METADATA
# scope: package
# title: Network ACL that opens administration ports (AWS)
# description: Finds network ACLs that let every address reach SSH or RDP.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     The network ACL is the second wall behind the security group. Open to all for SSH and RDP,
#     it holds nothing when a group is set wrongly.
#   mend: >-
#     Allow the ports that the subnet serves, and name the sources of ports 22 and 3389.
#   controls:
#     cis_aws_3.0: ["5.1"]
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_network_acl_rule" "in" {
#           network_acl_id = "acl-0a1b2c3d"
#           rule_number    = 100
#           protocol       = "tcp"
#           rule_action    = "allow"
#           cidr_block     = "0.0.0.0/0"
#           from_port      = 0
#           to_port        = 65535
#         }
#     good:
#       hcl: |
#         resource "aws_network_acl_rule" "in" {
#           network_acl_id = "acl-0a1b2c3d"
#           rule_number    = 100
#           protocol       = "tcp"
#           rule_action    = "allow"
#           cidr_block     = "0.0.0.0/0"
#           from_port      = 443
#           to_port        = 443
#         }
package tidelock.security.aws.network_acl_open

import data.tidelock.aws
import data.tidelock.network
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some [rc, rule] in array.concat(separate, inline)
	object.get(rule, "rule_action", object.get(rule, "action", "")) == "allow"
	some key in {"cidr_block", "ipv6_cidr_block"}
	source := plan.text(rule, key, "")
	network.public(source)
	some port in {22, 3389}
	reaches(rule, port)
	message := sprintf("%s may reach port %d.", [source, port])
}

reaches(rule, _) if rule.protocol in {"-1", "all"}

reaches(rule, port) if {
	lower(rule.protocol) in {"tcp", "6"}
	rule.from_port <= port
	rule.to_port >= port
}

separate := [[rc, rc.change.after] |
	some rc in aws.of({"aws_network_acl_rule"})
	not rc.change.after.egress == true
]

inline := [[rc, rule] |
	some rc in aws.of({"aws_network_acl", "aws_default_network_acl"})
	some rule in aws.blocks(rc.change.after, "ingress")
]

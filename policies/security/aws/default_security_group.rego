# METADATA
# scope: package
# title: Default security group that lets traffic through (AWS)
# description: Finds default security groups with rules.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Whatever is started without a group gets the default one. If that lets traffic through, it
#     does so for machines that nobody thought about.
#   mend: >-
#     Declare an aws_default_security_group without ingress and egress for each VPC, and give
#     machines groups of their own.
#   controls:
#     cis_aws_3.0: ["5.4"]
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_default_security_group" "main" {
#           vpc_id = "vpc-0a1b2c3d"
#           ingress {
#             protocol  = "-1"
#             from_port = 0
#             to_port   = 0
#             self      = true
#           }
#         }
#     good:
#       hcl: |
#         resource "aws_default_security_group" "main" {
#           vpc_id = "vpc-0a1b2c3d"
#         }
package tidelock.security.aws.default_security_group

import data.tidelock.aws
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_default_security_group"})
	some way in {"ingress", "egress"}
	rules := plan.list(rc.change.after, way)
	count(rules) > 0
	message := sprintf("The default group has %d rules of %s; it should have none.", [count(rules), way])
}

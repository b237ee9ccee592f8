# METADATA
# scope: package
# title: Default network is used (AWS)
# description: Finds default VPCs and subnets that the configuration takes over.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     In the default network every subnet is public and every machine gets a public address. It is
#     the same in each account, so that nothing can be joined later.
#   mend: >-
#     Make a VPC with private subnets, and leave the default one empty.
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_default_vpc" "default" {
#         }
#     good:
#       hcl: |
#         resource "aws_vpc" "main" {
#           cidr_block = "10.0.0.0/16"
#         }
package tidelock.security.aws.default_vpc

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "The default network of the account is used."} if {
	some rc in aws.of({"aws_default_vpc", "aws_default_subnet"})
	not rc.change.after.force_destroy == true
}

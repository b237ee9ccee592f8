# METADATA
# scope: package
# title: Network without flow logs (AWS)
# description: Finds VPCs that no flow log belongs to.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Flow logs tell which machine talked to which address. Without them the way of an intruder
#     through the network can't be followed.
#   mend: >-
#     Add an aws_flow_log with the vpc_id and traffic_type = "ALL" or "REJECT".
#   controls:
#     cis_aws_3.0: ["3.7"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15", "A.8.20"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_vpc" "main" {
#           cidr_block = "10.0.0.0/16"
#         }
#     good:
#       hcl: |
#         resource "aws_vpc" "main" {
#           cidr_block = "10.0.0.0/16"
#         }
#         resource "aws_flow_log" "main" {
#           vpc_id               = aws_vpc.main.id
#           traffic_type         = "ALL"
#           log_destination_type = "s3"
#           log_destination      = "arn:aws:s3:::acme-flow-logs"
#         }
package tidelock.security.aws.vpc_flow_logs

import data.tidelock.aws
import data.tidelock.references

deny contains {"address": rc.address, "msg": "No flow log belongs to this network."} if {
	some rc in aws.of({"aws_vpc"})
	not logged[rc.address]
}

logged := references.attached("aws_flow_log", "vpc_id", "aws_vpc")

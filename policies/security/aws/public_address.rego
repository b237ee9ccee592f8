# METADATA
# scope: package
# title: Machine with a public address (AWS)
# description: Finds instances, templates, tasks and subnets that give public IP addresses.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A machine with a public address is one mistake in a security group away from the whole
#     internet.
#   mend: >-
#     Put it in a private subnet behind a load balancer, and let it reach out through a NAT
#     gateway or VPC endpoints.
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_instance" "web" {
#           ami                         = "ami-0abcdef1234567890"
#           instance_type               = "t3.micro"
#           associate_public_ip_address = true
#         }
#     good:
#       hcl: |
#         resource "aws_instance" "web" {
#           ami                         = "ami-0abcdef1234567890"
#           instance_type               = "t3.micro"
#           associate_public_ip_address = false
#         }
package tidelock.security.aws.public_address

import data.tidelock.aws
import data.tidelock.plan

deny contains {"address": rc.address, "msg": "It gets a public IP address."} if {
	some rc in aws.of({"aws_instance", "aws_launch_configuration", "aws_spot_instance_request"})
	rc.change.after.associate_public_ip_address == true
}

deny contains {"address": rc.address, "msg": "It gets a public IP address."} if {
	some type in {"aws_launch_template": "associate_public_ip_address", "aws_ecs_service": "assign_public_ip"}
	some rc in plan.made[type_of(type)]
	some block in {"network_interfaces", "network_configuration"}
	some interface in aws.blocks(rc.change.after, block)
	aws.yes(interface[type])
}

type_of("associate_public_ip_address") := "aws_launch_template"

type_of("assign_public_ip") := "aws_ecs_service"

deny contains {"address": rc.address, "msg": "Whatever starts in this subnet gets a public IP address."} if {
	some rc in aws.of({"aws_subnet", "aws_default_subnet"})
	rc.change.after.map_public_ip_on_launch == true
}

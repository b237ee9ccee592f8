# METADATA
# scope: package
# title: Load balancer that passes broken headers on (AWS)
# description: Finds application load balancers that do not drop invalid headers, or that weaken the defence against request smuggling.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     A header that the load balancer and the server read differently lets one request hide in
#     another, past every check.
#   mend: >-
#     Set drop_invalid_header_fields = true, and leave desync_mitigation_mode at defensive or
#     strictest.
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_lb" "web" {
#           name               = "web"
#           load_balancer_type = "application"
#         }
#     good:
#       hcl: |
#         resource "aws_lb" "web" {
#           name                       = "web"
#           load_balancer_type         = "application"
#           drop_invalid_header_fields = true
#         }
package tidelock.security.aws.lb_headers

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "Invalid headers are passed on: drop_invalid_header_fields is not true."} if {
	some rc in aws.of({"aws_lb", "aws_alb"})
	aws.value(rc, ["load_balancer_type"], "application") == "application"
	aws.value(rc, ["drop_invalid_header_fields"], false) == false
}

deny contains {"address": rc.address, "msg": "Requests that may be smuggled are let through: desync_mitigation_mode is monitor."} if {
	some rc in aws.of({"aws_lb", "aws_alb", "aws_elb"})
	rc.change.after.desync_mitigation_mode == "monitor"
}

# METADATA
# scope: package
# title: Load balancer without access logs (AWS)
# description: Finds load balancers that write no access log.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     The access log tells who asked for what and what was answered: the first thing to look at
#     after an attack.
#   mend: >-
#     Add an access_logs block with a bucket and enabled = true.
#   controls:
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_lb" "web" {
#           name = "web"
#         }
#     good:
#       hcl: |
#         resource "aws_lb" "web" {
#           name = "web"
#           access_logs {
#             bucket  = "acme-logs"
#             enabled = true
#           }
#         }
package tidelock.security.aws.lb_logs

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "Requests are logged nowhere."} if {
	some rc in aws.of({"aws_lb", "aws_alb"})
	aws.value(rc, ["load_balancer_type"], "application") != "gateway"
	aws.value(rc, ["access_logs", 0, "enabled"], false) == false
}

deny contains {"address": rc.address, "msg": "Requests are logged nowhere."} if {
	some rc in aws.of({"aws_elb"})
	count(aws.blocks(rc.change.after, "access_logs")) == 0
}

# METADATA
# scope: package
# title: Load balancer that serves plain HTTP (AWS)
# description: Finds listeners that take HTTP without sending it on to HTTPS.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Passwords, cookies and data cross the network in plain text, and whoever is on the way may
#     change the pages.
#   mend: >-
#     Let the listener on port 80 redirect to HTTPS, and serve on port 443 with a certificate.
#   controls:
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.20", "A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_lb_listener" "http" {
#           load_balancer_arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/1"
#           port              = 80
#           protocol          = "HTTP"
#           default_action {
#             type             = "forward"
#             target_group_arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/1"
#           }
#         }
#     good:
#       hcl: |
#         resource "aws_lb_listener" "http" {
#           load_balancer_arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/1"
#           port              = 80
#           protocol          = "HTTP"
#           default_action {
#             type = "redirect"
#             redirect {
#               protocol    = "HTTPS"
#               port        = "443"
#               status_code = "HTTP_301"
#             }
#           }
#         }
package tidelock.security.aws.lb_http

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_lb_listener", "aws_alb_listener"})
	rc.change.after.protocol == "HTTP"
	some action in aws.blocks(rc.change.after, "default_action")
	not goes_on(action)
	message := sprintf("Plain HTTP is served: the action of the listener is %s.", [action.type])
}

goes_on(action) if {
	action.type == "redirect"
	object.get(action, ["redirect", 0, "protocol"], "#{protocol}") == "HTTPS"
}

# A refusal tells nothing.
goes_on(action) if action.type == "fixed-response"

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_elb"})
	some listener in aws.blocks(rc.change.after, "listener")
	lower(listener.lb_protocol) in {"http", "tcp"}
	listener.lb_port in {80, 8080}
	message := sprintf("Plain HTTP is served on port %d.", [listener.lb_port])
}

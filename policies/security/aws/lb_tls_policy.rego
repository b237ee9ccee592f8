# METADATA
# scope: package
# title: Load balancer that takes old TLS (AWS)
# description: Finds HTTPS and TLS listeners whose policy accepts TLS 1.0 or 1.1.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     TLS 1.0 and 1.1 have known weaknesses and are withdrawn. Without a policy, the listener
#     takes both.
#   mend: >-
#     Set ssl_policy = "ELBSecurityPolicy-TLS13-1-2-2021-06".
#   controls:
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_lb_listener" "https" {
#           load_balancer_arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/1"
#           port              = 443
#           protocol          = "HTTPS"
#           ssl_policy        = "ELBSecurityPolicy-2016-08"
#         }
#     good:
#       hcl: |
#         resource "aws_lb_listener" "https" {
#           load_balancer_arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/1"
#           port              = 443
#           protocol          = "HTTPS"
#           ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
#         }
package tidelock.security.aws.lb_tls_policy

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_lb_listener", "aws_alb_listener"})
	rc.change.after.protocol in {"HTTPS", "TLS"}
	policy := aws.chosen(rc, ["ssl_policy"], "ELBSecurityPolicy-2016-08")
	not modern(policy)
	message := sprintf("TLS 1.0 or 1.1 is accepted: ssl_policy is %s.", [policy])
}

# The names say the oldest version: …-TLS13-1-2-…, …-TLS-1-2-…, …-FS-1-2-….
modern(policy) if regex.match(`^ELBSecurityPolicy-(TLS13-1-[23]|TLS-1-2|FS-1-2)(-|$)`, policy)

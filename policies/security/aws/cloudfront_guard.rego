# METADATA
# scope: package
# title: CloudFront without logs or firewall (AWS)
# description: Finds distributions that write no access log, or that no web application firewall stands before.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Without a log nobody sees an attack, and without a firewall the plainest ones reach the
#     application.
#   mend: >-
#     Set web_acl_id, and a logging_config block or a log delivery for the distribution.
#   controls:
#     soc2: ["CC6.6", "CC7.2"]
#     iso27001_2022: ["A.8.15", "A.8.20"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_cloudfront_distribution" "site" {
#           enabled = true
#         }
#     good:
#       hcl: |
#         resource "aws_cloudfront_distribution" "site" {
#           enabled    = true
#           web_acl_id = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/site/1"
#           logging_config {
#             bucket = "acme-logs.s3.amazonaws.com"
#           }
#         }
package tidelock.security.aws.cloudfront_guard

import data.tidelock.aws
import data.tidelock.references

deny contains {"address": rc.address, "msg": "Requests are logged nowhere."} if {
	some rc in aws.of({"aws_cloudfront_distribution"})
	not aws.set(rc, ["logging_config"])
	not delivered[rc.address]
}

deny contains {"address": rc.address, "msg": "No web application firewall stands before it: web_acl_id is empty."} if {
	some rc in aws.of({"aws_cloudfront_distribution"})
	not aws.set(rc, ["web_acl_id"])
}

delivered := references.attached("aws_cloudwatch_log_delivery_source", "resource_arn", "aws_cloudfront_distribution")

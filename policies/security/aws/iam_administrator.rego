# METADATA
# scope: package
# title: Policy that allows everything (AWS)
# description: Denies IAM policies that allow every action on every resource.
# custom:
#   severity: critical
#   level: mandatory
#   why: >-
#     Whoever holds such a policy owns the account: a stolen key or a fault in one program is
#     enough to lose all of it.
#   mend: >-
#     Allow the actions that are needed, on the resources that are needed. IAM Access Analyzer
#     writes such a policy from what was used.
#   controls:
#     cis_aws_3.0: ["1.16"]
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.8.2"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_iam_policy" "deploy" {
#           name   = "deploy"
#           policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Allow", "Action": "*", "Resource": "*"
#             }]}
#           EOT
#         }
#     good:
#       hcl: |
#         resource "aws_iam_policy" "deploy" {
#           name   = "deploy"
#           policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::acme-deploy/*"
#             }]}
#           EOT
#         }
package tidelock.security.aws.iam_administrator

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some [rc, s] in aws.grants
	aws.everything(s)
	count(s.conditions) == 0
	message := sprintf("%s allows every action on every resource.", [aws.said(s)])
}

deny contains {"address": rc.address, "msg": message, "level": "advisory"} if {
	some [rc, s] in aws.grants
	aws.everything(s)
	count(s.conditions) > 0
	message := sprintf("%s allows every action on every resource, under conditions: make sure that they are narrow.", [aws.said(s)])
}

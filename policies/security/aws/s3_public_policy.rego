# METADATA
# scope: package
# title: Bucket open to everyone by its policy (AWS)
# description: Denies bucket policies that let everyone in without a condition that says from where.
# custom:
#   severity: critical
#   level: mandatory
#   why: >-
#     A policy with the principal * gives the bucket to the whole internet, whatever the ACL says.
#     Most leaks of data from S3 began with one.
#   mend: >-
#     Name the accounts or roles that need the bucket, or add a condition on aws:PrincipalOrgID,
#     aws:SourceVpce or aws:SourceArn. Serve public files through CloudFront with an origin access
#     control.
#   controls:
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.5.15", "A.8.3"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_s3_bucket_policy" "data" {
#           bucket = "acme-data"
#           policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-data/*"
#             }]}
#           EOT
#         }
#     good:
#       hcl: |
#         resource "aws_s3_bucket_policy" "data" {
#           bucket = "acme-data"
#           policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-data/*",
#               "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
#             }]}
#           EOT
#         }
package tidelock.security.aws.s3_public_policy

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_s3_bucket_policy", "aws_s3_bucket", "aws_s3_access_point", "aws_s3control_access_point_policy"})
	some s in aws.statements(rc, ["policy"])
	aws.for_anyone(s)
	message := sprintf("%s lets everyone in: %s.", [aws.said(s), aws.listed(s.actions | {sprintf("all but %s", [a]) | some a in s.not_actions})])
}

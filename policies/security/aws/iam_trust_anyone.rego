# METADATA
# scope: package
# title: Role that everyone may take (AWS)
# description: Denies roles whose trust policy lets every AWS account assume them.
# custom:
#   severity: critical
#   level: mandatory
#   why: >-
#     Anyone with an AWS account of their own may take the role and all its rights. Only its name
#     has to be guessed.
#   mend: >-
#     Name the accounts or roles that may take it, or add a condition on aws:PrincipalOrgID.
#   controls:
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.8.5"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_iam_role" "deploy" {
#           name               = "deploy"
#           assume_role_policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"
#             }]}
#           EOT
#         }
#     good:
#       hcl: |
#         resource "aws_iam_role" "deploy" {
#           name               = "deploy"
#           assume_role_policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/ci"}, "Action": "sts:AssumeRole"
#             }]}
#           EOT
#         }
package tidelock.security.aws.iam_trust_anyone

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some [rc, s] in aws.trusts
	aws.for_anyone(s)
	message := sprintf("%s lets every AWS account take the role.", [aws.said(s)])
}

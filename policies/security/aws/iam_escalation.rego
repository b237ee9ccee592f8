# METADATA
# scope: package
# title: Policy that lets its holder take more rights (AWS)
# description: Finds IAM policies whose actions on every resource let their holder become administrator.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     Who may change policies, trust or keys of others without limit gives themselves every right.
#     Such a policy is an administrator's by another name.
#   mend: >-
#     Name the users, roles or policies in Resource, or set a permissions boundary as a condition.
#   controls:
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.18", "A.8.2"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_iam_policy" "helpdesk" {
#           name   = "helpdesk"
#           policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Allow", "Action": ["iam:List*", "iam:CreateAccessKey"], "Resource": "*"
#             }]}
#           EOT
#         }
#     good:
#       hcl: |
#         resource "aws_iam_policy" "helpdesk" {
#           name   = "helpdesk"
#           policy = <<-EOT
#             {"Version": "2012-10-17", "Statement": [{
#               "Effect": "Allow", "Action": ["iam:List*", "iam:Get*"], "Resource": "*"
#             }]}
#           EOT
#         }
package tidelock.security.aws.iam_escalation

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some [rc, s] in aws.grants
	not aws.everything(s)
	aws.everywhere(s)
	count(s.conditions) == 0
	some pattern in s.actions
	startswith(pattern, "iam:")
	strong := {action | some action in escalating; aws.takes_in({pattern}, action)}
	count(strong) > 0
	message := sprintf("%s allows %s on every resource: %s.", [aws.said(s), pattern, aws.listed(strong)])
}

escalating := {
	"iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile",
	"iam:AttachUserPolicy", "iam:AttachGroupPolicy", "iam:AttachRolePolicy", "iam:PutUserPolicy", "iam:PutGroupPolicy", "iam:PutRolePolicy",
	"iam:AddUserToGroup", "iam:UpdateAssumeRolePolicy", "iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary",
}

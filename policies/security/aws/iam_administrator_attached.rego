# METADATA
# scope: package
# title: Administrator rights are attached (AWS)
# description: Finds roles, users and groups that are given one of AWS's own policies with full rights.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     AdministratorAccess and PowerUserAccess are policies for the few people who build an
#     account. On a program or a machine they turn any fault into the loss of the account.
#   mend: >-
#     Attach a policy with the actions that are needed. Where people need full rights, give them
#     by a permission set for a limited time.
#   controls:
#     cis_aws_3.0: ["1.16", "1.22"]
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.18", "A.8.2"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_iam_role_policy_attachment" "deploy" {
#           role       = "deploy"
#           policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
#         }
#     good:
#       hcl: |
#         resource "aws_iam_role_policy_attachment" "deploy" {
#           role       = "deploy"
#           policy_arn = "arn:aws:iam::aws:policy/AmazonECS_FullAccess"
#         }
package tidelock.security.aws.iam_administrator_attached

import data.tidelock.aws
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some [rc, arn] in attached
	some name in {"AdministratorAccess", "PowerUserAccess", "IAMFullAccess", "AWSCloudShellFullAccess"}
	regex.match(sprintf("^arn:aws[a-z-]*:iam::aws:policy/%s$", [name]), arn)
	message := sprintf("%s is attached.", [name])
}

attached := [[rc, arn] |
	some rc in aws.of({
		"aws_iam_role_policy_attachment", "aws_iam_user_policy_attachment", "aws_iam_group_policy_attachment",
		"aws_iam_policy_attachment", "aws_iam_role", "aws_ssoadmin_managed_policy_attachment",
		"aws_iam_role_policy_attachments_exclusive", "aws_iam_user_policy_attachments_exclusive", "aws_iam_group_policy_attachments_exclusive",
	})
	some arn in arns(rc.change.after)
]

arns(after) := {arn |
	some key in {"policy_arn", "managed_policy_arn"}
	arn := plan.text(after, key, "")
} | {arn |
	some key in {"managed_policy_arns", "policy_arns"}
	some arn in plan.list(after, key)
	is_string(arn)
}

# METADATA
# scope: package
# title: Rights that hang on one user (AWS)
# description: Finds policies that are attached to users and not to groups or roles.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Rights of single users are overlooked when someone changes teams or leaves. In groups and
#     roles they are seen and taken away together.
#   mend: >-
#     Attach the policy to a group or, better, let people take a role through IAM Identity Center.
#   controls:
#     cis_aws_3.0: ["1.15"]
#     soc2: ["CC6.2", "CC6.3"]
#     iso27001_2022: ["A.5.18"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_iam_user_policy_attachment" "ada" {
#           user       = "ada"
#           policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
#         }
#     good:
#       hcl: |
#         resource "aws_iam_group_policy_attachment" "readers" {
#           group      = "readers"
#           policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
#         }
package tidelock.security.aws.iam_user_policy

import data.tidelock.aws
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some [rc, user] in users
	message := sprintf("The policy is attached to the user %s.", [user])
}

users := array.concat(one, several)

one := [[rc, plan.text(rc.change.after, "user", "itself")] |
	some rc in aws.of({"aws_iam_user_policy", "aws_iam_user_policy_attachment"})
]

several := [[rc, user] |
	some rc in aws.of({"aws_iam_policy_attachment"})
	some user in plan.list(rc.change.after, "users")
]

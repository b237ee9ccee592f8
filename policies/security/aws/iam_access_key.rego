# METADATA
# scope: package
# title: Long-lived access key (AWS)
# description: Finds access keys and console passwords of IAM users that Terraform makes.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     An access key works from anywhere until someone takes it back, and its secret stands in the
#     state in plain text. Lost keys are the most common way into an account.
#   mend: >-
#     Give programs a role, and people IAM Identity Center. For a system outside AWS use IAM Roles
#     Anywhere or OIDC. If a key must be, set pgp_key and rotate it.
#   controls:
#     soc2: ["CC6.1", "CC6.2"]
#     iso27001_2022: ["A.5.17", "A.8.5"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_iam_access_key" "ci" {
#           user = "ci"
#         }
#     good:
#       hcl: |
#         resource "aws_iam_access_key" "ci" {
#           user   = "ci"
#           status = "Inactive"
#         }
package tidelock.security.aws.iam_access_key

import data.tidelock.aws
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_iam_access_key"})
	aws.value(rc, ["status"], "Active") == "Active"
	message := sprintf("The user %s gets an access key that never ends%s.", [plan.text(rc.change.after, "user", "of it"), secret(rc)])
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_iam_user_login_profile"})
	message := sprintf("The user %s gets a password for the console%s.", [plan.text(rc.change.after, "user", "of it"), secret(rc)])
}

secret(rc) := "" if aws.set(rc, ["pgp_key"])

else := ", and the state holds it in plain text"

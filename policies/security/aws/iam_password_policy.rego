# METADATA
# scope: package
# title: Weak rules for passwords (AWS)
# description: Finds account password policies that allow short passwords or the same one again.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Short passwords, and ones that were used before, are guessed or found in lists of stolen
#     ones.
#   mend: >-
#     Set minimum_password_length to 14 or more and password_reuse_prevention to 24.
#   controls:
#     cis_aws_3.0: ["1.8", "1.9"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_iam_account_password_policy" "this" {
#           minimum_password_length = 8
#         }
#     good:
#       hcl: |
#         resource "aws_iam_account_password_policy" "this" {
#           minimum_password_length   = 14
#           password_reuse_prevention = 24
#         }
package tidelock.security.aws.iam_password_policy

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_iam_account_password_policy"})
	length := aws.value(rc, ["minimum_password_length"], 6)
	length < 14
	message := sprintf("Passwords of %d characters are allowed; fewer than 14 are too few.", [length])
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_iam_account_password_policy"})
	kept := aws.chosen(rc, ["password_reuse_prevention"], 0)
	kept < 24
	message := sprintf("A password may be used again after %d others; 24 are kept at best.", [kept])
}

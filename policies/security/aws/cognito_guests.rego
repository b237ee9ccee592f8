# METADATA
# scope: package
# title: Sign-in that is open or weak (AWS)
# description: Finds identity pools that give credentials to guests, and user pools without a second factor.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A guest gets AWS credentials without any sign-in, and a password alone is guessed or stolen.
#   mend: >-
#     Set allow_unauthenticated_identities = false, and mfa_configuration to OPTIONAL or ON.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17", "A.8.5"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_cognito_identity_pool" "shop" {
#           identity_pool_name               = "shop"
#           allow_unauthenticated_identities = true
#         }
#     good:
#       hcl: |
#         resource "aws_cognito_identity_pool" "shop" {
#           identity_pool_name               = "shop"
#           allow_unauthenticated_identities = false
#         }
package tidelock.security.aws.cognito_guests

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "Guests get AWS credentials: allow_unauthenticated_identities is true."} if {
	some rc in aws.of({"aws_cognito_identity_pool"})
	rc.change.after.allow_unauthenticated_identities == true
}

deny contains {"address": rc.address, "msg": "Nobody can use a second factor: mfa_configuration is OFF."} if {
	some rc in aws.of({"aws_cognito_user_pool"})
	aws.value(rc, ["mfa_configuration"], "OFF") == "OFF"
}

# METADATA
# scope: package
# title: Secret in a plain parameter (AWS)
# description: Finds SSM parameters whose name says that they hold a secret, and that are stored as plain text.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     Whoever may list parameters reads it, and it stands in the history for good.
#   mend: >-
#     Set type = "SecureString", with key_id for a key of its own.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17", "A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_ssm_parameter" "db" {
#           name  = "/shop/db/password"
#           type  = "String"
#           value = "correct-horse"
#         }
#     good:
#       hcl: |
#         resource "aws_ssm_parameter" "db" {
#           name  = "/shop/db/password"
#           type  = "SecureString"
#           value = "correct-horse"
#         }
package tidelock.security.aws.ssm_plain_parameter

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_ssm_parameter"})
	rc.change.after.type in {"String", "StringList"}
	name := rc.change.after.name
	regex.match(`(?i)(^|[/_.-])(password|passwd|passphrase|secret|token|api[_-]?key|private[_-]?key|secret[_-]?key|credentials)$`, name)
	message := sprintf("%s is stored as plain text: type is %s.", [name, rc.change.after.type])
}

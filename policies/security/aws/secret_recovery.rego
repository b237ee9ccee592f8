# METADATA
# scope: package
# title: Secret or key that is gone at once (AWS)
# description: Finds secrets and keys that a deletion takes away without days to think again.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     A deleted secret breaks what uses it, and what a deleted key encrypted is lost for ever.
#     Some days leave time to notice.
#   mend: >-
#     Leave recovery_window_in_days at 30, and set deletion_window_in_days to 30.
#   controls:
#     soc2: ["A1.2", "CC6.1"]
#     iso27001_2022: ["A.8.10", "A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_secretsmanager_secret" "db" {
#           name                    = "db"
#           recovery_window_in_days = 0
#         }
#     good:
#       hcl: |
#         resource "aws_secretsmanager_secret" "db" {
#           name                    = "db"
#           recovery_window_in_days = 30
#         }
package tidelock.security.aws.secret_recovery

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "Deleted, the secret is gone at once: recovery_window_in_days is 0."} if {
	some rc in aws.of({"aws_secretsmanager_secret"})
	rc.change.after.recovery_window_in_days == 0
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key"})
	days := aws.value(rc, ["deletion_window_in_days"], 30)
	days < 14
	message := sprintf("Deleted, the key is gone after %d days.", [days])
}

# METADATA
# scope: package
# title: Database that one call deletes (AWS)
# description: Finds databases without deletion protection, or that leave no last snapshot behind.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A wrong plan, a lost state or a stolen key deletes an unprotected database with one call,
#     its automatic backups with it.
#   mend: >-
#     Set deletion_protection = true and skip_final_snapshot = false.
#   controls:
#     soc2: ["A1.2", "CC6.1"]
#     iso27001_2022: ["A.8.10", "A.8.13"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier          = "orders"
#           skip_final_snapshot = true
#         }
#     good:
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier                = "orders"
#           deletion_protection       = true
#           skip_final_snapshot       = false
#           final_snapshot_identifier = "orders-last"
#         }
package tidelock.security.aws.database_deletion

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "One call deletes it: deletion_protection is not true."} if {
	some rc in aws.databases
	aws.value(rc, ["deletion_protection"], false) == false
}

deny contains {"address": rc.address, "msg": "One call deletes it: deletion_protection_enabled is not true."} if {
	some rc in aws.of({"aws_dynamodb_table"})
	aws.value(rc, ["deletion_protection_enabled"], false) == false
}

deny contains {"address": rc.address, "msg": "Deleted, it leaves no snapshot: skip_final_snapshot is true."} if {
	some rc in array.concat(aws.databases, aws.of({"aws_redshift_cluster"}))
	not aws.set(rc, ["replicate_source_db"])
	rc.change.after.skip_final_snapshot == true
}

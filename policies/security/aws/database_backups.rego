# METADATA
# scope: package
# title: Database without backups (AWS)
# description: Finds databases whose backups are off or kept for less than a week.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A mistake in the data is often seen only days later. What is not in a backup by then is
#     lost.
#   mend: >-
#     Set backup_retention_period to 7 or more (point_in_time_recovery for DynamoDB,
#     snapshot_retention_limit for ElastiCache).
#   controls:
#     soc2: ["A1.2"]
#     iso27001_2022: ["A.8.13"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier              = "orders"
#           backup_retention_period = 0
#         }
#     good:
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier              = "orders"
#           backup_retention_period = 14
#         }
package tidelock.security.aws.database_backups

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.databases
	not aws.set(rc, ["replicate_source_db"])
	days := aws.chosen(rc, ["backup_retention_period"], least(rc.type))
	days < 7
	message := sprintf("Backups are kept for %d days; fewer than 7 are too few.", [days])
}

least("aws_db_instance") := 0

least(type) := 1 if type != "aws_db_instance"

deny contains {"address": rc.address, "msg": "The table can't be restored to a point in time."} if {
	some rc in aws.of({"aws_dynamodb_table"})
	aws.chosen(rc, ["point_in_time_recovery", 0, "enabled"], false) == false
}

deny contains {"address": rc.address, "msg": "No snapshots are kept."} if {
	some rc in aws.of({"aws_elasticache_replication_group"})
	aws.chosen(rc, ["snapshot_retention_limit"], 0) == 0
}

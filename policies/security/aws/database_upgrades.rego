# METADATA
# scope: package
# title: Database that skips small upgrades (AWS)
# description: Finds databases that do not take minor versions by themselves.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Minor versions mend security faults of the database server. Where they are off, nobody
#     notices that one is missing.
#   mend: >-
#     Set auto_minor_version_upgrade = true and a maintenance window.
#   controls:
#     cis_aws_3.0: ["2.3.2"]
#     soc2: ["CC7.1"]
#     iso27001_2022: ["A.8.8"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier                 = "orders"
#           auto_minor_version_upgrade = false
#         }
#     good:
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier                 = "orders"
#           auto_minor_version_upgrade = true
#         }
package tidelock.security.aws.database_upgrades

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "Minor versions are not taken: auto_minor_version_upgrade is false."} if {
	some rc in aws.of({
		"aws_db_instance", "aws_rds_cluster_instance", "aws_docdb_cluster_instance", "aws_neptune_cluster_instance",
		"aws_elasticache_cluster", "aws_elasticache_replication_group", "aws_mq_broker", "aws_dms_replication_instance",
	})
	object.get(rc.change.after, "auto_minor_version_upgrade", true) in {false, "false"}
}

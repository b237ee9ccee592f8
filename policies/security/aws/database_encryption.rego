# METADATA
# scope: package
# title: Database without encryption (AWS)
# description: Finds RDS, Aurora, DocumentDB, Neptune, Redshift and DAX stores that are not encrypted.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     Snapshots and backups of an unencrypted database are readable for whoever gets one, and the
#     database can't be encrypted later without making it anew.
#   mend: >-
#     Set storage_encrypted = true (encrypted = true for Redshift, a server_side_encryption block
#     for DAX).
#   controls:
#     cis_aws_3.0: ["2.3.1"]
#     soc2: ["CC6.1", "CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier = "orders"
#         }
#     good:
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier        = "orders"
#           storage_encrypted = true
#         }
package tidelock.security.aws.database_encryption

import data.tidelock.aws
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some type, [path, otherwise] in stores
	some rc in plan.made[type]
	not given_elsewhere(rc)
	not aws.yes(aws.chosen(rc, path, otherwise))
	message := sprintf("The storage is not encrypted: %s is not true.", [path[count(path) - 1]])
}

stores := {
	"aws_db_instance": [["storage_encrypted"], false],
	"aws_rds_cluster": [["storage_encrypted"], false],
	"aws_rds_global_cluster": [["storage_encrypted"], false],
	"aws_docdb_cluster": [["storage_encrypted"], false],
	"aws_docdb_global_cluster": [["storage_encrypted"], false],
	"aws_neptune_cluster": [["storage_encrypted"], false],
	"aws_neptune_global_cluster": [["storage_encrypted"], false],
	"aws_dax_cluster": [["server_side_encryption", 0, "enabled"], false],
	# Since version 6 of the provider a cluster is encrypted if nothing is said.
	"aws_redshift_cluster": [["encrypted"], true],
}

# A replica, a restored one and a member of a global cluster are encrypted as
# what they come from is; serverless Aurora always is.
given_elsewhere(rc) if {
	some argument in {"replicate_source_db", "snapshot_identifier", "replication_source_identifier", "global_cluster_identifier", "source_db_cluster_identifier", "restore_to_point_in_time"}
	aws.set(rc, [argument])
	not rc.change.after.storage_encrypted == false
}

given_elsewhere(rc) if rc.change.after.engine_mode == "serverless"

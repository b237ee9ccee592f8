# METADATA
# scope: package
# title: Cache without encryption (AWS)
# description: Finds ElastiCache and MemoryDB stores without encryption at rest or in transit.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Sessions and tokens lie in caches. Without TLS they cross the network in plain text, and
#     without encryption at rest they stand so in snapshots.
#   mend: >-
#     Set at_rest_encryption_enabled and transit_encryption_enabled to true. Both need a new
#     store.
#   controls:
#     soc2: ["CC6.1", "CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_elasticache_replication_group" "sessions" {
#           replication_group_id = "sessions"
#         }
#     good:
#       hcl: |
#         resource "aws_elasticache_replication_group" "sessions" {
#           replication_group_id       = "sessions"
#           at_rest_encryption_enabled = true
#           transit_encryption_enabled = true
#         }
package tidelock.security.aws.cache_encryption

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_elasticache_replication_group"})
	not aws.set(rc, ["global_replication_group_id"])
	some argument in {"at_rest_encryption_enabled", "transit_encryption_enabled"}
	not aws.yes(aws.chosen(rc, [argument], false))
	message := sprintf("%s is not true.", [argument])
}

deny contains {"address": rc.address, "msg": "tls_enabled is false."} if {
	some rc in aws.of({"aws_memorydb_cluster"})
	rc.change.after.tls_enabled == false
}

deny contains {"address": rc.address, "msg": "transit_encryption_mode is preferred, so connections without TLS are taken."} if {
	some rc in aws.of({"aws_elasticache_replication_group"})
	rc.change.after.transit_encryption_mode == "preferred"
}

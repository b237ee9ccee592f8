# METADATA
# scope: package
# title: Database without backups (Google Cloud)
# description: >-
#   Finds database instances whose backups are off, or that can't go back to a moment in time.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["6.7"]
#     soc2: ["A1.2"]
#     iso27001_2022: ["A.8.13"]
#   why: >-
#     A wrong migration or a dropped table is found minutes later. A backup of last night loses the
#     day; a log of changes loses nothing.
#   mend: >-
#     Set backup_configuration { enabled = true } with point_in_time_recovery_enabled (PostgreSQL,
#     SQL Server) or binary_log_enabled (MySQL), and try a restore.
#   examples:
#     bad:
#       hcl: |
#         resource "google_sql_database_instance" "orders" {
#           name             = "orders"
#           database_version = "POSTGRES_16"
#           settings {
#             tier = "db-custom-2-7680"
#           }
#         }
#     good:
#       hcl: |
#         resource "google_sql_database_instance" "orders" {
#           name             = "orders"
#           database_version = "POSTGRES_16"
#           settings {
#             tier = "db-custom-2-7680"
#             backup_configuration {
#               enabled                        = true
#               point_in_time_recovery_enabled = true
#             }
#           }
#         }
package tidelock.security.google.database_backups

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": "No backups are made: backup_configuration does not set enabled = true."} if {
	some rc in primaries
	google.value(rc, ["settings", 0, "backup_configuration", 0, "enabled"], false) == false
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in primaries
	google.value(rc, ["settings", 0, "backup_configuration", 0, "enabled"], false) == true
	key := recovery(plan.text(rc.change.after, "database_version", ""))
	google.value(rc, ["settings", 0, "backup_configuration", 0, key], false) == false
	message := sprintf("This database can only go back to its last backup: %s is not true.", [key])
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.of({"google_alloydb_cluster"})
	some key in ["automated_backup_policy", "continuous_backup_config"]
	google.value(rc, [key, 0, "enabled"], true) == false

	# A cluster that follows another in a second region must have them off.
	google.value(rc, ["cluster_type"], "PRIMARY") == "PRIMARY"
	message := sprintf("Backups are switched off: %s sets enabled = false.", [key])
}

# A replica is made again from its primary, and a copy of another instance takes
# its settings over.
primaries := [rc |
	some rc in google.of({"google_sql_database_instance"})
	google.given(rc, ["settings"])
	not google.given(rc, ["master_instance_name"])
]

recovery(version) := "binary_log_enabled" if {
	startswith(version, "MYSQL")
} else := "point_in_time_recovery_enabled"

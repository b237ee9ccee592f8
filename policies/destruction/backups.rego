# METADATA
# scope: package
# title: Backups are shortened
# description: Finds resources whose backups are kept for a shorter time, or whose backups or versions are switched off.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     A backup is missed on the day it is needed, and only then. Shortening how long they are kept
#     deletes the older ones at once.
#   mend: >-
#     Keep the time that was there. If fewer backups are meant, note in the pull request who agreed
#     to it.
#   controls:
#     soc2: ["A1.2"]
#     iso27001_2022: ["A.8.13"]
#   examples:
#     bad:
#       before: |
#         resource "aws_db_instance" "orders" {
#           identifier              = "orders"
#           backup_retention_period = 30
#         }
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier              = "orders"
#           backup_retention_period = 1
#         }
#     good:
#       before: |
#         resource "aws_db_instance" "orders" {
#           identifier              = "orders"
#           backup_retention_period = 7
#         }
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier              = "orders"
#           backup_retention_period = 30
#         }
package tidelock.destruction.backups

import data.tidelock.plan

# How long, as a number of days or copies.
deny contains {"address": rc.address, "msg": message} if {
	some rcs in plan.made
	some rc in rcs
	rc.change.before
	some name in times
	was := rc.change.before[name]
	is_number(was)
	will := number(object.get(rc.change.after, name, 0))
	not plan.masked(plan.unknown(rc), name)
	will < was
	message := sprintf("%s would fall from %v to %v.", [name, was, will])
}

deny contains {"address": rc.address, "msg": message} if {
	some type, paths in nested_times
	some rc in plan.made[type]
	some path in paths
	was := object.get(rc.change.before, path, 0)
	will := object.get(rc.change.after, path, 0)
	is_number(will)
	will < was
	message := sprintf("%s would fall from %v to %v.", [last(path), was, will])
}

# Whether at all.
deny contains {"address": rc.address, "msg": message} if {
	some type, path in switches
	some rc in plan.made[type]
	object.get(rc.change.before, path, null) in {true, "Enabled"}
	will := object.get(rc.change.after, path, false)
	will in {false, null, "Suspended", "Disabled"}
	not plan.masked(plan.unknown(rc), path[0])
	message := sprintf("%s would be switched off.", [named(path)])
}

number(value) := value if is_number(value)

number(null) := 0

last(path) := path[count(path) - 1]

named(path) := concat(".", [part | some part in path; is_string(part)])

times := {
	"backup_retention_period", "snapshot_retention_limit", "automated_snapshot_retention_period", "backup_retention_days",
	"automatic_backup_retention_days", "soft_delete_retention_days", "snapshot_retention_period", "retention_in_days",
}

nested_times := {
	"google_sql_database_instance": [
		["settings", 0, "backup_configuration", 0, "transaction_log_retention_days"],
		["settings", 0, "backup_configuration", 0, "backup_retention_settings", 0, "retained_backups"],
	],
	"azurerm_storage_account": [
		["blob_properties", 0, "delete_retention_policy", 0, "days"],
		["blob_properties", 0, "container_delete_retention_policy", 0, "days"],
	],
	"azurerm_mssql_database": [["short_term_retention_policy", 0, "retention_days"]],
	"azurerm_backup_policy_vm": [["retention_daily", 0, "count"]],
	"aws_dynamodb_table": [["point_in_time_recovery", 0, "recovery_period_in_days"]],
}

switches := {
	"aws_s3_bucket_versioning": ["versioning_configuration", 0, "status"],
	"aws_s3_bucket": ["versioning", 0, "enabled"],
	"aws_dynamodb_table": ["point_in_time_recovery", 0, "enabled"],
	"aws_efs_backup_policy": ["backup_policy", 0, "status"],
	"azurerm_storage_account": ["blob_properties", 0, "versioning_enabled"],
	"azurerm_postgresql_flexible_server": ["geo_redundant_backup_enabled"],
	"azurerm_mysql_flexible_server": ["geo_redundant_backup_enabled"],
	"google_sql_database_instance": ["settings", 0, "backup_configuration", 0, "enabled"],
	"google_storage_bucket": ["versioning", 0, "enabled"],
	"google_alloydb_cluster": ["automated_backup_policy", 0, "enabled"],
}

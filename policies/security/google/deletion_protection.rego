# METADATA
# scope: package
# title: Protection from deletion switched off (Google Cloud)
# description: Finds stores of data and clusters that Terraform, or anyone, may delete at once.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     soc2: ["A1.2"]
#     iso27001_2022: ["A.8.13"]
#   why: >-
#     A renamed resource or a wrong workspace destroys a database in one apply. The protection makes
#     that two steps, with time to think between.
#   mend: >-
#     Leave the argument at true, and set it to false only in the pull request before the one that
#     removes the resource.
#   examples:
#     bad:
#       hcl: |
#         resource "google_sql_database_instance" "orders" {
#           name                = "orders"
#           database_version    = "POSTGRES_16"
#           deletion_protection = false
#         }
#     good:
#       hcl: |
#         resource "google_sql_database_instance" "orders" {
#           name                = "orders"
#           database_version    = "POSTGRES_16"
#           deletion_protection = true
#         }
package tidelock.security.google.deletion_protection

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some type, key in protected
	some rc in plan.made[type]
	is := google.value(rc, [key], null)
	is in {false, "UNPROTECTED", "DELETE_PROTECTION_DISABLED"}
	message := sprintf("This %s may be deleted at once: %s is %v.", [type, key, is])
}

# protected: the argument of each type. All of them guard unless told otherwise,
# or leave it open where nobody said anything; only a plain no is found.
protected := {
	"google_alloydb_cluster": "deletion_protection",
	"google_bigquery_table": "deletion_protection",
	"google_bigtable_instance": "deletion_protection",
	"google_bigtable_table": "deletion_protection",
	"google_container_cluster": "deletion_protection",
	"google_filestore_instance": "deletion_protection_enabled",
	"google_firestore_database": "delete_protection_state",
	"google_memorystore_instance": "deletion_protection_enabled",
	"google_redis_cluster": "deletion_protection_enabled",
	"google_spanner_database": "deletion_protection",
	"google_sql_database_instance": "deletion_protection",
}

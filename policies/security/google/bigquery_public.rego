# METADATA
# scope: package
# title: Public data set
# description: Denies access for everyone to data sets and tables of BigQuery.
# custom:
#   severity: critical
#   level: mandatory
#   controls:
#     cis_gcp_3.0: ["7.1"]
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.5.15", "A.8.3"]
#   why: >-
#     Anyone with a Google account can query the tables at their own cost, and nobody notices.
#   mend: >-
#     Grant access to groups and service accounts, or share through Analytics Hub.
#   examples:
#     bad:
#       hcl: |
#         resource "google_bigquery_dataset" "sales" {
#           dataset_id = "sales"
#           access {
#             role          = "READER"
#             special_group = "allAuthenticatedUsers"
#           }
#         }
#     good:
#       hcl: |
#         resource "google_bigquery_dataset" "sales" {
#           dataset_id = "sales"
#           access {
#             role           = "READER"
#             group_by_email = "analysts@example.com"
#           }
#         }
package tidelock.security.google.bigquery_public

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": grant.address, "msg": message} if {
	some grant in google.public({"google_bigquery_dataset", "google_bigquery_table", "google_bigquery_connection"})
	message := sprintf("%s has %s.", [grant.who, grant.role])
}

deny contains {"address": rc.address, "msg": message} if {
	some [rc, access] in entries
	some key in ["special_group", "iam_member"]
	message := sprintf("%s is %s.", [google.crowd[access[key]], plan.text(access, "role", "READER")])
}

entries := array.concat(
	[[rc, access] | some rc in google.of({"google_bigquery_dataset"}); some access in google.blocks(rc, ["access"])],
	[[rc, rc.change.after] | some rc in google.of({"google_bigquery_dataset_access"})],
)

# METADATA
# scope: package
# title: Open to everyone (Google Cloud)
# description: >-
#   Denies grants to everyone on topics, secrets, repositories of artifacts, databases and whatever
#   else holds data.
# custom:
#   severity: critical
#   level: mandatory
#   controls:
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.5.15", "A.8.3"]
#   why: >-
#     Everyone means the whole internet, or anyone who has made a Google account. Messages, secrets,
#     images and records are read or forged by strangers.
#   mend: >-
#     Grant the role to the groups and service accounts that need it. An image repository for the
#     public is best kept in a project of its own, under a waiver.
#   examples:
#     bad:
#       hcl: |
#         resource "google_pubsub_topic_iam_member" "publish" {
#           topic  = "orders"
#           role   = "roles/pubsub.publisher"
#           member = "allUsers"
#         }
#     good:
#       hcl: |
#         resource "google_pubsub_topic_iam_member" "publish" {
#           topic  = "orders"
#           role   = "roles/pubsub.publisher"
#           member = "serviceAccount:shop@acme.iam.gserviceaccount.com"
#         }
package tidelock.security.google.resource_public

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": grant.address, "msg": message} if {
	some grant in google.public(subjects)
	message := sprintf("%s has %s.", [grant.who, grant.role])
}

# Whatever has grants, also types that come after this rule was written.
subjects := {subject |
	some type, _ in plan.made
	regex.match(`^google_.*_iam_(member|binding|policy)$`, type)
	subject := regex.replace(type, `_iam_[a-z]+$`, "")
	not subject in elsewhere
	not regex.match(`^google_(cloud_run|cloudfunctions|compute|iap_web)`, subject)
}

# Those that rules of their own look at.
elsewhere := object.keys(google.containers) | {
	"google_bigquery_connection", "google_bigquery_dataset", "google_bigquery_table", "google_billing_account",
	"google_kms_crypto_key", "google_kms_key_ring", "google_service_account", "google_storage_bucket",
	"google_storage_managed_folder",
}

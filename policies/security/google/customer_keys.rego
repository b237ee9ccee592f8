# METADATA
# scope: package
# title: No key of one's own (Google Cloud)
# description: >-
#   Finds stores of data that are encrypted by Google's keys alone, where a key in Cloud KMS could
#   be named.
# custom:
#   severity: low
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["4.7", "7.3", "8.1"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.8.24"]
#   why: >-
#     Google encrypts all data with keys of its own. With a key of yours you see each use of it, and
#     taking it away locks the data for everyone, Google included.
#   mend: >-
#     Name a key of Cloud KMS in the argument. Where contracts do not ask for keys of one's own,
#     turn this rule off. Most stores take a key only when they are created.
#   examples:
#     bad:
#       hcl: |
#         resource "google_bigquery_dataset" "sales" {
#           dataset_id = "sales"
#           location   = "EU"
#         }
#     good:
#       hcl: |
#         resource "google_bigquery_dataset" "sales" {
#           dataset_id = "sales"
#           location   = "EU"
#           default_encryption_configuration {
#             kms_key_name = "projects/acme/locations/eu/keyRings/data/cryptoKeys/sales"
#           }
#         }
package tidelock.security.google.customer_keys

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some type, paths in keyed
	some rc in plan.made[type]
	every path in paths {
		not google.given(rc, path)
	}
	message := sprintf("This %s is encrypted by a key of Google's: %s names none.", [type, paths[0][0]])
}

# keyed: where each type names its key. A disk may have one that is supplied with
# each request, which is not in Cloud KMS, and a machine may start from a disk of
# its own, which is looked at by itself.
keyed := {
	"google_alloydb_cluster": [["encryption_config", 0, "kms_key_name"]],
	"google_artifact_registry_repository": [["kms_key_name"]],
	"google_bigquery_dataset": [["default_encryption_configuration", 0, "kms_key_name"]],
	"google_compute_disk": [["disk_encryption_key", 0, key] | some key in ["kms_key_self_link", "raw_key", "rsa_encrypted_key"]],
	"google_compute_instance": [["boot_disk", 0, key] | some key in ["kms_key_self_link", "disk_encryption_key_raw", "disk_encryption_key_rsa", "source"]],
	"google_compute_region_disk": [["disk_encryption_key", 0, key] | some key in ["kms_key_name", "raw_key", "rsa_encrypted_key"]],
	"google_dataproc_cluster": [["cluster_config", 0, "encryption_config", 0, "kms_key_name"]],
	"google_filestore_instance": [["kms_key_name"]],
	"google_pubsub_topic": [["kms_key_name"]],
	"google_redis_instance": [["customer_managed_key"]],
	"google_spanner_database": [["encryption_config", 0, "kms_key_name"], ["encryption_config", 0, "kms_key_names"]],
	"google_sql_database_instance": [["encryption_key_name"]],
	"google_storage_bucket": [["encryption", 0, "default_kms_key_name"]],
}

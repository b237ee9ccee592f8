# METADATA
# scope: package
# title: Bucket with access control lists
# description: Finds buckets without uniform bucket-level access.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["5.2"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.15", "A.8.3"]
#   why: >-
#     Access control lists count beside IAM, one for each object, so that nobody can tell from the
#     bucket's grants who reads what.
#   mend: >-
#     Set uniform_bucket_level_access = true. After 90 days it can't be taken back, so look through
#     the lists before.
#   examples:
#     bad:
#       hcl: |
#         resource "google_storage_bucket" "invoices" {
#           name     = "acme-invoices"
#           location = "EU"
#         }
#     good:
#       hcl: |
#         resource "google_storage_bucket" "invoices" {
#           name                        = "acme-invoices"
#           location                    = "EU"
#           uniform_bucket_level_access = true
#         }
package tidelock.security.google.storage_uniform_access

import data.tidelock.google

deny contains {"address": rc.address, "msg": "Access control lists of single objects count beside IAM: uniform_bucket_level_access is not true."} if {
	some rc in google.of({"google_storage_bucket"})
	google.value(rc, ["uniform_bucket_level_access"], false) == false
}

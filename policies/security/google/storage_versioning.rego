# METADATA
# scope: package
# title: Bucket without versions (Google Cloud)
# description: >-
#   Finds buckets that keep neither older versions of objects nor every object for some time.
# custom:
#   severity: low
#   level: advisory
#   controls:
#     soc2: ["A1.2"]
#     iso27001_2022: ["A.8.13"]
#   why: >-
#     What is overwritten or deleted, by mistake or by someone with a stolen key, is gone when the
#     few days of soft delete are over.
#   mend: >-
#     Set versioning { enabled = true } with a lifecycle rule that removes old versions, or a
#     retention_policy.
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
#           name     = "acme-invoices"
#           location = "EU"
#           versioning {
#             enabled = true
#           }
#         }
package tidelock.security.google.storage_versioning

import data.tidelock.google

deny contains {"address": rc.address, "msg": "Overwritten and deleted objects are not kept: versioning is off."} if {
	some rc in google.of({"google_storage_bucket"})
	google.value(rc, ["versioning", 0, "enabled"], false) == false
	not google.given(rc, ["retention_policy"])
}

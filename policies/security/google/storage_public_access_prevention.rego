# METADATA
# scope: package
# title: Bucket that could become public
# description: Finds buckets on which public access prevention is not enforced.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.5.15", "A.8.3"]
#   why: >-
#     Without it, one grant by anyone who administers the bucket makes it public. With it, Google
#     refuses such a grant.
#   mend: >-
#     Set public_access_prevention = "enforced", or enforce it for the organization with the
#     constraint storage.publicAccessPrevention.
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
#           name                     = "acme-invoices"
#           location                 = "EU"
#           public_access_prevention = "enforced"
#         }
package tidelock.security.google.storage_public_access_prevention

import data.tidelock.google

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.of({"google_storage_bucket"})
	is := google.value(rc, ["public_access_prevention"], "inherited")
	is != "enforced"
	message := sprintf("public_access_prevention is %s.", [is])
}

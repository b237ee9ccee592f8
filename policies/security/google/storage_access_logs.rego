# METADATA
# scope: package
# title: Bucket without access logs (Google Cloud)
# description: Finds buckets that write no usage log, other than those that take the logs of others.
# custom:
#   severity: low
#   level: advisory
#   controls:
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   why: >-
#     After a leak the question is who read what. Audit logs do not show requests of the public nor
#     the life cycle's deletions.
#   mend: >-
#     Add logging { log_bucket = ... } with a bucket for logs. Where data access audit logs are kept
#     for Cloud Storage and nothing is public, this rule can be turned off.
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
#           logging {
#             log_bucket = "acme-logs"
#           }
#         }
#         resource "google_storage_bucket" "logs" {
#           name     = "acme-logs"
#           location = "EU"
#         }
package tidelock.security.google.storage_access_logs

import data.tidelock.google
import data.tidelock.plan
import data.tidelock.references

deny contains {"address": rc.address, "msg": "Nothing is written down of who reads this bucket: it has no logging block."} if {
	some rc in google.of({"google_storage_bucket"})
	not google.given(rc, ["logging"])
	not takes_logs(rc)
}

takes_logs(rc) if rc.change.after.name in log_buckets

takes_logs(rc) if rc.address in log_buckets

# Names of buckets that logs go to, and the addresses of those whose names are
# not known yet.
log_buckets := {bucket |
	some rc in plan.of("google_storage_bucket")
	some block in google.blocks(rc, ["logging"])
	bucket := block.log_bucket
} | {address |
	some rc in plan.of("google_storage_bucket")
	google.unknown(rc, ["logging", 0, "log_bucket"])
	some address in references.targets(rc, "logging", "google_storage_bucket")
}

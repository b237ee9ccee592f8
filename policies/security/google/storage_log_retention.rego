# METADATA
# scope: package
# title: Exported logs can be deleted
# description: Finds buckets that a log sink exports to and that have no locked retention policy.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["2.3"]
#     soc2: ["CC7.2", "CC7.3"]
#     iso27001_2022: ["A.8.15", "A.5.33"]
#   why: >-
#     Whoever breaks in wants the traces gone. A locked retention policy keeps them from everyone,
#     administrators too.
#   mend: >-
#     Give the bucket retention_policy { retention_period = 31536000, is_locked = true }. A lock
#     can't be undone, so decide the period first.
#   examples:
#     bad:
#       hcl: |
#         resource "google_logging_project_sink" "audit" {
#           name        = "audit"
#           destination = "storage.googleapis.com/acme-audit"
#         }
#         resource "google_storage_bucket" "audit" {
#           name     = "acme-audit"
#           location = "EU"
#         }
#     good:
#       hcl: |
#         resource "google_logging_project_sink" "audit" {
#           name        = "audit"
#           destination = "storage.googleapis.com/acme-audit"
#         }
#         resource "google_storage_bucket" "audit" {
#           name     = "acme-audit"
#           location = "EU"
#           retention_policy {
#             retention_period = 31536000
#             is_locked        = true
#           }
#         }
package tidelock.security.google.storage_log_retention

import data.tidelock.google
import data.tidelock.plan
import data.tidelock.references

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.of({"google_storage_bucket"})
	sink := exporting[rc.address]
	google.value(rc, ["retention_policy", 0, "is_locked"], false) == false
	message := sprintf("The logs that %s exports to this bucket can be deleted: it has no locked retention_policy.", [sink])
}

# exporting: the first sink that exports to each bucket.
exporting := {address: min(sinks) |
	some address in {pair[0] | some pair in exports}
	sinks := {pair[1] | some pair in exports; pair[0] == address}
}

exports := {[bucket.address, sink.address] |
	some sink in sinks
	some bucket in plan.of("google_storage_bucket")
	plan.text(sink.change.after, "destination", "") == sprintf("storage.googleapis.com/%s", [bucket.change.after.name])
} | {[address, sink.address] |
	some sink in sinks
	some address in references.targets(sink, "destination", "google_storage_bucket")
}

sinks := [sink |
	some level in ["project", "folder", "organization", "billing_account"]
	some sink in plan.of(sprintf("google_logging_%s_sink", [level]))
]

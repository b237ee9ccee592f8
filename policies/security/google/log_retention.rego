# METADATA
# scope: package
# title: Logs that are soon gone (Google Cloud)
# description: Finds buckets of Cloud Logging that keep logs for less than 90 days.
# custom:
#   severity: low
#   level: advisory
#   controls:
#     soc2: ["CC7.2", "CC7.3"]
#     iso27001_2022: ["A.8.15", "A.5.28"]
#   why: >-
#     Break-ins are often found weeks later. What happened before then is gone if the logs are.
#   mend: >-
#     Set retention_days = 90 or more, or export the logs to a bucket with a locked retention
#     policy.
#   examples:
#     bad:
#       hcl: |
#         resource "google_logging_project_bucket_config" "default" {
#           project        = "acme"
#           location       = "global"
#           bucket_id      = "_Default"
#           retention_days = 7
#         }
#     good:
#       hcl: |
#         resource "google_logging_project_bucket_config" "default" {
#           project        = "acme"
#           location       = "global"
#           bucket_id      = "_Default"
#           retention_days = 365
#         }
package tidelock.security.google.log_retention

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some level in ["project", "folder", "organization", "billing_account"]
	some rc in plan.made[sprintf("google_logging_%s_bucket_config", [level])]
	days := google.value(rc, ["retention_days"], 30)
	days < 90
	message := sprintf("Logs are kept for %d days.", [days])
}

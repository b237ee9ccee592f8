# METADATA
# scope: package
# title: Build of a stranger's pull request
# description: Finds triggers of Cloud Build that build every pull request without asking.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     soc2: ["CC6.8", "CC8.1"]
#     iso27001_2022: ["A.8.25", "A.8.28"]
#   why: >-
#     A build runs what the pull request says, with the rights of the build's service account. In a
#     public repository anyone can open one.
#   mend: >-
#     Set comment_control = "COMMENTS_ENABLED", or COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY,
#     so that an owner says /gcbrun first.
#   examples:
#     bad:
#       hcl: |
#         resource "google_cloudbuild_trigger" "check" {
#           name = "check"
#           github {
#             owner = "acme"
#             name  = "shop"
#             pull_request {
#               branch = ".*"
#             }
#           }
#         }
#     good:
#       hcl: |
#         resource "google_cloudbuild_trigger" "check" {
#           name = "check"
#           github {
#             owner = "acme"
#             name  = "shop"
#             pull_request {
#               branch          = ".*"
#               comment_control = "COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY"
#             }
#           }
#         }
package tidelock.security.google.build_strangers_code

import data.tidelock.google

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.of({"google_cloudbuild_trigger"})
	some key in ["github", "repository_event_config", "developer_connect_event_config"]
	count(google.blocks(rc, [key, 0, "pull_request"])) > 0
	is := google.value(rc, [key, 0, "pull_request", 0, "comment_control"], "COMMENTS_DISABLED")
	is == "COMMENTS_DISABLED"
	message := sprintf("Every pull request is built at once: comment_control is %s.", [is])
}

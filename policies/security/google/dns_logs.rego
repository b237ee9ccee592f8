# METADATA
# scope: package
# title: DNS policy without logs
# description: Finds DNS policies that do not log what machines ask for.
# custom:
#   severity: low
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["2.12"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   why: >-
#     Malware asks for its masters by name: the log of DNS queries often shows it first.
#   mend: >-
#     Set enable_logging = true.
#   examples:
#     bad:
#       hcl: |
#         resource "google_dns_policy" "main" {
#           name = "main"
#         }
#     good:
#       hcl: |
#         resource "google_dns_policy" "main" {
#           name           = "main"
#           enable_logging = true
#         }
package tidelock.security.google.dns_logs

import data.tidelock.google

deny contains {"address": rc.address, "msg": "DNS queries are not logged: enable_logging is not true."} if {
	some rc in google.of({"google_dns_policy"})
	google.value(rc, ["enable_logging"], false) == false
}

# METADATA
# scope: package
# title: DNS zone without DNSSEC (Google Cloud)
# description: Finds public zones that are not signed, or signed with SHA-1.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["3.3", "3.4", "3.5"]
#     soc2: ["CC6.6", "CC6.7"]
#     iso27001_2022: ["A.8.20", "A.8.24"]
#   why: >-
#     Answers of an unsigned zone can be forged, and with them web sites, mail and certificates.
#   mend: >-
#     Set dnssec_config { state = "on" }, leave the algorithms at their defaults, and enter the DS
#     record with the registrar.
#   examples:
#     bad:
#       hcl: |
#         resource "google_dns_managed_zone" "public" {
#           name     = "example"
#           dns_name = "example.com."
#         }
#     good:
#       hcl: |
#         resource "google_dns_managed_zone" "public" {
#           name     = "example"
#           dns_name = "example.com."
#           dnssec_config {
#             state = "on"
#           }
#         }
package tidelock.security.google.dns_security

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some rc in zones
	is := google.value(rc, ["dnssec_config", 0, "state"], "off")
	is == "off"
	message := sprintf("This zone's answers are not signed: dnssec_config.state is %s.", [is])
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in zones
	some spec in google.blocks(rc, ["dnssec_config", 0, "default_key_specs"])
	spec.algorithm == "rsasha1"
	message := sprintf("This zone is signed with SHA-1: the %s key's algorithm is rsasha1.", [plan.text(spec, "key_type", "default")])
}

zones := [rc |
	some rc in google.of({"google_dns_managed_zone"})
	google.value(rc, ["visibility"], "public") == "public"
]

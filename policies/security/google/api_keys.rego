# METADATA
# scope: package
# title: API key for everything (Google Cloud)
# description: Finds API keys that any program may use, or for any API.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["1.13", "1.14"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17", "A.8.5"]
#   why: >-
#     API keys stand in web pages and apps, where everyone reads them. Without limits, a copied key
#     works anywhere and for every API of the project.
#   mend: >-
#     Set restrictions with api_targets, and with the sites, addresses or apps that use the key.
#   examples:
#     bad:
#       hcl: |
#         resource "google_apikeys_key" "maps" {
#           name = "maps"
#         }
#     good:
#       hcl: |
#         resource "google_apikeys_key" "maps" {
#           name = "maps"
#           restrictions {
#             api_targets {
#               service = "maps-backend.googleapis.com"
#             }
#             browser_key_restrictions {
#               allowed_referrers = ["https://www.example.com/*"]
#             }
#           }
#         }
package tidelock.security.google.api_keys

import data.tidelock.google

deny contains {"address": rc.address, "msg": "This key works for every API: restrictions has no api_targets."} if {
	some rc in google.of({"google_apikeys_key"})
	not google.given(rc, ["restrictions", 0, "api_targets"])
}

deny contains {"address": rc.address, "msg": "Any program may use this key: restrictions names no sites, addresses or apps."} if {
	some rc in google.of({"google_apikeys_key"})
	every program in ["android", "browser", "ios", "server"] {
		not google.given(rc, ["restrictions", 0, sprintf("%s_key_restrictions", [program])])
	}
}

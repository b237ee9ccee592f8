# METADATA
# scope: package
# title: Load balancer without HTTPS (Google Cloud)
# description: Finds HTTP proxies whose URL map does more than send clients on to HTTPS.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24", "A.8.21"]
#   why: >-
#     What goes over HTTP can be read and changed by everyone on the way, cookies and passwords
#     first.
#   mend: >-
#     Let the proxy's URL map hold default_url_redirect { https_redirect = true } alone, and serve
#     from a google_compute_target_https_proxy.
#   examples:
#     bad:
#       hcl: |
#         resource "google_compute_target_http_proxy" "web" {
#           name    = "web"
#           url_map = "web"
#         }
#         resource "google_compute_url_map" "web" {
#           name            = "web"
#           default_service = "web"
#         }
#     good:
#       hcl: |
#         resource "google_compute_target_http_proxy" "web" {
#           name    = "web"
#           url_map = "to-https"
#         }
#         resource "google_compute_url_map" "to_https" {
#           name = "to-https"
#           default_url_redirect {
#             https_redirect = true
#             strip_query    = false
#           }
#         }
package tidelock.security.google.plain_http

import data.tidelock.google
import data.tidelock.plan
import data.tidelock.references

# A URL map that is not in the plan may well redirect: of those nothing is said.
deny contains {"address": rc.address, "msg": message} if {
	some type, kind in {
		"google_compute_target_http_proxy": "google_compute_url_map",
		"google_compute_region_target_http_proxy": "google_compute_region_url_map",
	}
	some rc in plan.made[type]
	some address in references.targets(rc, "url_map", kind)
	some map in plan.of(kind)
	map.address == address
	google.value(map, ["default_url_redirect", 0, "https_redirect"], false) == false
	message := sprintf("This proxy serves over HTTP: %s does not redirect to HTTPS.", [address])
}

# METADATA
# scope: package
# title: Load balancer without logs (Google Cloud)
# description: Finds backend services of external HTTP load balancers that log no requests.
# custom:
#   severity: low
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["2.16"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   why: >-
#     The log of requests is where an attack on a web application is seen, and the only one that
#     shows the client's address.
#   mend: >-
#     Set log_config { enable = true }; sample_rate below 1 keeps the bill small.
#   examples:
#     bad:
#       hcl: |
#         resource "google_compute_backend_service" "web" {
#           name     = "web"
#           protocol = "HTTPS"
#         }
#     good:
#       hcl: |
#         resource "google_compute_backend_service" "web" {
#           name     = "web"
#           protocol = "HTTPS"
#           log_config {
#             enable      = true
#             sample_rate = 0.5
#           }
#         }
package tidelock.security.google.load_balancer_logs

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": "Requests are not logged: log_config does not set enable = true."} if {
	some type, otherwise in {"google_compute_backend_service": "EXTERNAL", "google_compute_region_backend_service": "INTERNAL"}
	some rc in plan.made[type]
	startswith(google.value(rc, ["load_balancing_scheme"], otherwise), "EXTERNAL")
	google.value(rc, ["protocol"], "HTTP") in {"HTTP", "HTTPS", "HTTP2", "H2C"}
	google.value(rc, ["log_config", 0, "enable"], false) == false
}

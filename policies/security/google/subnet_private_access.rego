# METADATA
# scope: package
# title: Subnet without private access to Google
# description: Finds subnets whose machines need an external address to reach Google's APIs.
# custom:
#   severity: low
#   level: advisory
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   why: >-
#     Where machines can't reach Cloud Storage and the others by private addresses, sooner or later
#     someone gives them public ones.
#   mend: >-
#     Set private_ip_google_access = true.
#   examples:
#     bad:
#       hcl: |
#         resource "google_compute_subnetwork" "main" {
#           name          = "main"
#           network       = "main"
#           ip_cidr_range = "10.0.0.0/20"
#         }
#     good:
#       hcl: |
#         resource "google_compute_subnetwork" "main" {
#           name                     = "main"
#           network                  = "main"
#           ip_cidr_range            = "10.0.0.0/20"
#           private_ip_google_access = true
#         }
package tidelock.security.google.subnet_private_access

import data.tidelock.google

deny contains {"address": rc.address, "msg": "Machines here reach Google's APIs only by an external address: private_ip_google_access is not true."} if {
	some rc in google.subnets
	google.value(rc, ["private_ip_google_access"], false) == false
}

# METADATA
# scope: package
# title: Subnet without flow logs (Google Cloud)
# description: Finds subnets whose traffic is not logged.
# custom:
#   severity: low
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["3.8"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15", "A.8.16"]
#   why: >-
#     Without flow logs nobody can tell, after a break-in, which machines the intruder spoke to and
#     what left the network.
#   mend: >-
#     Add a log_config block; flow_sampling = 0.5 and an interval of ten minutes keep the bill
#     small.
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
#           name          = "main"
#           network       = "main"
#           ip_cidr_range = "10.0.0.0/20"
#           log_config {
#             flow_sampling = 0.5
#           }
#         }
package tidelock.security.google.subnet_flow_logs

import data.tidelock.google

deny contains {"address": rc.address, "msg": "This subnet's traffic is not logged: it has no log_config."} if {
	some rc in google.subnets
	not google.given(rc, ["log_config"])
}

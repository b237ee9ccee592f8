# METADATA
# scope: package
# title: Network that Google lays out
# description: Finds projects with the default network, and networks with a subnet in every region.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["3.1"]
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   why: >-
#     The default network has a subnet in every region and lets the internet reach SSH and RDP.
#     Automatic ranges overlap with every other such network.
#   mend: >-
#     Set auto_create_network = false for the project and auto_create_subnetworks = false for the
#     network, and write the subnets down.
#   examples:
#     bad:
#       hcl: |
#         resource "google_compute_network" "main" {
#           name = "main"
#         }
#     good:
#       hcl: |
#         resource "google_compute_network" "main" {
#           name                    = "main"
#           auto_create_subnetworks = false
#         }
package tidelock.security.google.default_network

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some type, key in {"google_project": "auto_create_network", "google_compute_network": "auto_create_subnetworks"}
	some rc in plan.made[type]
	google.value(rc, [key], true) == true
	message := sprintf("Google lays out this network: %s is true, which is its default.", [key])
}

# METADATA
# scope: package
# title: Machine forwards packets (Google Cloud)
# description: Finds machines that may send and take packets with addresses that are not theirs.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["4.6"]
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   why: >-
#     A machine that forwards can pass for another, and carry traffic around the firewall.
#   mend: >-
#     Remove can_ip_forward. Let Cloud NAT and Cloud VPN do what a machine of one's own did; where
#     it is a router by trade, ask for a waiver.
#   examples:
#     bad:
#       hcl: |
#         resource "google_compute_instance" "app" {
#           name           = "app"
#           machine_type   = "e2-medium"
#           can_ip_forward = true
#         }
#     good:
#       hcl: |
#         resource "google_compute_instance" "app" {
#           name         = "app"
#           machine_type = "e2-medium"
#         }
package tidelock.security.google.compute_ip_forwarding

import data.tidelock.google

deny contains {"address": rc.address, "msg": "This machine may forward packets: can_ip_forward is true."} if {
	some rc in google.machines
	google.value(rc, ["can_ip_forward"], false) == true
}

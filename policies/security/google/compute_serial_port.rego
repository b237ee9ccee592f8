# METADATA
# scope: package
# title: Serial port of a machine is open
# description: Finds machines and projects whose serial ports take connections.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["4.5"]
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20"]
#   why: >-
#     The interactive serial console takes connections from every address, whatever the firewall
#     says, and is guarded by a key alone.
#   mend: >-
#     Remove the metadata serial-port-enable. Set it for the minutes in which a machine that does
#     not start must be looked at.
#   examples:
#     bad:
#       hcl: |
#         resource "google_compute_instance" "app" {
#           name         = "app"
#           machine_type = "e2-medium"
#           metadata = {
#             serial-port-enable = "TRUE"
#           }
#         }
#     good:
#       hcl: |
#         resource "google_compute_instance" "app" {
#           name         = "app"
#           machine_type = "e2-medium"
#           metadata = {
#             serial-port-enable = "FALSE"
#           }
#         }
package tidelock.security.google.compute_serial_port

import data.tidelock.google

deny contains {"address": rc.address, "msg": "The serial console takes connections: the metadata serial-port-enable is set."} if {
	some [rc, is] in google.metadata("serial-port-enable")
	google.yes(is)
}

# METADATA
# scope: package
# title: Machine that is not shielded
# description: Finds machines that start without secure boot, virtual TPM or integrity monitoring.
# custom:
#   severity: low
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["4.8"]
#     soc2: ["CC6.8", "CC7.1"]
#     iso27001_2022: ["A.8.7", "A.8.9"]
#   why: >-
#     Malware below the operating system outlives every update and is seen by no scanner. A shielded
#     machine refuses to start what is not signed.
#   mend: >-
#     Set shielded_instance_config with enable_secure_boot = true and leave the other two on.
#     Machines with unsigned drivers can't have secure boot.
#   examples:
#     bad:
#       hcl: |
#         resource "google_compute_instance" "app" {
#           name         = "app"
#           machine_type = "e2-medium"
#         }
#     good:
#       hcl: |
#         resource "google_compute_instance" "app" {
#           name         = "app"
#           machine_type = "e2-medium"
#           shielded_instance_config {
#             enable_secure_boot = true
#           }
#         }
package tidelock.security.google.compute_shielded_vm

import data.tidelock.google

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.machines
	some key, otherwise in {"enable_secure_boot": false, "enable_vtpm": true, "enable_integrity_monitoring": true}
	google.value(rc, ["shielded_instance_config", 0, key], otherwise) == false
	message := sprintf("This machine is not wholly shielded: %s is not true.", [key])
}

# METADATA
# scope: package
# title: OS Login is off
# description: >-
#   Finds machines that switch OS Login off, and project metadata that does not switch it on.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["4.4"]
#     soc2: ["CC6.1", "CC6.2"]
#     iso27001_2022: ["A.5.16", "A.8.5"]
#   why: >-
#     Without OS Login, SSH keys lie in metadata. Nobody takes them out when a person leaves, and no
#     second factor is asked for.
#   mend: >-
#     Set the metadata enable-oslogin = "TRUE" for the project, and grant roles/compute.osLogin to
#     those who log in.
#   examples:
#     bad:
#       hcl: |
#         resource "google_compute_project_metadata" "main" {
#           metadata = {
#             enable-oslogin = "FALSE"
#           }
#         }
#     good:
#       hcl: |
#         resource "google_compute_project_metadata" "main" {
#           metadata = {
#             enable-oslogin = "TRUE"
#           }
#         }
package tidelock.security.google.compute_os_login

import data.tidelock.google

deny contains {"address": rc.address, "msg": message} if {
	some [rc, is] in google.metadata("enable-oslogin")
	not google.yes(is)
	message := sprintf("OS Login is switched off: the metadata enable-oslogin is %s.", [upper(is)])
}

# The resource holds all of the project's metadata: what it lacks, the project
# lacks.
deny contains {"address": rc.address, "msg": "OS Login is not switched on: the project's metadata has no enable-oslogin."} if {
	some rc in google.of({"google_compute_project_metadata"})
	not google.given(rc, ["metadata", "enable-oslogin"])
}

# METADATA
# scope: package
# title: SSH keys for every machine of a project
# description: Finds SSH keys in a project's metadata, and machines that take them.
# custom:
#   severity: low
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["4.3"]
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.8.2"]
#   why: >-
#     A key in the project's metadata opens every machine of the project. One lost laptop is then
#     the loss of them all.
#   mend: >-
#     Use OS Login, or set the metadata block-project-ssh-keys = "true" on the machine and give it
#     keys of its own.
#   examples:
#     bad:
#       hcl: |
#         resource "google_compute_instance" "app" {
#           name         = "app"
#           machine_type = "e2-medium"
#           metadata = {
#             block-project-ssh-keys = "false"
#           }
#         }
#     good:
#       hcl: |
#         resource "google_compute_instance" "app" {
#           name         = "app"
#           machine_type = "e2-medium"
#           metadata = {
#             block-project-ssh-keys = "true"
#           }
#         }
package tidelock.security.google.compute_project_keys

import data.tidelock.google

deny contains {"address": rc.address, "msg": "The project's SSH keys open this machine: the metadata block-project-ssh-keys is not true."} if {
	some rc in google.machines
	not refuses[rc.address]
	not google.unknown(rc, ["metadata", "block-project-ssh-keys"])
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.of({"google_compute_project_metadata", "google_compute_project_metadata_item"})
	some key in {"ssh-keys", "sshKeys"}
	holds(rc, key)
	message := sprintf("The metadata %s opens every machine of the project.", [key])
}

refuses contains rc.address if {
	some key in ["block-project-ssh-keys", "enable-oslogin"]
	some [rc, is] in google.metadata(key)
	google.yes(is)
}

holds(rc, key) if google.given(rc, ["metadata", key])

holds(rc, key) if rc.change.after.key == key

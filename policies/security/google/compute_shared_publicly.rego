# METADATA
# scope: package
# title: Machine image open to everyone
# description: >-
#   Denies grants to everyone on images, disks, snapshots, machines, subnets and firewall policies.
# custom:
#   severity: critical
#   level: mandatory
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.15", "A.8.3"]
#   why: >-
#     An image or snapshot holds whatever was on the disk, keys and customers' data among it, and
#     anyone may start it in a project of theirs.
#   mend: >-
#     Grant roles/compute.imageUser to the projects' service accounts and groups that need it.
#   examples:
#     bad:
#       hcl: |
#         resource "google_compute_image_iam_member" "everyone" {
#           image  = "golden"
#           role   = "roles/compute.imageUser"
#           member = "allAuthenticatedUsers"
#         }
#     good:
#       hcl: |
#         resource "google_compute_image_iam_member" "build" {
#           image  = "golden"
#           role   = "roles/compute.imageUser"
#           member = "serviceAccount:build@acme.iam.gserviceaccount.com"
#         }
package tidelock.security.google.compute_shared_publicly

import data.tidelock.google

deny contains {"address": grant.address, "msg": message} if {
	some grant in google.public(subjects)
	message := sprintf("%s has %s.", [grant.who, grant.role])
}

subjects := {
	"google_compute_disk", "google_compute_firewall_policy", "google_compute_image", "google_compute_instance",
	"google_compute_instance_template", "google_compute_instant_snapshot", "google_compute_machine_image",
	"google_compute_network_firewall_policy", "google_compute_region_disk", "google_compute_region_instant_snapshot",
	"google_compute_snapshot", "google_compute_storage_pool", "google_compute_subnetwork",
}

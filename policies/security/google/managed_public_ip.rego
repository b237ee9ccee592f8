# METADATA
# scope: package
# title: Managed machines with public addresses (Google Cloud)
# description: >-
#   Finds Dataproc clusters, Dataflow jobs and notebooks whose machines have external addresses.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   why: >-
#     Notebooks and clusters run whatever their users write, with the data at hand. With an external
#     address they can be reached, and send it anywhere.
#   mend: >-
#     Set internal_ip_only = true (Dataproc), ip_configuration = "WORKER_IP_PRIVATE" (Dataflow),
#     disable_public_ip = true (Workbench) or no_public_ip = true (notebooks), in a subnet with
#     private access to Google.
#   examples:
#     bad:
#       hcl: |
#         resource "google_dataproc_cluster" "reports" {
#           name   = "reports"
#           region = "europe-west1"
#           cluster_config {
#             gce_cluster_config {
#               internal_ip_only = false
#             }
#           }
#         }
#     good:
#       hcl: |
#         resource "google_dataproc_cluster" "reports" {
#           name   = "reports"
#           region = "europe-west1"
#           cluster_config {
#             gce_cluster_config {
#               internal_ip_only = true
#             }
#           }
#         }
package tidelock.security.google.managed_public_ip

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some type, [path, right] in {
		"google_dataflow_flex_template_job": [["ip_configuration"], "WORKER_IP_PRIVATE"],
		"google_dataflow_job": [["ip_configuration"], "WORKER_IP_PRIVATE"],
		"google_dataproc_cluster": [["cluster_config", 0, "gce_cluster_config", 0, "internal_ip_only"], true],
		"google_notebooks_instance": [["no_public_ip"], true],
		"google_workbench_instance": [["gce_setup", 0, "disable_public_ip"], true],
	}
	some rc in plan.made[type]
	google.value(rc, path, "not set") != right
	not virtual(rc)
	message := sprintf("These machines have external addresses: %s is not %v.", [path[count(path) - 1], right])
}

# Dataproc on a Kubernetes cluster has no machines of its own.
virtual(rc) if google.given(rc, ["virtual_cluster_config"])

# METADATA
# scope: package
# title: Nodes act as the default service account
# description: Finds clusters and node pools whose nodes act as the project's default service account.
# custom:
#   severity: high
#   level: advisory
#   controls:
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.8.2"]
#   why: >-
#     The default service account may be an editor of the whole project. Whoever breaks out of a pod
#     has that project.
#   mend: >-
#     Make a service account with roles/container.defaultNodeServiceAccount and name it in
#     node_config.service_account.
#   examples:
#     bad:
#       hcl: |
#         resource "google_container_node_pool" "main" {
#           cluster = "main"
#           node_config {
#             machine_type = "e2-standard-4"
#           }
#         }
#     good:
#       hcl: |
#         resource "google_container_node_pool" "main" {
#           cluster = "main"
#           node_config {
#             machine_type    = "e2-standard-4"
#             service_account = "nodes@acme.iam.gserviceaccount.com"
#           }
#         }
package tidelock.security.google.gke_node_service_account

import data.tidelock.google

deny contains {"address": rc.address, "msg": "These nodes act as the project's default service account: node_config.service_account names no other."} if {
	some rc in google.node_makers
	google.default_account(google.value(rc, ["node_config", 0, "service_account"], ""))
}

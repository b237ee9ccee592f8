# METADATA
# scope: package
# title: Any image may run
# description: Finds clusters that do not ask Binary Authorization whether an image may run.
# custom:
#   severity: low
#   level: advisory
#   controls:
#     soc2: ["CC6.8", "CC8.1"]
#     iso27001_2022: ["A.8.19", "A.8.32"]
#   why: >-
#     Without it, whoever may create a pod runs any image from anywhere. With it, only what your
#     pipeline has signed, or what comes from your registries.
#   mend: >-
#     Set binary_authorization { evaluation_mode = "PROJECT_SINGLETON_POLICY_ENFORCE" } and write
#     the project's policy.
#   examples:
#     bad:
#       hcl: |
#         resource "google_container_cluster" "main" {
#           name = "main"
#         }
#     good:
#       hcl: |
#         resource "google_container_cluster" "main" {
#           name = "main"
#           binary_authorization {
#             evaluation_mode = "PROJECT_SINGLETON_POLICY_ENFORCE"
#           }
#         }
package tidelock.security.google.gke_binary_authorization

import data.tidelock.google

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.clusters
	is := google.value(rc, ["binary_authorization", 0, "evaluation_mode"], "DISABLED")
	is == "DISABLED"

	# As the provider wrote it up to version 4.
	google.value(rc, ["binary_authorization", 0, "enabled"], false) == false
	message := sprintf("Any image may run here: binary_authorization.evaluation_mode is %s.", [is])
}

# METADATA
# scope: package
# title: In-memory store without a password (Google Cloud)
# description: Finds Memorystore instances and clusters that anyone on the network may use.
# custom:
#   severity: high
#   level: advisory
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.8.5"]
#   why: >-
#     Sessions and caches hold what users may see. Without authentication, every machine of the
#     network reads and overwrites them.
#   mend: >-
#     Set auth_enabled = true (google_redis_instance), or authorization_mode to IAM authentication
#     for clusters and Memorystore for Valkey.
#   examples:
#     bad:
#       hcl: |
#         resource "google_redis_instance" "sessions" {
#           name           = "sessions"
#           memory_size_gb = 1
#         }
#     good:
#       hcl: |
#         resource "google_redis_instance" "sessions" {
#           name           = "sessions"
#           memory_size_gb = 1
#           auth_enabled   = true
#         }
package tidelock.security.google.memorystore_auth

import data.tidelock.google

deny contains {"address": rc.address, "msg": "Whoever reaches this store may use it: auth_enabled is not true."} if {
	some rc in google.of({"google_redis_instance"})
	google.value(rc, ["auth_enabled"], false) == false
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.of({"google_redis_cluster", "google_memorystore_instance"})
	is := google.value(rc, ["authorization_mode"], "AUTH_DISABLED")
	endswith(is, "DISABLED")
	message := sprintf("Whoever reaches this store may use it: authorization_mode is %s.", [is])
}

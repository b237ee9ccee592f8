# METADATA
# scope: package
# title: Database without TLS (Google Cloud)
# description: Finds database instances and in-memory stores that take unencrypted connections.
# custom:
#   severity: high
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["6.4"]
#     soc2: ["CC6.1", "CC6.7"]
#     iso27001_2022: ["A.8.24", "A.8.20"]
#   why: >-
#     Without TLS, passwords and rows can be read by whoever stands between, and nothing tells the
#     client that it speaks to the real database.
#   mend: >-
#     Set ssl_mode = "ENCRYPTED_ONLY" (or TRUSTED_CLIENT_CERTIFICATE_REQUIRED), and
#     transit_encryption_mode for Memorystore. The Auth Proxy and the connectors always encrypt.
#   examples:
#     bad:
#       hcl: |
#         resource "google_sql_database_instance" "orders" {
#           name             = "orders"
#           database_version = "POSTGRES_16"
#           settings {
#             tier = "db-custom-2-7680"
#             ip_configuration {
#               ssl_mode = "ALLOW_UNENCRYPTED_AND_ENCRYPTED"
#             }
#           }
#         }
#     good:
#       hcl: |
#         resource "google_sql_database_instance" "orders" {
#           name             = "orders"
#           database_version = "POSTGRES_16"
#           settings {
#             tier = "db-custom-2-7680"
#             ip_configuration {
#               ssl_mode = "ENCRYPTED_ONLY"
#             }
#           }
#         }
package tidelock.security.google.database_tls

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some type, [path, otherwise] in modes
	some rc in plan.made[type]
	is := google.value(rc, path, otherwise)
	plain(is)
	not excused(rc)
	message := sprintf("Connections need no TLS: %s is %s.", [path[count(path) - 1], is])
}

# modes: where each type says it, and what it is when nothing is said.
modes := {
	"google_sql_database_instance": [["settings", 0, "ip_configuration", 0, "ssl_mode"], "ALLOW_UNENCRYPTED_AND_ENCRYPTED"],
	"google_alloydb_instance": [["client_connection_config", 0, "ssl_config", 0, "ssl_mode"], "ENCRYPTED_ONLY"],
	"google_redis_instance": [["transit_encryption_mode"], "DISABLED"],
	"google_redis_cluster": [["transit_encryption_mode"], "TRANSIT_ENCRYPTION_MODE_DISABLED"],
	"google_memorystore_instance": [["transit_encryption_mode"], "TRANSIT_ENCRYPTION_DISABLED"],
}

plain(mode) if mode == "ALLOW_UNENCRYPTED_AND_ENCRYPTED"

plain(mode) if endswith(mode, "DISABLED")

# As the provider wrote it up to version 5.
excused(rc) if google.value(rc, ["settings", 0, "ip_configuration", 0, "require_ssl"], false) == true

# A copy of another instance takes its settings over.
excused(rc) if {
	rc.type == "google_sql_database_instance"
	not google.given(rc, ["settings"])
}

# METADATA
# scope: package
# title: Database open to the internet (Google Cloud)
# description: Denies database instances that take connections from every address.
# custom:
#   severity: critical
#   level: mandatory
#   controls:
#     cis_gcp_3.0: ["6.5"]
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   why: >-
#     A database that everyone can reach is guarded by its passwords alone, and those are guessed,
#     reused and leaked.
#   mend: >-
#     Name the addresses that need access, or better, give the instance a private address only and
#     connect through the Auth Proxy.
#   examples:
#     bad:
#       hcl: |
#         resource "google_sql_database_instance" "orders" {
#           name             = "orders"
#           database_version = "POSTGRES_16"
#           settings {
#             tier = "db-custom-2-7680"
#             ip_configuration {
#               authorized_networks {
#                 name  = "all"
#                 value = "0.0.0.0/0"
#               }
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
#               authorized_networks {
#                 name  = "office"
#                 value = "198.51.100.0/24"
#               }
#             }
#           }
#         }
package tidelock.security.google.database_open

import data.tidelock.google
import data.tidelock.network

deny contains {"address": rc.address, "msg": message} if {
	some [rc, source] in allowed
	network.public(source)
	message := sprintf("%s may connect to this database.", [source])
}

allowed := array.concat(
	[[rc, block.value] |
		some rc in google.of({"google_sql_database_instance"})
		some block in google.blocks(rc, ["settings", 0, "ip_configuration", 0, "authorized_networks"])
		google.value(rc, ["settings", 0, "ip_configuration", 0, "ipv4_enabled"], true) == true
	],
	[[rc, block.cidr_range] |
		some rc in google.of({"google_alloydb_instance"})
		some block in google.blocks(rc, ["network_config", 0, "authorized_external_networks"])
	],
)

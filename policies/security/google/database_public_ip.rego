# METADATA
# scope: package
# title: Database with a public address (Google Cloud)
# description: Finds database instances with a public address.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["6.6"]
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   why: >-
#     A public address is one wrong entry among the authorized networks away from an open database.
#     Cloud SQL gives one unless told otherwise.
#   mend: >-
#     Set ipv4_enabled = false and private_network to the VPC, or use Private Service Connect
#     (psc_config). For AlloyDB, leave enable_public_ip out.
#   examples:
#     bad:
#       hcl: |
#         resource "google_sql_database_instance" "orders" {
#           name             = "orders"
#           database_version = "POSTGRES_16"
#           settings {
#             tier = "db-custom-2-7680"
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
#               ipv4_enabled    = false
#               private_network = "projects/acme/global/networks/main"
#             }
#           }
#         }
package tidelock.security.google.database_public_ip

import data.tidelock.google

deny contains {"address": rc.address, "msg": "This database has a public address: ipv4_enabled is true, which is its default."} if {
	some rc in google.of({"google_sql_database_instance"})

	# A copy of another instance takes its settings over.
	google.given(rc, ["settings"])
	google.value(rc, ["settings", 0, "ip_configuration", 0, "ipv4_enabled"], true) == true
}

deny contains {"address": rc.address, "msg": "This database has a public address: enable_public_ip is true."} if {
	some rc in google.of({"google_alloydb_instance"})
	google.value(rc, ["network_config", 0, "enable_public_ip"], false) == true
}

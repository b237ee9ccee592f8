# METADATA
# scope: package
# title: MySQL gives too much away
# description: >-
#   Finds MySQL instances whose flags let clients read files or see the databases of others.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["6.1.2", "6.1.3"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.8.9"]
#   why: >-
#     With local_infile a hostile server or statement reads files of the client; without
#     skip_show_database everyone sees which databases there are.
#   mend: >-
#     Set the database flags local_infile = off and skip_show_database = on.
#   examples:
#     bad:
#       hcl: |
#         resource "google_sql_database_instance" "shop" {
#           name             = "shop"
#           database_version = "MYSQL_8_0"
#           settings {
#             tier = "db-n1-standard-1"
#             database_flags {
#               name  = "local_infile"
#               value = "on"
#             }
#           }
#         }
#     good:
#       hcl: |
#         resource "google_sql_database_instance" "shop" {
#           name             = "shop"
#           database_version = "MYSQL_8_0"
#           settings {
#             tier = "db-n1-standard-1"
#             database_flags {
#               name  = "local_infile"
#               value = "off"
#             }
#             database_flags {
#               name  = "skip_show_database"
#               value = "on"
#             }
#           }
#         }
package tidelock.security.google.sql_flags_mysql

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.of({"google_sql_database_instance"})
	startswith(plan.text(rc.change.after, "database_version", ""), "MYSQL")
	google.given(rc, ["settings"])
	some name, [otherwise, right] in {"local_infile": ["on", "off"], "skip_show_database": ["off", "on"]}
	is := google.flag(rc, name, otherwise)
	lower(is) != right
	message := sprintf("The flag %s is %s; it should be %s.", [name, is, right])
}

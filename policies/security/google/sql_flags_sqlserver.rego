# METADATA
# scope: package
# title: SQL Server runs what it should not
# description: >-
#   Finds SQL Server instances whose flags allow outside scripts, remote procedures, chains of
#   ownership or users of a database's own.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["6.3.1", "6.3.2", "6.3.5", "6.3.6", "6.3.7"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.8.9"]
#   why: >-
#     Each of these lets rights in one database become rights in another or on the server, or tells
#     an attacker more than an error should.
#   mend: >-
#     Set the database_flags that the finding names.
#   examples:
#     bad:
#       hcl: |
#         resource "google_sql_database_instance" "ledger" {
#           name             = "ledger"
#           database_version = "SQLSERVER_2022_STANDARD"
#           settings {
#             tier = "db-custom-2-7680"
#             database_flags {
#               name  = "cross db ownership chaining"
#               value = "on"
#             }
#           }
#         }
#     good:
#       hcl: |
#         resource "google_sql_database_instance" "ledger" {
#           name             = "ledger"
#           database_version = "SQLSERVER_2022_STANDARD"
#           settings {
#             tier = "db-custom-2-7680"
#             database_flags {
#               name  = "remote access"
#               value = "off"
#             }
#             database_flags {
#               name  = "3625"
#               value = "on"
#             }
#           }
#         }
package tidelock.security.google.sql_flags_sqlserver

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.of({"google_sql_database_instance"})
	startswith(plan.text(rc.change.after, "database_version", ""), "SQLSERVER")
	google.given(rc, ["settings"])
	some name, [otherwise, right] in flags
	is := google.flag(rc, name, otherwise)
	lower(is) != right
	message := sprintf("The flag \"%s\" is %s; it should be %s.", [name, is, right])
}

# flags: what each is when the instance does not set it, and what it should be.
flags := {
	"external scripts enabled": ["off", "off"],
	"cross db ownership chaining": ["off", "off"],
	"remote access": ["on", "off"],
	"3625": ["off", "on"],
	"contained database authentication": ["off", "off"],
}

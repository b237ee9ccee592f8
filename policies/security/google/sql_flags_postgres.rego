# METADATA
# scope: package
# title: PostgreSQL writes too little down
# description: >-
#   Finds PostgreSQL instances whose flags keep connections and statements out of the log, or let
#   values into it.
# custom:
#   severity: low
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["6.2.1", "6.2.2", "6.2.3", "6.2.4", "6.2.5", "6.2.6", "6.2.7", "6.2.8"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   why: >-
#     Who connected, from where, and what they changed is asked after every incident. A log of slow
#     statements holds their values, passwords and personal data among them.
#   mend: >-
#     Set the database_flags that the finding names.
#   examples:
#     bad:
#       hcl: |
#         resource "google_sql_database_instance" "orders" {
#           name             = "orders"
#           database_version = "POSTGRES_16"
#           settings {
#             tier = "db-custom-2-7680"
#             database_flags {
#               name  = "log_connections"
#               value = "off"
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
#             database_flags {
#               name  = "log_connections"
#               value = "on"
#             }
#             database_flags {
#               name  = "log_disconnections"
#               value = "on"
#             }
#             database_flags {
#               name  = "log_statement"
#               value = "ddl"
#             }
#             database_flags {
#               name  = "cloudsql.enable_pgaudit"
#               value = "on"
#             }
#           }
#         }
package tidelock.security.google.sql_flags_postgres

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.of({"google_sql_database_instance"})
	startswith(plan.text(rc.change.after, "database_version", ""), "POSTGRES")
	google.given(rc, ["settings"])
	some name, [otherwise, right] in flags
	is := google.flag(rc, name, otherwise)
	not lower(is) in right
	message := sprintf("The flag %s is %s; it should be %s.", [name, is, right[0]])
}

# flags: what each is when the instance does not set it, and what it may be, the
# best first.
flags := {
	"log_error_verbosity": ["default", ["default", "terse"]],
	"log_connections": ["off", ["on", "all"]],
	"log_disconnections": ["off", ["on"]],
	"log_statement": ["none", ["ddl", "mod", "all"]],
	"log_min_messages": ["warning", ["warning", "error", "log", "fatal", "panic"]],
	"log_min_error_statement": ["error", ["error", "log", "fatal", "panic"]],
	"log_min_duration_statement": ["-1", ["-1"]],
	"cloudsql.enable_pgaudit": ["off", ["on"]],
}

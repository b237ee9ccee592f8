# METADATA
# scope: package
# title: Database that takes connections without TLS (AWS)
# description: Finds parameter groups that turn required TLS off.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Queries, results and passwords cross the network in plain text, where whoever gets into it
#     reads them.
#   mend: >-
#     Set rds.force_ssl, require_secure_transport or require_ssl to on, and tls to enabled for
#     DocumentDB.
#   controls:
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.20", "A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_db_parameter_group" "orders" {
#           name   = "orders"
#           family = "postgres16"
#           parameter {
#             name  = "rds.force_ssl"
#             value = "0"
#           }
#         }
#     good:
#       hcl: |
#         resource "aws_db_parameter_group" "orders" {
#           name   = "orders"
#           family = "postgres16"
#           parameter {
#             name  = "rds.force_ssl"
#             value = "1"
#           }
#         }
package tidelock.security.aws.database_tls

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_db_parameter_group", "aws_rds_cluster_parameter_group", "aws_docdb_cluster_parameter_group", "aws_redshift_parameter_group"})
	some parameter in aws.blocks(rc.change.after, "parameter")
	lower(parameter.name) in {"rds.force_ssl", "require_secure_transport", "require_ssl", "tls"}
	lower(parameter.value) in {"0", "off", "false", "disabled"}
	message := sprintf("TLS is not required: %s is %s.", [parameter.name, parameter.value])
}

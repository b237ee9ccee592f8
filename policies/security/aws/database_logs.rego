# METADATA
# scope: package
# title: Database without logs (AWS)
# description: Finds databases and warehouses that send no logs to CloudWatch or S3.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Without the log of errors and connections nobody can tell after the fact who came in and
#     what failed.
#   mend: >-
#     Set enabled_cloudwatch_logs_exports to the logs of the engine, and add an
#     aws_redshift_logging for Redshift.
#   controls:
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier = "orders"
#           engine     = "postgres"
#         }
#     good:
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier                      = "orders"
#           engine                          = "postgres"
#           enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
#         }
package tidelock.security.aws.database_logs

import data.tidelock.aws
import data.tidelock.references

deny contains {"address": rc.address, "msg": "No log goes to CloudWatch."} if {
	some rc in aws.databases
	not aws.set(rc, ["enabled_cloudwatch_logs_exports"])
}

deny contains {"address": rc.address, "msg": "Who connects and what they ask is logged nowhere."} if {
	some rc in aws.of({"aws_redshift_cluster"})
	not aws.set(rc, ["logging"])
	not logged[rc.address]
}

logged := references.attached("aws_redshift_logging", "cluster_identifier", "aws_redshift_cluster")

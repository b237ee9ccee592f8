# METADATA
# scope: package
# title: Database that faces the internet (AWS)
# description: Denies databases, brokers and warehouses with a public address.
# custom:
#   severity: high
#   level: mandatory
#   why: >-
#     A database on the internet is found within minutes and its password is tried without pause,
#     and a fault in its own server is open to all.
#   mend: >-
#     Set publicly_accessible = false and reach it from within the VPC, through a VPN or with
#     Session Manager.
#   controls:
#     cis_aws_3.0: ["2.3.3"]
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier          = "orders"
#           publicly_accessible = true
#         }
#     good:
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier          = "orders"
#           publicly_accessible = false
#         }
package tidelock.security.aws.public_database

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "It is reachable from the internet: publicly_accessible is true."} if {
	some rc in aws.of({
		"aws_db_instance", "aws_rds_cluster_instance", "aws_neptune_cluster_instance", "aws_redshift_cluster",
		"aws_redshiftserverless_workgroup", "aws_dms_replication_instance", "aws_mq_broker", "aws_lightsail_database",
	})
	rc.change.after.publicly_accessible == true
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_msk_cluster"})
	type := aws.value(rc, ["broker_node_group_info", 0, "connectivity_info", 0, "public_access", 0, "type"], "DISABLED")
	type != "DISABLED"
	message := sprintf("Its brokers are reachable from the internet: public_access is %s.", [type])
}

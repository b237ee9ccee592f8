# METADATA
# scope: package
# title: File transfer without encryption (AWS)
# description: Finds Transfer Family servers that speak FTP, and topics that send messages by plain HTTP.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     FTP and HTTP send names, passwords and data in plain text.
#   mend: >-
#     Take FTP out of protocols and use SFTP, and subscribe with https.
#   controls:
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.20", "A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_transfer_server" "partners" {
#           protocols = ["SFTP", "FTP"]
#         }
#     good:
#       hcl: |
#         resource "aws_transfer_server" "partners" {
#           protocols = ["SFTP"]
#         }
package tidelock.security.aws.transfer_plain

import data.tidelock.aws
import data.tidelock.plan

deny contains {"address": rc.address, "msg": "The server speaks FTP, which encrypts nothing."} if {
	some rc in aws.of({"aws_transfer_server"})
	"FTP" in plan.list(rc.change.after, "protocols")
}

deny contains {"address": rc.address, "msg": "Messages are sent by plain HTTP: protocol is http."} if {
	some rc in aws.of({"aws_sns_topic_subscription"})
	rc.change.after.protocol == "http"
}

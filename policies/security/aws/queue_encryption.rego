# METADATA
# scope: package
# title: Queue or topic without encryption (AWS)
# description: Finds SQS queues whose encryption is turned off, and SNS topics without a KMS key.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     What is sent through queues and topics lies there for days. Encryption costs nothing, and
#     with a key of one's own each reader needs a right to it.
#   mend: >-
#     Leave sqs_managed_sse_enabled on or set kms_master_key_id.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_sns_topic" "orders" {
#           name = "orders"
#         }
#     good:
#       hcl: |
#         resource "aws_sns_topic" "orders" {
#           name              = "orders"
#           kms_master_key_id = "alias/orders"
#         }
package tidelock.security.aws.queue_encryption

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "The queue is not encrypted: sqs_managed_sse_enabled is false."} if {
	some rc in aws.of({"aws_sqs_queue"})
	rc.change.after.sqs_managed_sse_enabled == false
	not aws.set(rc, ["kms_master_key_id"])
}

deny contains {"address": rc.address, "msg": "The topic has no KMS key."} if {
	some rc in aws.of({"aws_sns_topic"})
	not aws.set(rc, ["kms_master_key_id"])
}

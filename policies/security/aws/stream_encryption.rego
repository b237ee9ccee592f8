# METADATA
# scope: package
# title: Stream or broker without encryption (AWS)
# description: Finds Kinesis streams, Firehose streams and MSK clusters that store or carry messages in plain text.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Messages hold what the systems behind them hold. In plain text they are readable on the
#     network and on the disks of the broker.
#   mend: >-
#     Set encryption_type = "KMS" (Kinesis), a server_side_encryption block (Firehose),
#     client_broker = "TLS" and in_cluster = true (MSK).
#   controls:
#     soc2: ["CC6.1", "CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_kinesis_stream" "events" {
#           name        = "events"
#           shard_count = 1
#         }
#     good:
#       hcl: |
#         resource "aws_kinesis_stream" "events" {
#           name            = "events"
#           shard_count     = 1
#           encryption_type = "KMS"
#           kms_key_id      = "alias/aws/kinesis"
#         }
package tidelock.security.aws.stream_encryption

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "The stream is not encrypted: encryption_type is NONE."} if {
	some rc in aws.of({"aws_kinesis_stream"})
	aws.value(rc, ["encryption_type"], "NONE") == "NONE"
}

# One that reads from a Kinesis stream is encrypted as that stream is.
deny contains {"address": rc.address, "msg": "The stream is not encrypted."} if {
	some rc in aws.of({"aws_kinesis_firehose_delivery_stream"})
	aws.value(rc, ["server_side_encryption", 0, "enabled"], false) == false
	not aws.set(rc, ["kinesis_source_configuration"])
	not aws.set(rc, ["msk_source_configuration"])
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_msk_cluster"})
	way := aws.chosen(rc, ["encryption_info", 0, "encryption_in_transit", 0, "client_broker"], "TLS")
	way != "TLS"
	message := sprintf("Clients may connect without TLS: client_broker is %s.", [way])
}

deny contains {"address": rc.address, "msg": "Brokers talk to each other without TLS: in_cluster is false."} if {
	some rc in aws.of({"aws_msk_cluster"})
	rc.change.after.encryption_info[0].encryption_in_transit[0].in_cluster == false
}

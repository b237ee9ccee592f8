# METADATA
# scope: package
# title: Bucket without a KMS key (AWS)
# description: Finds buckets whose default encryption is not by a KMS key.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     S3 encrypts every object by itself, with keys that whoever may read the bucket may use as
#     well. With a KMS key a second right is needed, each use is logged, and access can be cut off
#     in one place.
#   mend: >-
#     Add an aws_s3_bucket_server_side_encryption_configuration with sse_algorithm = "aws:kms" and
#     bucket_key_enabled = true.
#   controls:
#     soc2: ["CC6.1", "CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_s3_bucket" "data" {
#           bucket = "acme-data"
#         }
#     good:
#       hcl: |
#         resource "aws_s3_bucket" "data" {
#           bucket = "acme-data"
#         }
#         resource "aws_s3_bucket_server_side_encryption_configuration" "data" {
#           bucket = aws_s3_bucket.data.id
#           rule {
#             apply_server_side_encryption_by_default {
#               sse_algorithm = "aws:kms"
#             }
#           }
#         }
package tidelock.security.aws.s3_encryption

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "The bucket is encrypted with keys of S3, not with a KMS key."} if {
	some rc in aws.of({"aws_s3_bucket"})
	not aws.log_buckets[rc.address]
	not by_key(rc)
}

# A rule whose algorithm is not known may well be the right one.
by_key(rc) if {
	some part in settings_of[rc.address]
	some rule in aws.blocks(part.change.after, "rule")
	some by_default in aws.blocks(rule, "apply_server_side_encryption_by_default")
	object.get(by_default, "sse_algorithm", "aws:kms") in {"aws:kms", "aws:kms:dsse", null}
}

# The form of the provider before version 4.
by_key(rc) if {
	some block in aws.blocks(rc.change.after, "server_side_encryption_configuration")
	some rule in aws.blocks(block, "rule")
	some by_default in aws.blocks(rule, "apply_server_side_encryption_by_default")
	by_default.sse_algorithm == "aws:kms"
}

settings_of := aws.parts("aws_s3_bucket_server_side_encryption_configuration")

# METADATA
# scope: package
# title: CloudTrail without a KMS key (AWS)
# description: Finds trails whose log files are not encrypted with a KMS key.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     The log tells who does what where. With a key of its own, whoever may read the bucket still
#     needs a right to the key.
#   mend: >-
#     Set kms_key_id to a key whose policy lets CloudTrail encrypt.
#   controls:
#     cis_aws_3.0: ["3.5"]
#     soc2: ["CC6.1", "CC7.2"]
#     iso27001_2022: ["A.8.15", "A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_cloudtrail" "audit" {
#           name           = "audit"
#           s3_bucket_name = "acme-audit"
#         }
#     good:
#       hcl: |
#         resource "aws_cloudtrail" "audit" {
#           name           = "audit"
#           s3_bucket_name = "acme-audit"
#           kms_key_id     = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d"
#         }
package tidelock.security.aws.cloudtrail_encryption

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "The log files are not encrypted with a KMS key."} if {
	some rc in aws.of({"aws_cloudtrail", "aws_cloudtrail_event_data_store"})
	not aws.set(rc, ["kms_key_id"])
}

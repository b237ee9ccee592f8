# METADATA
# scope: package
# title: Bucket without access logs (AWS)
# description: Finds buckets that write no log of who reads and writes them.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     After a leak the first question is what was read, and by whom. Without a log nobody can
#     tell.
#   mend: >-
#     Add an aws_s3_bucket_logging that writes to a bucket for logs, or record data events in
#     CloudTrail.
#   controls:
#     cis_aws_3.0: ["3.4"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
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
#         resource "aws_s3_bucket_logging" "data" {
#           bucket        = aws_s3_bucket.data.id
#           target_bucket = "acme-logs"
#           target_prefix = "data/"
#         }
package tidelock.security.aws.s3_logging

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "Who reads and writes the bucket is logged nowhere."} if {
	some rc in aws.of({"aws_s3_bucket"})
	not settings_of[rc.address]
	not aws.log_buckets[rc.address]
	count(aws.blocks(rc.change.after, "logging")) == 0
}

settings_of := aws.parts("aws_s3_bucket_logging")

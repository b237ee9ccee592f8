# METADATA
# scope: package
# title: Bucket without versions (AWS)
# description: Finds buckets that keep no earlier versions of their objects.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Without versions an overwritten or deleted object is gone: by a mistake, by a faulty
#     program, or by someone who asks for a ransom.
#   mend: >-
#     Add an aws_s3_bucket_versioning with status = "Enabled", and a lifecycle rule that removes
#     old versions after a while.
#   controls:
#     soc2: ["A1.2"]
#     iso27001_2022: ["A.8.13"]
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
#         resource "aws_s3_bucket_versioning" "data" {
#           bucket = aws_s3_bucket.data.id
#           versioning_configuration {
#             status = "Enabled"
#           }
#         }
package tidelock.security.aws.s3_versioning

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "The bucket keeps no versions of its objects."} if {
	some rc in aws.of({"aws_s3_bucket"})
	not settings_of[rc.address]
	not aws.log_buckets[rc.address]
	count([b | some b in aws.blocks(rc.change.after, "versioning"); b.enabled == true]) == 0
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_s3_bucket_versioning"})
	status := aws.value(rc, ["versioning_configuration", 0, "status"], "Disabled")
	status != "Enabled"
	message := sprintf("Versions are not kept: status is %s.", [status])
}

settings_of := aws.parts("aws_s3_bucket_versioning")

# METADATA
# scope: package
# title: Bucket without a public access block (AWS)
# description: Finds buckets whose public access is not blocked in all four ways, by a block of their own or of the account.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     The block holds whatever ACLs and policies say later: with it, one careless statement no
#     longer makes a bucket public.
#   mend: >-
#     Add an aws_s3_bucket_public_access_block with all four arguments true, or an
#     aws_s3_account_public_access_block for the whole account.
#   controls:
#     cis_aws_3.0: ["2.1.4"]
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.8.3", "A.8.12"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_s3_bucket" "data" {
#           bucket = "acme-data"
#         }
#         resource "aws_s3_bucket_public_access_block" "data" {
#           bucket              = "acme-data"
#           block_public_acls   = true
#           block_public_policy = true
#         }
#     good:
#       hcl: |
#         resource "aws_s3_bucket" "data" {
#           bucket = "acme-data"
#         }
#         resource "aws_s3_bucket_public_access_block" "data" {
#           bucket                  = aws_s3_bucket.data.id
#           block_public_acls       = true
#           block_public_policy     = true
#           ignore_public_acls      = true
#           restrict_public_buckets = true
#         }
package tidelock.security.aws.s3_public_access_block

import data.tidelock.aws
import data.tidelock.plan

deny contains {"address": rc.address, "msg": "No public access block belongs to this bucket."} if {
	some rc in aws.of({"aws_s3_bucket"})
	not whole_account
	not blocks[rc.address]
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block"})
	open := off(rc)
	count(open) > 0
	message := sprintf("Public access stays possible: %s should be true.", [aws.listed(open)])
}

blocks := aws.parts("aws_s3_bucket_public_access_block")

whole_account if {
	some rc in plan.of("aws_s3_account_public_access_block")
	count(off(rc)) == 0
}

off(rc) := {argument |
	some argument in {"block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"}
	aws.value(rc, [argument], false) == false
}

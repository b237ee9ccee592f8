# METADATA
# scope: package
# title: CloudTrail whose logs can be changed (AWS)
# description: Finds trails that do not sign their log files.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Who breaks in cleans up the log. With validation, each changed or missing file is noticed.
#   mend: >-
#     Set enable_log_file_validation = true.
#   controls:
#     cis_aws_3.0: ["3.2"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
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
#           name                       = "audit"
#           s3_bucket_name             = "acme-audit"
#           enable_log_file_validation = true
#         }
package tidelock.security.aws.cloudtrail_validation

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "Log files are not signed: enable_log_file_validation is not true."} if {
	some rc in aws.of({"aws_cloudtrail"})
	aws.value(rc, ["enable_log_file_validation"], false) == false
}

# METADATA
# scope: package
# title: CloudTrail that does not see all (AWS)
# description: Finds trails that record one region only, leave global services out or are stopped.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     Who breaks in works in the region that nobody looks at. A trail of one region, or a stopped
#     one, shows nothing of it.
#   mend: >-
#     Set is_multi_region_trail = true, and leave enable_logging and include_global_service_events
#     on.
#   controls:
#     cis_aws_3.0: ["3.1"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15", "A.8.16"]
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
#           name                  = "audit"
#           s3_bucket_name        = "acme-audit"
#           is_multi_region_trail = true
#         }
package tidelock.security.aws.cloudtrail_everywhere

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_cloudtrail"})
	some argument, [otherwise, text] in {
		"is_multi_region_trail": [false, "The trail records one region only"],
		"enable_logging": [true, "The trail is stopped"],
		"include_global_service_events": [true, "The trail leaves IAM and other global services out"],
	}
	aws.value(rc, [argument], otherwise) == false
	message := sprintf("%s: %s is not true.", [text, argument])
}

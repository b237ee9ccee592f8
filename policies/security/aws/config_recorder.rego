# METADATA
# scope: package
# title: AWS Config is off or sees a part only (AWS)
# description: Finds configuration recorders that are stopped or record some types only.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Without the recorder nobody can tell what a resource looked like before an incident, and
#     rules about the account judge nothing.
#   mend: >-
#     Set is_enabled = true, and all_supported and include_global_resource_types in
#     recording_group.
#   controls:
#     cis_aws_3.0: ["3.3"]
#     soc2: ["CC7.1", "CC7.2"]
#     iso27001_2022: ["A.8.9", "A.8.16"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_config_configuration_recorder_status" "this" {
#           name       = "default"
#           is_enabled = false
#         }
#     good:
#       hcl: |
#         resource "aws_config_configuration_recorder_status" "this" {
#           name       = "default"
#           is_enabled = true
#         }
package tidelock.security.aws.config_recorder

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "The recorder is stopped."} if {
	some rc in aws.of({"aws_config_configuration_recorder_status"})
	rc.change.after.is_enabled == false
}

deny contains {"address": rc.address, "msg": "Not every type of resource is recorded: all_supported is false."} if {
	some rc in aws.of({"aws_config_configuration_recorder"})
	some group in aws.blocks(rc.change.after, "recording_group")
	group.all_supported == false
	count(aws.blocks(group, "exclusion_by_resource_types")) == 0
}

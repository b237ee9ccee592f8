# METADATA
# scope: package
# title: GuardDuty is off (AWS)
# description: Finds GuardDuty detectors and organisation settings that are turned off.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     GuardDuty notices stolen keys, mining and calls home from logs that are there anyway. Turned
#     off, nobody does.
#   mend: >-
#     Set enable = true, and auto_enable_organization_members = "ALL".
#   controls:
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.16"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_guardduty_detector" "this" {
#           enable = false
#         }
#     good:
#       hcl: |
#         resource "aws_guardduty_detector" "this" {
#           enable = true
#         }
package tidelock.security.aws.guardduty_off

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "GuardDuty is off: enable is false."} if {
	some rc in aws.of({"aws_guardduty_detector"})
	rc.change.after.enable == false
}

deny contains {"address": rc.address, "msg": "New accounts of the organisation are left without GuardDuty."} if {
	some rc in aws.of({"aws_guardduty_organization_configuration"})
	rc.change.after.auto_enable_organization_members == "NONE"
}

# METADATA
# scope: package
# title: An expensive kind of resource
# description: Finds new resources of types that the settings list as expensive as soon as they exist.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Some services bill hundreds or thousands a month from the first hour, whether they are used or
#     not, and some for a year at least.
#   mend: >-
#     Make sure that it is wanted and that none can be shared. If it is, an owner of the policies
#     can take the type off the list in expensive_types.
#   examples:
#     bad:
#       hcl: |
#         resource "aws_shield_subscription" "all" {
#           auto_renew = "ENABLED"
#         }
#     good:
#       hcl: |
#         resource "aws_wafv2_ip_set" "blocked" {
#           name               = "blocked"
#           scope              = "REGIONAL"
#           ip_address_version = "IPV4"
#         }
package tidelock.cost.expensive

import data.tidelock.cost.settings
import data.tidelock.patterns
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some type, rcs in plan.made
	patterns.globbed(settings.expensive_types, type)
	some rc in rcs
	rc.change.actions == ["create"]
	message := sprintf("A new %s costs much from its first hour.", [type])
}

deny contains {"msg": message} if {
	some pattern in patterns.unglobbable(settings.expensive_types)
	message := sprintf("The setting cost.expensive_types has %q, which can't be read as a pattern.", [pattern])
}

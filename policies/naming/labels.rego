# METADATA
# scope: package
# title: A label off the pattern
# description: Finds new resource blocks whose label is not written in small letters, digits and underscores, or as the settings have it.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Arguments and types have underscores, so a label with dashes or capitals reads as another word
#     and needs quotes in places. Changing it later takes a moved block.
#   mend: Write the label in small letters with underscores before the resource is made.
#   examples:
#     bad:
#       hcl: |
#         resource "aws_sqs_queue" "Orders-Queue" {
#           name = "orders"
#         }
#     good:
#       hcl: |
#         resource "aws_sqs_queue" "orders" {
#           name = "orders"
#         }
package tidelock.naming.labels

import data.tidelock.naming.names
import data.tidelock.naming.settings
import data.tidelock.patterns

# One finding for a block, however many it makes.
deny contains {"address": address, "msg": message} if {
	some rc in names.fresh
	some pattern in settings.label_patterns
	not regex.match(pattern, rc.name)
	address := regex.replace(rc.address, `\[[^\]]*\]$`, "")
	message := sprintf("The label %q does not match %s.", [rc.name, pattern])
}

deny contains {"msg": message} if {
	some pattern in patterns.invalid(settings.label_patterns)
	message := sprintf("The setting naming.label_patterns has %q, which is no regular expression.", [pattern])
}

# METADATA
# scope: package
# title: A reserved word in a name
# description: Finds new resources whose name has a word that the settings reserve. Off without settings.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Words such as prod or the names of other teams make people and scripts take a resource for
#     what it is not.
#   mend: Choose a name without the word in the message.
#   examples:
#     bad:
#       settings: { naming: { reserved: ["prod"] } }
#       hcl: |
#         resource "aws_sqs_queue" "try" {
#           name = "orders-prod-try" # where prod is reserved
#         }
#     good:
#       settings: { naming: { reserved: ["prod"] } }
#       hcl: |
#         resource "aws_sqs_queue" "try" {
#           name = "orders-try"
#         }
package tidelock.naming.reserved

import data.tidelock.naming.names
import data.tidelock.naming.settings

deny contains {"address": rc.address, "msg": message} if {
	count(settings.reserved) > 0
	words := {lower(word) | some word in settings.reserved}
	some [rc, name] in names.named
	some part in regex.split(`[-_./ ]+`, lower(name))
	part in words
	message := sprintf("The name %q has the reserved word %s.", [name, part])
}

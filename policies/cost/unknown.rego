# METADATA
# scope: package
# title: The cost is not known
# description: Tells where not everything in a plan could be priced. Off unless the setting tell_unknown is true.
# custom:
#   severity: low
#   level: advisory
#   why: Limits on cost hold only for what has a price; the rest passes them unseen.
#   mend: Give what the estimate asks for, such as the expected use, or look the price up and note it in the pull request.
#   examples:
#     bad:
#       settings: { cost: { tell_unknown: true } }
#       cost: { currency: USD, before: 10, after: 10, delta: 0, known: false }
#       hcl: |
#         resource "aws_kendra_index" "docs" {
#           name = "docs" # there is no price for it
#         }
#     good:
#       settings: { cost: { tell_unknown: true } }
#       cost: { currency: USD, before: 10, after: 18, delta: 8, known: true }
#       hcl: |
#         resource "aws_instance" "web" {
#           instance_type = "t3.micro"
#         }
package tidelock.cost.unknown

import data.tidelock.cost.settings

deny contains {"msg": "Not everything in this plan could be priced, so that the cost is more than the estimate says."} if {
	settings.tell_unknown
	input.cost.known == false
}

# METADATA
# scope: package
# title: Data would be let go of
# description: Tells of resources with data that Terraform would forget and leave where they are.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     What Terraform forgets stays and costs, but nobody's code describes it any more: no plan shows
#     when someone opens it to the world or deletes it.
#   mend: >-
#     Make sure that another project takes it over with an import block, or note in the pull request
#     who looks after it from now on.
#   controls:
#     soc2: ["CC6.1", "CC8.1"]
#     iso27001_2022: ["A.5.9"]
#   examples:
#     bad:
#       before: |
#         resource "aws_s3_bucket" "invoices" {
#           bucket = "invoices"
#         }
#       hcl: |
#         removed {
#           from = aws_s3_bucket.invoices
#           lifecycle {
#             destroy = false
#           }
#         }
#     good:
#       before: |
#         resource "aws_s3_bucket_policy" "invoices" {
#           bucket = "invoices"
#         }
#       hcl: |
#         removed {
#           from = aws_s3_bucket_policy.invoices
#           lifecycle {
#             destroy = false
#           }
#         }
package tidelock.destruction.forgotten

import data.tidelock.destruction.stateful
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some rc in plan.managed
	"forget" in rc.change.actions
	stateful.stateful[rc.type]
	message := sprintf("This %s would be forgotten: it stays, and nothing manages it.", [rc.type])
}

# METADATA
# scope: package
# title: Deleting would take the contents along
# description: Finds flags that make a deletion go through although data is in the resource, where they are switched on.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A bucket with objects and a registry with images can't be deleted by mistake, unless a flag
#     says so. With it, one removed block takes all of it, and no final snapshot is left.
#   mend: >-
#     Leave the flag out, and empty the resource by hand on the day it is to go. If the contents are
#     worth nothing, a person sets the label allow-destroy on the pull request.
#   controls:
#     soc2: ["A1.2"]
#     iso27001_2022: ["A.8.10", "A.8.13"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_s3_bucket" "invoices" {
#           bucket        = "invoices"
#           force_destroy = true
#         }
#     good:
#       hcl: |
#         resource "aws_s3_bucket" "invoices" {
#           bucket        = "invoices"
#           force_destroy = false
#         }
package tidelock.destruction.force_destroy

import data.tidelock.destruction.settings
import data.tidelock.destruction.stateful
import data.tidelock.labels
import data.tidelock.plan

# What was so before is not found again with every plan.
deny contains {"address": rc.address, "msg": message} if {
	not labels.any_set(settings.labels)
	some type, rcs in plan.made
	stateful.stateful[type]
	some rc in rcs
	some name in flags
	rc.change.after[name] == true
	not rc.change.before[name] == true
	message := sprintf("%s is on: deleting this %s would lose what it holds.", [name, type])
}

flags := {"force_destroy", "force_delete", "skip_final_snapshot", "delete_contents_on_destroy", "skip_final_backup", "force_destroy_snapshots"}

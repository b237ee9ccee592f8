# METADATA
# scope: package
# title: Data would be destroyed
# description: Denies a plan that deletes or replaces a resource which holds data, unless the pull request is labelled.
# custom:
#   severity: critical
#   level: mandatory
#   why: >-
#     A database, bucket, disk, key or zone that is deleted takes its data with it, and a
#     replaced one comes back empty. One changed argument that forces a replacement is enough.
#   mend: >-
#     Undo the change that destroys it, move it with a moved block, or let go of it with a removed
#     block and destroy = false. If the data may go, a person sets the label allow-destroy on the
#     pull request.
#   examples:
#     bad:
#       action: replace
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier        = "orders"
#           storage_encrypted = true # was false; this forces a replacement
#         }
#     good:
#       action: replace
#       labels: [allow-destroy]
#       hcl: |
#         # The same change, on a pull request with the label allow-destroy.
#         resource "aws_db_instance" "orders" {
#           identifier        = "orders"
#           storage_encrypted = true
#         }
package tidelock.destruction.stateful

import data.tidelock.destruction.settings
import data.tidelock.destruction.types
import data.tidelock.labels
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message(rc)} if {
	not labels.any_set(settings.labels)
	some type, rcs in plan.destroyed
	stateful[type]
	some rc in rcs
}

stateful := (types.stateful | {t | some t in settings.extra_types}) - {t | some t in settings.exempt_types}

message(rc) := sprintf("The old object of this %s (deposed %s) would be destroyed.", [rc.type, rc.deposed]) if rc.deposed

else := sprintf("This %s would be destroyed and created again, without its data%s.", [rc.type, forced(rc)]) if plan.replaced(rc)

else := sprintf("This %s would be destroyed with its data.", [rc.type])

# The attributes that force a replacement, where Terraform names them.
forced(rc) := sprintf(": %s can't be changed in place", [concat(", ", names)]) if {
	names := sort({path[0] | some path in rc.change.replace_paths; is_string(path[0])})
	count(names) > 0
} else := ""

# METADATA
# scope: package
# title: Much would be destroyed at once
# description: Denies a plan that destroys more resources, or a larger share of them, than one pull request should.
# custom:
#   severity: high
#   level: mandatory
#   why: >-
#     A renamed module, a lost workspace or an emptied list makes Terraform destroy everything
#     that it no longer finds. Such plans look like any other until someone counts.
#   mend: >-
#     Look for a renamed module or a changed for_each key, and add moved blocks. If all of it may
#     go, a person sets the label allow-destroy on the pull request.
#   examples:
#     bad:
#       action: delete
#       count: 21
#       hcl: |
#         resource "aws_instance" "worker" {} # 21 of them, and all would go
#     good:
#       action: delete
#       hcl: |
#         resource "aws_instance" "worker" {} # one goes
package tidelock.destruction.mass

import data.tidelock.destruction.settings
import data.tidelock.labels
import data.tidelock.plan

deny contains {"msg": message} if {
	not labels.any_set(settings.labels)
	plan.destroy_count > settings.most
	message := sprintf("%d resources would be destroyed; more than %d need a label.", [plan.destroy_count, settings.most])
}

deny contains {"msg": message} if {
	not labels.any_set(settings.labels)
	plan.destroy_count <= settings.most
	plan.destroy_count >= 5
	plan.destroy_count * 100 > plan.existing_count * settings.most_percent
	message := sprintf("%d of %d resources would be destroyed; more than %d %% of a project need a label.", [plan.destroy_count, plan.existing_count, settings.most_percent])
}

# METADATA
# scope: package
# title: Image or snapshot that is shared with everyone (AWS)
# description: Denies machine images, snapshots and documents that every AWS account may copy.
# custom:
#   severity: critical
#   level: mandatory
#   why: >-
#     Images and snapshots hold whole disks: source code, keys, customers' data. Public ones are
#     copied by machines within minutes of appearing.
#   mend: >-
#     Share with named accounts, and keep block public access for images and snapshots on.
#   controls:
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.8.3", "A.8.12"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_ami_launch_permission" "base" {
#           image_id = "ami-0abcdef1234567890"
#           group    = "all"
#         }
#     good:
#       hcl: |
#         resource "aws_ami_launch_permission" "base" {
#           image_id   = "ami-0abcdef1234567890"
#           account_id = "111122223333"
#         }
package tidelock.security.aws.public_sharing

import data.tidelock.aws
import data.tidelock.plan

deny contains {"address": rc.address, "msg": "Every AWS account may start machines from the image."} if {
	some rc in aws.of({"aws_ami_launch_permission"})
	rc.change.after.group == "all"
}

deny contains {"address": rc.address, "msg": "Every AWS account may copy the snapshot."} if {
	some rc in aws.of({"aws_db_snapshot", "aws_db_cluster_snapshot", "aws_db_snapshot_copy", "aws_rds_cluster_snapshot_copy"})
	"all" in plan.list(rc.change.after, "shared_accounts")
}

deny contains {"address": rc.address, "msg": "Every AWS account may read the document."} if {
	some rc in aws.of({"aws_ssm_document"})
	lower(rc.change.after.permissions.account_ids) == "all"
}

deny contains {"address": rc.address, "msg": message, "level": "advisory"} if {
	some rc in aws.of({"aws_ec2_image_block_public_access", "aws_ebs_snapshot_block_public_access"})
	rc.change.after.state == "unblocked"
	message := "The account no longer keeps images or snapshots from being made public."
}

# METADATA
# scope: package
# title: Disk without encryption (AWS)
# description: Finds EBS volumes, disks of instances and templates, and copies of snapshots and images that are not encrypted.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     An unencrypted disk can be read by whoever gets a snapshot of it, and can't be encrypted
#     later without making it anew.
#   mend: >-
#     Set encrypted = true, or encrypt every new disk of the account with
#     aws_ebs_encryption_by_default.
#   controls:
#     cis_aws_3.0: ["2.2.1"]
#     soc2: ["CC6.1", "CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_ebs_volume" "data" {
#           availability_zone = "eu-west-1a"
#           size              = 100
#         }
#     good:
#       hcl: |
#         resource "aws_ebs_volume" "data" {
#           availability_zone = "eu-west-1a"
#           size              = 100
#           encrypted         = true
#         }
package tidelock.security.aws.ebs_encryption

import data.tidelock.aws
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	not default_on
	some [rc, disk] in plain
	message := sprintf("%s is not encrypted.", [disk])
}

deny contains {"address": rc.address, "msg": "New disks of the account are not encrypted by default."} if {
	some rc in aws.of({"aws_ebs_encryption_by_default"})
	rc.change.after.enabled == false
}

default_on if {
	some rc in plan.of("aws_ebs_encryption_by_default")
	aws.value(rc, ["enabled"], true) == true
}

plain := array.concat(array.concat(whole, in_blocks), in_templates)

# A volume from a snapshot is encrypted as the snapshot is.
whole := [[rc, "The disk"] |
	some rc in aws.of({"aws_ebs_volume", "aws_ebs_snapshot_copy", "aws_ami_copy", "aws_ebs_snapshot_import"})
	not aws.yes(aws.chosen(rc, ["encrypted"], false))
	not from_snapshot(rc.change.after)
]

from_snapshot(o) if not object.get(o, "snapshot_id", null) in {null, ""}

in_blocks := [[rc, sprintf("The disk %s", [object.get(disk, "device_name", "of the system")])] |
	some rc in aws.of({"aws_instance", "aws_launch_configuration", "aws_spot_instance_request", "aws_ami"})
	some block in {"root_block_device", "ebs_block_device"}
	some i, disk in aws.blocks(rc.change.after, block)
	object.get(disk, "encrypted", null) in {false, null}
	not from_snapshot(disk)
	not handed_in(rc, block, i)
]

in_templates := [[rc, sprintf("The disk %s", [object.get(mapping, "device_name", "of the template")])] |
	some rc in aws.of({"aws_launch_template"})
	some mapping in aws.blocks(rc.change.after, "block_device_mappings")
	some disk in aws.blocks(mapping, "ebs")
	not aws.yes(object.get(disk, "encrypted", false))
	not from_snapshot(disk)
]

# A snapshot whose ID only the apply will tell.
handed_in(rc, block, i) if plan.unknown(rc)[block][i].snapshot_id == true

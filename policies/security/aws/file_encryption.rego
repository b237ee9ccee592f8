# METADATA
# scope: package
# title: File system without encryption (AWS)
# description: Finds EFS file systems that are not encrypted, and EFS volumes of tasks that are mounted without TLS.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A file system that was made without encryption can't be encrypted later, and its backups are
#     readable for whoever gets one.
#   mend: >-
#     Set encrypted = true, and transit_encryption = "ENABLED" where a task mounts it.
#   controls:
#     cis_aws_3.0: ["2.4.1"]
#     soc2: ["CC6.1", "CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_efs_file_system" "shared" {
#           creation_token = "shared"
#         }
#     good:
#       hcl: |
#         resource "aws_efs_file_system" "shared" {
#           creation_token = "shared"
#           encrypted      = true
#         }
package tidelock.security.aws.file_encryption

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "The file system is not encrypted."} if {
	some rc in aws.of({"aws_efs_file_system"})
	aws.chosen(rc, ["encrypted"], false) == false
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_ecs_task_definition"})
	some volume in aws.blocks(rc.change.after, "volume")
	some efs in aws.blocks(volume, "efs_volume_configuration")
	object.get(efs, "transit_encryption", null) in {"DISABLED", null}
	message := sprintf("The volume %s is mounted without TLS.", [object.get(volume, "name", "of the task")])
}

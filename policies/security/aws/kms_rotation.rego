# METADATA
# scope: package
# title: Key that is never rotated (AWS)
# description: Finds symmetric KMS keys whose material is not renewed by itself.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     The longer one key is used, the more is lost with it. Rotation costs nothing and changes
#     neither the key's ID nor what was encrypted before.
#   mend: >-
#     Set enable_key_rotation = true.
#   controls:
#     cis_aws_3.0: ["3.6"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_kms_key" "data" {
#           description = "data"
#         }
#     good:
#       hcl: |
#         resource "aws_kms_key" "data" {
#           description         = "data"
#           enable_key_rotation = true
#         }
package tidelock.security.aws.kms_rotation

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "The key is never rotated."} if {
	some rc in aws.of({"aws_kms_key"})
	aws.value(rc, ["enable_key_rotation"], false) == false
	aws.value(rc, ["customer_master_key_spec"], "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
	aws.value(rc, ["key_usage"], "ENCRYPT_DECRYPT") == "ENCRYPT_DECRYPT"
	not aws.set(rc, ["custom_key_store_id"])
}

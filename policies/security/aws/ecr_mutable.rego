# METADATA
# scope: package
# title: Image tags that can be moved (AWS)
# description: Finds ECR repositories in which a tag can be given to another image.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     What was tested under a tag need not be what runs: whoever may push puts another image in
#     its place, and nobody sees it.
#   mend: >-
#     Set image_tag_mutability = "IMMUTABLE".
#   controls:
#     soc2: ["CC8.1"]
#     iso27001_2022: ["A.8.9", "A.8.32"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_ecr_repository" "shop" {
#           name = "shop"
#         }
#     good:
#       hcl: |
#         resource "aws_ecr_repository" "shop" {
#           name                 = "shop"
#           image_tag_mutability = "IMMUTABLE"
#         }
package tidelock.security.aws.ecr_mutable

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "Tags can be moved to other images: image_tag_mutability is MUTABLE."} if {
	some rc in aws.of({"aws_ecr_repository"})
	aws.value(rc, ["image_tag_mutability"], "MUTABLE") == "MUTABLE"
}

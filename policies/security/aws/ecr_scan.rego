# METADATA
# scope: package
# title: Images that nobody scans (AWS)
# description: Finds ECR repositories whose images are not scanned when they are pushed.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Most images carry libraries with known faults. Unscanned, they are found by others first.
#   mend: >-
#     Set scan_on_push = true, or scan the whole registry with
#     aws_ecr_registry_scanning_configuration.
#   controls:
#     soc2: ["CC7.1"]
#     iso27001_2022: ["A.8.8"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_ecr_repository" "shop" {
#           name = "shop"
#         }
#     good:
#       hcl: |
#         resource "aws_ecr_repository" "shop" {
#           name = "shop"
#           image_scanning_configuration {
#             scan_on_push = true
#           }
#         }
package tidelock.security.aws.ecr_scan

import data.tidelock.aws
import data.tidelock.plan

deny contains {"address": rc.address, "msg": "Images are not scanned when they are pushed."} if {
	some rc in aws.of({"aws_ecr_repository"})
	aws.value(rc, ["image_scanning_configuration", 0, "scan_on_push"], false) == false
	count(plan.of("aws_ecr_registry_scanning_configuration")) == 0
}

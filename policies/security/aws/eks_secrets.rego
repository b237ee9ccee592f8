# METADATA
# scope: package
# title: Kubernetes secrets without a key (AWS)
# description: Finds EKS clusters whose secrets are not encrypted with a KMS key.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     With a key of its own, a copy of the cluster's store is of no use to whoever has it, and
#     each use of the key is logged.
#   mend: >-
#     Add an encryption_config block with resources = ["secrets"] and the ARN of a key.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_eks_cluster" "main" {
#           name = "main"
#         }
#     good:
#       hcl: |
#         resource "aws_eks_cluster" "main" {
#           name = "main"
#           encryption_config {
#             resources = ["secrets"]
#             provider {
#               key_arn = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d"
#             }
#           }
#         }
package tidelock.security.aws.eks_secrets

import data.tidelock.aws

deny contains {"address": rc.address, "msg": "Secrets are not encrypted with a KMS key."} if {
	some rc in aws.of({"aws_eks_cluster"})
	not aws.set(rc, ["encryption_config"])
}

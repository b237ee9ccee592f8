# METADATA
# scope: package
# title: Kubernetes cluster without audit logs (AWS)
# description: Finds EKS clusters whose control plane does not log who asks it for what.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Without the audit log nobody can tell who read a secret or started a container.
#   mend: >-
#     Set enabled_cluster_log_types to at least api, audit and authenticator.
#   controls:
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.15"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_eks_cluster" "main" {
#           name                      = "main"
#           enabled_cluster_log_types = ["scheduler"]
#         }
#     good:
#       hcl: |
#         resource "aws_eks_cluster" "main" {
#           name                      = "main"
#           enabled_cluster_log_types = ["api", "audit", "authenticator"]
#         }
package tidelock.security.aws.eks_logs

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_eks_cluster"})
	given := aws.value(rc, ["enabled_cluster_log_types"], [])
	missing := {"api", "audit", "authenticator"} - {type | some type in given}
	count(missing) > 0
	message := sprintf("These logs are off: %s.", [aws.listed(missing)])
}

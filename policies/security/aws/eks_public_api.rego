# METADATA
# scope: package
# title: Kubernetes API that faces the internet (AWS)
# description: Finds EKS clusters whose API every address may reach.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     Each fault of the API server and each leaked token can then be used from anywhere.
#   mend: >-
#     Set endpoint_public_access = false, or name your addresses in public_access_cidrs.
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_eks_cluster" "main" {
#           name = "main"
#           vpc_config {
#             endpoint_public_access = true
#           }
#         }
#     good:
#       hcl: |
#         resource "aws_eks_cluster" "main" {
#           name = "main"
#           vpc_config {
#             endpoint_private_access = true
#             endpoint_public_access  = true
#             public_access_cidrs     = ["198.51.100.0/24"]
#           }
#         }
package tidelock.security.aws.eks_public_api

import data.tidelock.aws
import data.tidelock.network

deny contains {"address": rc.address, "msg": message} if {
	some rc in aws.of({"aws_eks_cluster"})
	aws.value(rc, ["vpc_config", 0, "endpoint_public_access"], true) == true
	some source in aws.chosen(rc, ["vpc_config", 0, "public_access_cidrs"], ["0.0.0.0/0"])
	network.public(source)
	message := sprintf("%s may reach the API of the cluster.", [source])
}

deny contains {"address": rc.address, "msg": "Every address may reach the nodes by SSH: remote_access names no security group."} if {
	some rc in aws.of({"aws_eks_node_group"})
	some i, access in aws.blocks(rc.change.after, "remote_access")
	not object.get(access, "ec2_ssh_key", null) in {null, ""}
	not aws.set(rc, ["remote_access", i, "source_security_group_ids"])
}

# METADATA
# scope: package
# title: Search domain without encryption (AWS)
# description: Finds OpenSearch and Elasticsearch domains without encryption at rest, between nodes or towards clients.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     A search index is a copy of the data it was made from. Without encryption it stands open in
#     snapshots and on the network.
#   mend: >-
#     Turn encrypt_at_rest, node_to_node_encryption and enforce_https on, with tls_security_policy
#     of TLS 1.2 or newer.
#   controls:
#     soc2: ["CC6.1", "CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_opensearch_domain" "logs" {
#           domain_name = "logs"
#         }
#     good:
#       hcl: |
#         resource "aws_opensearch_domain" "logs" {
#           domain_name = "logs"
#           encrypt_at_rest {
#             enabled = true
#           }
#           node_to_node_encryption {
#             enabled = true
#           }
#           domain_endpoint_options {
#             enforce_https       = true
#             tls_security_policy = "Policy-Min-TLS-1-2-PFS-2023-10"
#           }
#         }
package tidelock.security.aws.search_encryption

import data.tidelock.aws

deny contains {"address": rc.address, "msg": message} if {
	some rc in domains
	some block, argument in {"encrypt_at_rest": "enabled", "node_to_node_encryption": "enabled", "domain_endpoint_options": "enforce_https"}
	aws.chosen(rc, [block, 0, argument], false) == false
	message := sprintf("%s is off.", [named[block]])
}

deny contains {"address": rc.address, "msg": "TLS 1.0 is accepted."} if {
	some rc in domains
	aws.chosen(rc, ["domain_endpoint_options", 0, "enforce_https"], false) == true
	aws.chosen(rc, ["domain_endpoint_options", 0, "tls_security_policy"], "Policy-Min-TLS-1-0-2019-07") == "Policy-Min-TLS-1-0-2019-07"
}

domains := aws.of({"aws_opensearch_domain", "aws_elasticsearch_domain"})

named := {
	"encrypt_at_rest": "Encryption at rest",
	"node_to_node_encryption": "Encryption between nodes",
	"domain_endpoint_options": "Enforcing HTTPS",
}

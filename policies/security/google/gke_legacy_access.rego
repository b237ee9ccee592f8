# METADATA
# scope: package
# title: Old ways into the Kubernetes API
# description: Finds clusters with attribute-based access control, client certificates or a password.
# custom:
#   severity: high
#   level: advisory
#   controls:
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.8.5"]
#   why: >-
#     These ways in stand beside IAM and RBAC. A client certificate can't be taken back, and the old
#     access control gives every service account wide rights.
#   mend: >-
#     Leave enable_legacy_abac, username and password out, and set master_auth {
#     client_certificate_config { issue_client_certificate = false } }.
#   examples:
#     bad:
#       hcl: |
#         resource "google_container_cluster" "main" {
#           name               = "main"
#           enable_legacy_abac = true
#         }
#     good:
#       hcl: |
#         resource "google_container_cluster" "main" {
#           name = "main"
#           master_auth {
#             client_certificate_config {
#               issue_client_certificate = false
#             }
#           }
#         }
package tidelock.security.google.gke_legacy_access

import data.tidelock.google

deny contains {"address": rc.address, "msg": "Rights are given past RBAC: enable_legacy_abac is true."} if {
	some rc in google.clusters
	google.value(rc, ["enable_legacy_abac"], false) == true
}

deny contains {"address": rc.address, "msg": "A client certificate is issued, which can't be taken back: issue_client_certificate is true."} if {
	some rc in google.clusters
	google.value(rc, ["master_auth", 0, "client_certificate_config", 0, "issue_client_certificate"], false) == true
}

# As the provider had it up to version 3.
deny contains {"address": rc.address, "msg": "The API takes a password: master_auth sets username."} if {
	some rc in google.clusters
	google.given(rc, ["master_auth", 0, "username"])
}

# METADATA
# scope: package
# title: Storage account with old TLS (Azure)
# description: Finds storage accounts that accept TLS 1.0 or 1.1.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     TLS 1.0 and 1.1 have known weaknesses and are withdrawn; a client can be talked down to
#     them.
#   mend: >-
#     Set min_tls_version = "TLS1_2".
#   controls:
#     cis_azure_3.0: ["4.15"]
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_storage_account" "data" {
#           name            = "acmedata"
#           min_tls_version = "TLS1_0"
#         }
#     good:
#       hcl: |
#         resource "azurerm_storage_account" "data" {
#           name            = "acmedata"
#           min_tls_version = "TLS1_2"
#         }
package tidelock.security.azure.storage_tls

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({"azurerm_storage_account"})
	version := azure.value(rc, ["min_tls_version"], "TLS1_2")
	azure.legacy_tls(version)
	message := sprintf("Old TLS is accepted: min_tls_version is %q.", [version])
}

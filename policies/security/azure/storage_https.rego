# METADATA
# scope: package
# title: Storage account that answers without TLS (Azure)
# description: Finds storage accounts that accept requests over plain HTTP.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     Keys, signatures and data cross the network in clear text: whoever listens on the way reads
#     and reuses them.
#   mend: >-
#     Set https_traffic_only_enabled = true.
#   controls:
#     cis_azure_3.0: ["4.1"]
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_storage_account" "data" {
#           name                       = "acmedata"
#           https_traffic_only_enabled = false
#         }
#     good:
#       hcl: |
#         resource "azurerm_storage_account" "data" {
#           name                       = "acmedata"
#           https_traffic_only_enabled = true
#         }
package tidelock.security.azure.storage_https

import data.tidelock.azure

# NFS 3 has no TLS, and Azure asks for this switch to be off with it.
deny contains {"address": rc.address, "msg": "Requests over plain HTTP are accepted: https_traffic_only_enabled is false."} if {
	some rc in azure.of({"azurerm_storage_account"})
	azure.one_of(rc, [["https_traffic_only_enabled"], ["enable_https_traffic_only"]], true) == false
	azure.value(rc, ["nfsv3_enabled"], false) == false
}

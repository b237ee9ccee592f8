# METADATA
# scope: package
# title: Storage account that copies to other tenants (Azure)
# description: Finds storage accounts from which blobs may be replicated into another tenant.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Whoever may write a replication policy can carry a copy of the data out of the organisation,
#     and it goes on by itself.
#   mend: >-
#     Set cross_tenant_replication_enabled = false.
#   controls:
#     cis_azure_3.0: ["4.16"]
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.12"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_storage_account" "data" {
#           name                             = "acmedata"
#           cross_tenant_replication_enabled = true
#         }
#     good:
#       hcl: |
#         resource "azurerm_storage_account" "data" {
#           name                             = "acmedata"
#           cross_tenant_replication_enabled = false
#         }
package tidelock.security.azure.storage_cross_tenant

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Blobs may be replicated into another tenant: cross_tenant_replication_enabled is true."} if {
	some rc in azure.of({"azurerm_storage_account"})
	azure.value(rc, ["cross_tenant_replication_enabled"], false) == true
}

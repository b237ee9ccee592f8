# METADATA
# scope: package
# title: Storage account that forgets at once (Azure)
# description: Finds storage accounts whose deleted blobs or containers can not be brought back.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A wrong script, a stolen key or ransomware deletes for good within seconds. Soft delete
#     keeps what was deleted for some days.
#   mend: >-
#     Give blob_properties a delete_retention_policy and a container_delete_retention_policy of 7
#     days or more.
#   controls:
#     cis_azure_3.0: ["4.10"]
#     soc2: ["A1.2"]
#     iso27001_2022: ["A.8.13"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_storage_account" "data" {
#           name         = "acmedata"
#           account_kind = "StorageV2"
#         }
#     good:
#       hcl: |
#         resource "azurerm_storage_account" "data" {
#           name         = "acmedata"
#           account_kind = "StorageV2"
#           blob_properties {
#             delete_retention_policy {
#               days = 14
#             }
#             container_delete_retention_policy {
#               days = 14
#             }
#           }
#         }
package tidelock.security.azure.storage_soft_delete

import data.tidelock.azure

# A plan shows blob_properties that the configuration leaves out as unknown; Azure
# makes such an account without soft delete.
deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({"azurerm_storage_account"})
	not azure.value(rc, ["account_kind"], "StorageV2") in {"FileStorage", "Storage"}
	some [what, policy] in [["blobs", "delete_retention_policy"], ["containers", "container_delete_retention_policy"]]
	count(azure.value(rc, ["blob_properties", 0, policy], [])) == 0
	message := sprintf("Deleted %s can't be brought back: there is no %s.", [what, policy])
}

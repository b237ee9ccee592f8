# METADATA
# scope: package
# title: Backup vault that forgets at once (Azure)
# description: Finds backup vaults whose soft delete is turned off.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Ransomware deletes the backups first. With soft delete they can be brought back for two
#     weeks.
#   mend: >-
#     Leave soft delete on; with "AlwaysOn" or immutability nobody can turn it off again.
#   controls:
#     soc2: ["A1.2"]
#     iso27001_2022: ["A.8.13"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_data_protection_backup_vault" "main" {
#           name        = "main"
#           soft_delete = "Off"
#         }
#     good:
#       hcl: |
#         resource "azurerm_data_protection_backup_vault" "main" {
#           name        = "main"
#           soft_delete = "On"
#         }
package tidelock.security.azure.backup_soft_delete

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Deleted backups can't be brought back: soft_delete is Off."} if {
	some rc in azure.of({"azurerm_data_protection_backup_vault"})
	azure.value(rc, ["soft_delete"], "On") == "Off"
}

deny contains {"address": rc.address, "msg": "Deleted backups can't be brought back: soft_delete_enabled is false."} if {
	some rc in azure.of({"azurerm_recovery_services_vault"})
	azure.value(rc, ["soft_delete_enabled"], true) == false
}

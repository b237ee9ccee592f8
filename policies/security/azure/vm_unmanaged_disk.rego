# METADATA
# scope: package
# title: Machine on unmanaged disks (Azure)
# description: Finds virtual machines whose disks are files in a storage account.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Whoever has the key of the storage account can read and replace the disk, and Azure gives
#     unmanaged disks up.
#   mend: >-
#     Use managed disks: a machine of type azurerm_linux_virtual_machine or
#     azurerm_windows_virtual_machine has them.
#   controls:
#     cis_azure_3.0: ["8.2"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.8.9"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_virtual_machine" "old" {
#           name = "old"
#           storage_os_disk {
#             name    = "os"
#             vhd_uri = "https://acme.blob.core.windows.net/vhds/os.vhd"
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_virtual_machine" "old" {
#           name = "old"
#           storage_os_disk {
#             name              = "os"
#             managed_disk_type = "Premium_LRS"
#           }
#         }
package tidelock.security.azure.vm_unmanaged_disk

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({"azurerm_virtual_machine"})
	some block in {"storage_os_disk", "storage_data_disk"}
	some i, disk in azure.blocks(rc, block)
	azure.set(rc, [block, i, "vhd_uri"])
	message := sprintf("The disk %v is a file in a storage account: it has a vhd_uri.", [object.get(disk, "name", i)])
}

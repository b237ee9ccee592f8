# METADATA
# scope: package
# title: Machine without encryption at the host (Azure)
# description: >-
#   Finds virtual machines, scale sets and node pools whose temporary disks and caches are not
#   encrypted.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Azure encrypts managed disks where they rest. The temporary disk, the caches and the way to
#     the storage are encrypted only with encryption at the host.
#   mend: >-
#     Set encryption_at_host_enabled = true (host_encryption_enabled on node pools) after
#     registering the feature EncryptionAtHost in the subscription.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_linux_virtual_machine" "app" {
#           name                       = "app"
#           encryption_at_host_enabled = false
#         }
#     good:
#       hcl: |
#         resource "azurerm_linux_virtual_machine" "app" {
#           name                       = "app"
#           encryption_at_host_enabled = true
#         }
package tidelock.security.azure.vm_host_encryption

import data.tidelock.azure

# A confidential machine encrypts its disk itself.
deny contains {"address": rc.address, "msg": "Temporary disk and caches are not encrypted: encryption_at_host_enabled is not true."} if {
	some rc in azure.machines
	azure.value(rc, ["encryption_at_host_enabled"], false) == false
	azure.value(rc, ["os_disk", 0, "security_encryption_type"], "") != "DiskWithVMGuestState"
}

deny contains {"address": rc.address, "msg": "Temporary disks and caches of the nodes are not encrypted: host_encryption_enabled is not true."} if {
	some rc in azure.of({"azurerm_kubernetes_cluster_node_pool"})
	azure.one_of(rc, [["host_encryption_enabled"], ["enable_host_encryption"]], false) == false
}

deny contains {"address": rc.address, "msg": "Temporary disks and caches of the nodes are not encrypted: default_node_pool.host_encryption_enabled is not true."} if {
	some rc in azure.clusters
	azure.one_of(rc, [["default_node_pool", 0, "host_encryption_enabled"], ["default_node_pool", 0, "enable_host_encryption"]], false) == false
}

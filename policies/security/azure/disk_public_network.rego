# METADATA
# scope: package
# title: Disk that can be exported over the internet (Azure)
# description: Finds managed disks and snapshots that can be downloaded from every network.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Whoever may make a signature for the disk can carry all of it away, from anywhere.
#   mend: >-
#     Set network_access_policy = "DenyAll" or "AllowPrivate", and public_network_access_enabled =
#     false.
#   controls:
#     cis_azure_3.0: ["8.5"]
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.12", "A.8.20"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_managed_disk" "data" {
#           name                  = "data"
#           network_access_policy = "AllowAll"
#         }
#     good:
#       hcl: |
#         resource "azurerm_managed_disk" "data" {
#           name                          = "data"
#           network_access_policy         = "DenyAll"
#           public_network_access_enabled = false
#         }
package tidelock.security.azure.disk_public_network

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "The disk can be exported to every network: network_access_policy is AllowAll and public_network_access_enabled is true."} if {
	some rc in azure.of({"azurerm_managed_disk", "azurerm_snapshot"})
	azure.value(rc, ["network_access_policy"], "AllowAll") == "AllowAll"
	azure.value(rc, ["public_network_access_enabled"], true) == true
}

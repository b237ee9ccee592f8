# METADATA
# scope: package
# title: Container registry with an admin user (Azure)
# description: Finds container registries whose built-in user is on.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     One name and password for all, which may replace every image that is deployed, and names
#     nobody in the logs.
#   mend: >-
#     Set admin_enabled = false and give AcrPull and AcrPush to identities.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.16", "A.8.5"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_container_registry" "main" {
#           name          = "acme"
#           admin_enabled = true
#         }
#     good:
#       hcl: |
#         resource "azurerm_container_registry" "main" {
#           name          = "acme"
#           admin_enabled = false
#         }
package tidelock.security.azure.registry_admin

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "The shared admin user is on: admin_enabled is true."} if {
	some rc in azure.of({"azurerm_container_registry"})
	azure.value(rc, ["admin_enabled"], false) == true
}

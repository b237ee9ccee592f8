# METADATA
# scope: package
# title: Container registry that anyone may read (Azure)
# description: Denies container registries from which images can be pulled without signing in.
# custom:
#   severity: high
#   level: mandatory
#   why: >-
#     Images hold programs, their settings and often forgotten secrets; anyone may fetch them all.
#   mend: >-
#     Set anonymous_pull_enabled = false and give AcrPull to those who need the images.
#   controls:
#     soc2: ["CC6.1", "CC6.6"]
#     iso27001_2022: ["A.5.15", "A.8.3"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_container_registry" "main" {
#           name                   = "acme"
#           sku                    = "Standard"
#           anonymous_pull_enabled = true
#         }
#     good:
#       hcl: |
#         resource "azurerm_container_registry" "main" {
#           name                   = "acme"
#           sku                    = "Standard"
#           anonymous_pull_enabled = false
#         }
package tidelock.security.azure.registry_anonymous_pull

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Anyone may pull the images: anonymous_pull_enabled is true."} if {
	some rc in azure.of({"azurerm_container_registry"})
	azure.value(rc, ["anonymous_pull_enabled"], false) == true
}

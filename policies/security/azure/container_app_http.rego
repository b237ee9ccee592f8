# METADATA
# scope: package
# title: Container app that answers without TLS (Azure)
# description: Finds container apps that answer the internet over plain HTTP.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Sessions and passwords cross the network in clear text.
#   mend: >-
#     Take allow_insecure_connections out of the ingress, or set it to false.
#   controls:
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_container_app" "shop" {
#           name = "shop"
#           ingress {
#             external_enabled           = true
#             allow_insecure_connections = true
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_container_app" "shop" {
#           name = "shop"
#           ingress {
#             external_enabled           = true
#             allow_insecure_connections = false
#           }
#         }
package tidelock.security.azure.container_app_http

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Requests over plain HTTP are answered: ingress.allow_insecure_connections is true."} if {
	some rc in azure.of({"azurerm_container_app"})
	azure.value(rc, ["ingress", 0, "allow_insecure_connections"], false) == true
	azure.value(rc, ["ingress", 0, "external_enabled"], false) == true
}

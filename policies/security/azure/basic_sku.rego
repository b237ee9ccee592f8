# METADATA
# scope: package
# title: Address or load balancer of the basic kind (Azure)
# description: Finds public addresses and load balancers of the SKU Basic.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A basic address is open on all ports unless a security group closes them, a standard one is
#     closed unless a group opens some. Azure gives the basic kind up.
#   mend: >-
#     Set sku = "Standard".
#   controls:
#     cis_azure_3.0: ["6.5"]
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_public_ip" "app" {
#           name = "app"
#           sku  = "Basic"
#         }
#     good:
#       hcl: |
#         resource "azurerm_public_ip" "app" {
#           name = "app"
#           sku  = "Standard"
#         }
package tidelock.security.azure.basic_sku

import data.tidelock.azure

# The default differs between versions of the provider, which write it into the
# plan: nothing is found where the plan says nothing.
deny contains {"address": rc.address, "msg": message} if {
	some type, what in {"azurerm_public_ip": "address", "azurerm_lb": "load balancer"}
	some rc in azure.of({type})
	azure.value(rc, ["sku"], "Standard") == "Basic"
	message := sprintf("The %s is of the basic kind, which is open unless a security group closes it: sku is Basic.", [what])
}

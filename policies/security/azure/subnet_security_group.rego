# METADATA
# scope: package
# title: Subnet without a security group (Azure)
# description: Finds subnets for which the plan shows no network security group.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Everything in the network may then speak with everything in the subnet, and a public address
#     opens all its ports.
#   mend: >-
#     Add an azurerm_subnet_network_security_group_association, or security_group to a subnet that
#     stands in its network.
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_subnet" "app" {
#           name             = "app"
#           address_prefixes = ["10.0.1.0/24"]
#         }
#     good:
#       hcl: |
#         resource "azurerm_subnet" "app" {
#           name             = "app"
#           address_prefixes = ["10.0.1.0/24"]
#         }
#         resource "azurerm_subnet_network_security_group_association" "app" {
#           subnet_id                 = azurerm_subnet.app.id
#           network_security_group_id = "/subscriptions/a/resourceGroups/b/providers/Microsoft.Network/networkSecurityGroups/app"
#         }
package tidelock.security.azure.subnet_security_group

import data.tidelock.azure
import data.tidelock.references

deny contains {"address": rc.address, "msg": "No network security group guards the subnet."} if {
	some rc in azure.of({"azurerm_subnet"})
	not azure.value(rc, ["name"], "") in without
	count(azure.value(rc, ["delegation"], [])) == 0
	not attached[rc.address]
}

# On a network that is there already, the block shows subnets that resources of
# their own have made too.
deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({"azurerm_virtual_network"})
	"create" in rc.change.actions
	some i, subnet in azure.blocks(rc, "subnet")
	not subnet.name in without
	azure.value(rc, ["subnet", i, "security_group"], "") == ""
	message := sprintf("No network security group guards the subnet %s.", [subnet.name])
}

# Azure's own gateways take none, or bring their own.
without := {
	"GatewaySubnet", "AzureFirewallSubnet", "AzureFirewallManagementSubnet", "AzureBastionSubnet", "RouteServerSubnet",
}

attached := references.attached("azurerm_subnet_network_security_group_association", "subnet_id", "azurerm_subnet")

# METADATA
# scope: package
# title: Machine with a public address (Azure)
# description: Finds network interfaces and scale sets whose machines get a public address.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     A machine with an address of its own is scanned from the minute it starts, and one wrong
#     rule of its network security group opens it.
#   mend: >-
#     Put a load balancer, an application gateway or Bastion before the machines, and a NAT
#     gateway for what they fetch.
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.22"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_network_interface" "app" {
#           name = "app"
#           ip_configuration {
#             name                 = "main"
#             public_ip_address_id = "/subscriptions/a/resourceGroups/b/providers/Microsoft.Network/publicIPAddresses/app"
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_network_interface" "app" {
#           name = "app"
#           ip_configuration {
#             name                          = "main"
#             private_ip_address_allocation = "Dynamic"
#           }
#         }
package tidelock.security.azure.vm_public_address

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({"azurerm_network_interface"})
	some i, configuration in azure.blocks(rc, "ip_configuration")
	azure.set(rc, ["ip_configuration", i, "public_ip_address_id"])
	message := sprintf("The machine gets a public address (ip_configuration %v).", [object.get(configuration, "name", i)])
}

deny contains {"address": rc.address, "msg": "Every machine of the set gets a public address: ip_configuration has a public_ip_address."} if {
	some rc in azure.of({
		"azurerm_linux_virtual_machine_scale_set", "azurerm_windows_virtual_machine_scale_set",
		"azurerm_orchestrated_virtual_machine_scale_set",
	})
	some interface in azure.blocks(rc, "network_interface")
	some configuration in interface.ip_configuration
	count(configuration.public_ip_address) > 0
}

deny contains {"address": rc.address, "msg": "Every node of the pool gets a public address: node_public_ip_enabled is true."} if {
	some [rc, prefix] in array.concat(
		[[rc, []] | some rc in azure.of({"azurerm_kubernetes_cluster_node_pool"})],
		[[rc, ["default_node_pool", 0]] | some rc in azure.clusters],
	)
	paths := [array.concat(prefix, [name]) | some name in ["node_public_ip_enabled", "enable_node_public_ip"]]
	azure.one_of(rc, paths, false) == true
}

# METADATA
# scope: package
# title: Linux machine with password login (Azure)
# description: Finds Linux machines and scale sets that let people sign in with a password.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Passwords are guessed, reused and shared; this one stands in the state too.
#   mend: >-
#     Set disable_password_authentication = true and give an admin_ssh_key, or sign in with Entra.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17", "A.8.5"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_linux_virtual_machine" "app" {
#           name                            = "app"
#           disable_password_authentication = false
#         }
#     good:
#       hcl: |
#         resource "azurerm_linux_virtual_machine" "app" {
#           name                            = "app"
#           disable_password_authentication = true
#         }
package tidelock.security.azure.vm_password

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "People may sign in with a password: disable_password_authentication is false."} if {
	some type, path in places
	some rc in azure.of({type})
	azure.value(rc, path, true) == false
}

places := {
	"azurerm_linux_virtual_machine": ["disable_password_authentication"],
	"azurerm_linux_virtual_machine_scale_set": ["disable_password_authentication"],
	"azurerm_orchestrated_virtual_machine_scale_set": ["os_profile", 0, "linux_configuration", 0, "disable_password_authentication"],
	"azurerm_virtual_machine": ["os_profile_linux_config", 0, "disable_password_authentication"],
	"azurerm_virtual_machine_scale_set": ["os_profile_linux_config", 0, "disable_password_authentication"],
}

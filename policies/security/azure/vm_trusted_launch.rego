# METADATA
# scope: package
# title: Machine without trusted launch (Azure)
# description: Finds new virtual machines and scale sets without secure boot or a virtual TPM.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Without them, malware that starts before the operating system is neither stopped nor
#     noticed.
#   mend: >-
#     Set secure_boot_enabled = true and vtpm_enabled = true, on an image of generation 2.
#   controls:
#     cis_azure_3.0: ["8.11"]
#     soc2: ["CC6.8"]
#     iso27001_2022: ["A.8.7"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_linux_virtual_machine" "app" {
#           name                = "app"
#           secure_boot_enabled = false
#           vtpm_enabled        = true
#         }
#     good:
#       hcl: |
#         resource "azurerm_linux_virtual_machine" "app" {
#           name                = "app"
#           secure_boot_enabled = true
#           vtpm_enabled        = true
#         }
package tidelock.security.azure.vm_trusted_launch

import data.tidelock.azure

# Both can be chosen only when a machine is made.
deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({
		"azurerm_linux_virtual_machine", "azurerm_windows_virtual_machine", "azurerm_linux_virtual_machine_scale_set",
		"azurerm_windows_virtual_machine_scale_set",
	})
	"create" in rc.change.actions
	off := [attribute |
		some attribute in ["secure_boot_enabled", "vtpm_enabled"]
		azure.value(rc, [attribute], false) == false
	]
	count(off) > 0
	message := sprintf("Trusted launch is not whole: without %s.", [concat(" and ", off)])
}

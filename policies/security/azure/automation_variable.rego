# METADATA
# scope: package
# title: Automation variable in clear text (Azure)
# description: Finds variables of automation accounts that are not encrypted.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Everyone who may look at the automation account reads the value. Variables mostly hold what
#     runbooks sign in with.
#   mend: >-
#     Set encrypted = true. Changing it makes a new variable.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_automation_variable_string" "token" {
#           name      = "token"
#           encrypted = false
#         }
#     good:
#       hcl: |
#         resource "azurerm_automation_variable_string" "token" {
#           name      = "token"
#           encrypted = true
#         }
package tidelock.security.azure.automation_variable

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Everyone who sees the account reads the value: encrypted is not true."} if {
	some rc in azure.of({
		"azurerm_automation_variable_string", "azurerm_automation_variable_int", "azurerm_automation_variable_bool",
		"azurerm_automation_variable_datetime", "azurerm_automation_variable_object",
	})
	azure.value(rc, ["encrypted"], false) == false
}

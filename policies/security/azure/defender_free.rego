# METADATA
# scope: package
# title: Defender plan that is off (Azure)
# description: Finds plans of Microsoft Defender for Cloud that are set to the free tier.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     The free tier looks at configurations only: attacks on what runs are not noticed.
#   mend: >-
#     Set tier = "Standard" for the kinds of resources that the subscription uses.
#   controls:
#     cis_azure_3.0: ["3.1.3.1", "3.1.4.1", "3.1.5.1", "3.1.6.1", "3.1.7.1", "3.1.7.2", "3.1.7.3",
#       "3.1.7.4", "3.1.8.1", "3.1.9.1"]
#     soc2: ["CC7.2"]
#     iso27001_2022: ["A.8.16"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_security_center_subscription_pricing" "storage" {
#           resource_type = "StorageAccounts"
#           tier          = "Free"
#         }
#     good:
#       hcl: |
#         resource "azurerm_security_center_subscription_pricing" "storage" {
#           resource_type = "StorageAccounts"
#           tier          = "Standard"
#         }
package tidelock.security.azure.defender_free

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({"azurerm_security_center_subscription_pricing"})
	azure.value(rc, ["tier"], "Standard") == "Free"
	message := sprintf("Defender is off for %s: tier is Free.", [azure.chosen(rc, [["resource_type"]], "VirtualMachines")])
}

# METADATA
# scope: package
# title: Security contact that hears nothing (Azure)
# description: Finds contacts of Microsoft Defender for Cloud that are told of no alert.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Defender finds the attack, and nobody reads of it.
#   mend: >-
#     Set alert_notifications and alerts_to_admins to true.
#   controls:
#     cis_azure_3.0: ["3.1.12", "3.1.14"]
#     soc2: ["CC7.2", "CC7.3"]
#     iso27001_2022: ["A.5.24", "A.8.16"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_security_center_contact" "main" {
#           name                = "main"
#           email               = "security@example.com"
#           alert_notifications = false
#           alerts_to_admins    = true
#         }
#     good:
#       hcl: |
#         resource "azurerm_security_center_contact" "main" {
#           name                = "main"
#           email               = "security@example.com"
#           alert_notifications = true
#           alerts_to_admins    = true
#         }
package tidelock.security.azure.security_contact

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({"azurerm_security_center_contact"})
	some attribute, who in {"alert_notifications": "The security contact", "alerts_to_admins": "Owners of the subscription"}
	azure.value(rc, [attribute], true) == false
	message := sprintf("%s are told of no alert: %s is false.", [who, attribute])
}

# METADATA
# scope: package
# title: Application gateway without a firewall (Azure)
# description: Finds application gateways that no web application firewall stands before.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Attacks that are known and cheap, such as injection and scanning for old weaknesses, reach
#     the application as they are.
#   mend: >-
#     Use the tier WAF_v2 and attach an azurerm_web_application_firewall_policy by
#     firewall_policy_id.
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.26"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_application_gateway" "main" {
#           name = "main"
#           sku {
#             name = "Standard_v2"
#             tier = "Standard_v2"
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_application_gateway" "main" {
#           name               = "main"
#           firewall_policy_id = "/subscriptions/a/resourceGroups/b/providers/Microsoft.Network/applicationGatewayWebApplicationFirewallPolicies/main"
#           sku {
#             name = "WAF_v2"
#             tier = "WAF_v2"
#           }
#         }
package tidelock.security.azure.gateway_waf

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "No web application firewall stands before the gateway: there is neither a firewall_policy_id nor a waf_configuration that is enabled."} if {
	some rc in azure.of({"azurerm_application_gateway"})
	not azure.set(rc, ["firewall_policy_id"])
	azure.value(rc, ["waf_configuration", 0, "enabled"], false) == false
}

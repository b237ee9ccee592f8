# METADATA
# scope: package
# title: Web application firewall that only watches (Azure)
# description: >-
#   Finds web application firewalls that are off, or report attacks without stopping them.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     In detection mode every attack goes through; only a log entry is left.
#   mend: >-
#     Set mode = "Prevention" once the false alarms are gone.
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20", "A.8.26"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_web_application_firewall_policy" "main" {
#           name = "main"
#           policy_settings {
#             enabled = true
#             mode    = "Detection"
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_web_application_firewall_policy" "main" {
#           name = "main"
#           policy_settings {
#             enabled = true
#             mode    = "Prevention"
#           }
#         }
package tidelock.security.azure.waf_detection

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Attacks are reported and not stopped: the mode is Detection."} if {
	some [rc, settings] in firewalls
	azure.value(rc, array.concat(settings.at, [settings.mode]), "Prevention") == "Detection"
}

deny contains {"address": rc.address, "msg": "The firewall is turned off: enabled is false."} if {
	some [rc, settings] in firewalls
	azure.value(rc, array.concat(settings.at, ["enabled"]), true) == false
}

# A gateway that has no waf_configuration at all is the rule gateway_waf's.
firewalls := [[rc, settings] |
	some type, settings in {
		"azurerm_web_application_firewall_policy": {"at": ["policy_settings", 0], "mode": "mode"},
		"azurerm_cdn_frontdoor_firewall_policy": {"at": [], "mode": "mode"},
		"azurerm_frontdoor_firewall_policy": {"at": [], "mode": "mode"},
		"azurerm_application_gateway": {"at": ["waf_configuration", 0], "mode": "firewall_mode"},
	}
	some rc in azure.of({type})
]

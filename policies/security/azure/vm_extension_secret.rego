# METADATA
# scope: package
# title: Secret in the open part of an extension (Azure)
# description: Finds extensions of machines whose settings hold something named like a secret.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     settings are shown in the portal and lie in clear text on the machine; only
#     protected_settings are encrypted.
#   mend: >-
#     Move the value to protected_settings, or let the machine fetch it from a key vault with its
#     identity.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17", "A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_virtual_machine_extension" "join" {
#           name     = "join"
#           settings = "{\"Name\": \"example.com\", \"Password\": \"correct-horse\"}"
#         }
#     good:
#       hcl: |
#         resource "azurerm_virtual_machine_extension" "join" {
#           name     = "join"
#           settings = "{\"Name\": \"example.com\"}"
#         }
package tidelock.security.azure.vm_extension_secret

import data.tidelock.azure

# The message names the setting and never its value.
deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({"azurerm_virtual_machine_extension", "azurerm_virtual_machine_scale_set_extension"})
	some name in names(azure.value(rc, ["settings"], ""))
	message := sprintf("The setting %s holds a secret in clear text: it belongs into protected_settings.", [name])
}

names(settings) := {name |
	some [_, name] in regex.find_all_string_submatch_n(`"([^"]*(?i:password|passwd|secret|accountkey|accesskey|token))"\s*:\s*"[^"]{4,}"`, settings, -1)
}

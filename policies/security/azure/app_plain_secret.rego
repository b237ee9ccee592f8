# METADATA
# scope: package
# title: Secret in the settings of an app (Azure)
# description: Finds settings of apps that are named like a secret and hold it in clear text.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Everyone who may look at the app, or at the state, reads the secret; it stands in the
#     configuration and stays there when it changes.
#   mend: >-
#     Put the secret into a key vault and refer to it: "@Microsoft.KeyVault(SecretUri=...)".
#   controls:
#     cis_azure_3.0: ["9.11"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17", "A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_linux_web_app" "shop" {
#           name = "shop"
#           app_settings = {
#             DATABASE_PASSWORD = "correct-horse"
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_linux_web_app" "shop" {
#           name = "shop"
#           app_settings = {
#             DATABASE_PASSWORD = "@Microsoft.KeyVault(SecretUri=https://acme.vault.azure.net/secrets/database)"
#           }
#         }
package tidelock.security.azure.app_plain_secret

import data.tidelock.azure

# The message names the setting and never its value.
deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.apps
	some name, value in azure.value(rc, ["app_settings"], {})
	secret(name)
	plain(value)
	message := sprintf("The setting %s holds its secret in clear text.", [name])
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({"azurerm_container_group"})
	some container in azure.blocks(rc, "container")
	some name, value in container.environment_variables
	secret(name)
	plain(value)
	message := sprintf("The variable %s holds its secret in clear text: it belongs into secure_environment_variables.", [name])
}

secret(name) if {
	regex.match(`(?i)(password|passwd|pwd|secret|api_?key|access_?key|account_?key|private_?key|connection_?string|token)$`, name)
	not regex.match(`(?i)^app(lication)?insights`, name)
}

plain(value) if {
	count(value) > 3
	not lower(value) in {"true", "false", "none", "null"}
	not startswith(lower(value), "@microsoft.")
}

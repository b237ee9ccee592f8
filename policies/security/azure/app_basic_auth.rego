# METADATA
# scope: package
# title: App deployed with a password (Azure)
# description: >-
#   Finds web apps, function apps and logic apps that take deployments with a publishing password.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     The publishing password is one for all, knows no second factor and names nobody in the logs.
#   mend: >-
#     Set ftp_publish_basic_authentication_enabled and
#     webdeploy_publish_basic_authentication_enabled to false, and deploy with an identity.
#   controls:
#     cis_azure_3.0: ["9.6"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.17", "A.8.5"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_linux_web_app" "shop" {
#           name                                           = "shop"
#           webdeploy_publish_basic_authentication_enabled = true
#           ftp_publish_basic_authentication_enabled       = false
#         }
#     good:
#       hcl: |
#         resource "azurerm_linux_web_app" "shop" {
#           name                                           = "shop"
#           webdeploy_publish_basic_authentication_enabled = false
#           ftp_publish_basic_authentication_enabled       = false
#         }
package tidelock.security.azure.app_basic_auth

import data.tidelock.azure

# Only the types that have the attribute show it in a plan, with its default.
deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.apps
	some attribute in {
		"ftp_publish_basic_authentication_enabled", "webdeploy_publish_basic_authentication_enabled",
		"scm_publish_basic_authentication_enabled",
	}
	azure.value(rc, [attribute], false) == true
	message := sprintf("Deployments with the publishing password are taken: %s is not false.", [attribute])
}

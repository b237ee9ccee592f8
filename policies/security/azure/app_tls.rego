# METADATA
# scope: package
# title: App with old TLS (Azure)
# description: Finds web apps, function apps and logic apps that accept TLS 1.0 or 1.1.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     TLS 1.0 and 1.1 have known weaknesses and are withdrawn; a client can be talked down to
#     them.
#   mend: >-
#     Set site_config.minimum_tls_version and scm_minimum_tls_version to "1.2" or "1.3"
#     (min_tls_version on logic apps).
#   controls:
#     cis_azure_3.0: ["9.4"]
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_linux_web_app" "shop" {
#           name = "shop"
#           site_config {
#             minimum_tls_version = "1.0"
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_linux_web_app" "shop" {
#           name = "shop"
#           site_config {
#             minimum_tls_version = "1.2"
#           }
#         }
package tidelock.security.azure.app_tls

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.apps
	some attribute in {"minimum_tls_version", "scm_minimum_tls_version", "min_tls_version", "scm_min_tls_version"}
	version := azure.value(rc, ["site_config", 0, attribute], "1.2")
	azure.legacy_tls(version)
	message := sprintf("Old TLS is accepted: site_config.%s is %q.", [attribute, version])
}

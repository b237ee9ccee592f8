# METADATA
# scope: package
# title: Messaging with old TLS (Azure)
# description: Finds Service Bus and Event Hubs namespaces and IoT hubs that accept TLS 1.0 or 1.1.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     TLS 1.0 and 1.1 have known weaknesses and are withdrawn; a client can be talked down to
#     them.
#   mend: >-
#     Set minimum_tls_version = "1.2".
#   controls:
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_servicebus_namespace" "orders" {
#           name                = "orders"
#           minimum_tls_version = "1.0"
#         }
#     good:
#       hcl: |
#         resource "azurerm_servicebus_namespace" "orders" {
#           name                = "orders"
#           minimum_tls_version = "1.2"
#         }
package tidelock.security.azure.messaging_tls

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some type, attribute in {
		"azurerm_servicebus_namespace": "minimum_tls_version",
		"azurerm_eventhub_namespace": "minimum_tls_version",
		"azurerm_iothub": "min_tls_version",
	}
	some rc in azure.of({type})
	version := azure.value(rc, [attribute], "1.2")
	azure.legacy_tls(version)
	message := sprintf("Old TLS is accepted: %s is %q.", [attribute, version])
}

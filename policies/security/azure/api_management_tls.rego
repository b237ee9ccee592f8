# METADATA
# scope: package
# title: API Management with old TLS (Azure)
# description: Finds API gateways that accept SSL 3.0, TLS 1.0 or 1.1, or the cipher 3DES.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     These have known weaknesses and are withdrawn; a client can be talked down to them.
#   mend: >-
#     Take the named switches out of the security block, or set them to false.
#   controls:
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_api_management" "main" {
#           name = "main"
#           security {
#             frontend_tls10_enabled = true
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_api_management" "main" {
#           name = "main"
#           security {
#             frontend_tls10_enabled = false
#           }
#         }
package tidelock.security.azure.api_management_tls

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({"azurerm_api_management"})
	some security in azure.blocks(rc, "security")
	some attribute, value in security
	value == true
	regex.match(`(ssl30|tls10|tls11|triple_des_ciphers)(_enabled)?$`, attribute)
	message := sprintf("Weak encryption is accepted: security.%s is true.", [attribute])
}

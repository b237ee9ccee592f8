# METADATA
# scope: package
# title: VPN with weak encryption (Azure)
# description: Finds VPN connections that use broken ciphers, hashes or key groups.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     DES, MD5 and the smallest groups can be broken: who records the traffic reads it later.
#   mend: >-
#     Use IKEv2 with AES256 or GCMAES256, SHA256 or better, and DHGroup14 or an ECP group; "None"
#     turns encryption off.
#   controls:
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_virtual_network_gateway_connection" "office" {
#           name = "office"
#           ipsec_policy {
#             ike_encryption   = "DES3"
#             ike_integrity    = "SHA256"
#             ipsec_encryption = "AES256"
#             ipsec_integrity  = "SHA256"
#             dh_group         = "DHGroup14"
#             pfs_group        = "PFS2048"
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_virtual_network_gateway_connection" "office" {
#           name = "office"
#           ipsec_policy {
#             ike_encryption   = "AES256"
#             ike_integrity    = "SHA256"
#             ipsec_encryption = "GCMAES256"
#             ipsec_integrity  = "GCMAES256"
#             dh_group         = "DHGroup14"
#             pfs_group        = "PFS2048"
#           }
#         }
package tidelock.security.azure.vpn_crypto

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some rc in azure.of({"azurerm_virtual_network_gateway_connection"})
	some policy in azure.blocks(rc, "ipsec_policy")
	some attribute, bad in weak
	policy[attribute] in bad
	message := sprintf("The tunnel can be broken: ipsec_policy.%s is %s.", [attribute, policy[attribute]])
}

weak := {
	"ike_encryption": {"DES", "DES3"},
	"ipsec_encryption": {"DES", "DES3", "None"},
	"ike_integrity": {"MD5", "SHA1"},
	"ipsec_integrity": {"MD5", "SHA1"},
	"dh_group": {"DHGroup1", "DHGroup2", "None"},
	"pfs_group": {"PFS1", "PFS2", "None"},
}

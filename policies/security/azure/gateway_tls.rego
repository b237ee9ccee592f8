# METADATA
# scope: package
# title: Application gateway with old TLS (Azure)
# description: Finds application gateways whose policy accepts TLS 1.0 or 1.1.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     TLS 1.0 and 1.1 have known weaknesses and are withdrawn; a client can be talked down to
#     them.
#   mend: >-
#     Set ssl_policy with policy_type = "Predefined" and policy_name = "AppGwSslPolicy20220101",
#     or min_protocol_version = "TLSv1_2".
#   controls:
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_application_gateway" "main" {
#           name = "main"
#           ssl_policy {
#             policy_type = "Predefined"
#             policy_name = "AppGwSslPolicy20150501"
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_application_gateway" "main" {
#           name = "main"
#           ssl_policy {
#             policy_type = "Predefined"
#             policy_name = "AppGwSslPolicy20220101"
#           }
#         }
package tidelock.security.azure.gateway_tls

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some [rc, policy] in policies
	policy.policy_name in {"AppGwSslPolicy20150501", "AppGwSslPolicy20170401"}
	message := sprintf("Old TLS is accepted: policy_name is %q.", [policy.policy_name])
}

deny contains {"address": rc.address, "msg": message} if {
	some [rc, policy] in policies
	azure.legacy_tls(policy.min_protocol_version)
	message := sprintf("Old TLS is accepted: min_protocol_version is %q.", [policy.min_protocol_version])
}

# A policy stands on the gateway or in one of its profiles.
policies := array.concat(
	[[rc, policy] | some rc in gateways; some policy in azure.blocks(rc, "ssl_policy")],
	[[rc, policy] |
		some rc in gateways
		some profile in azure.blocks(rc, "ssl_profile")
		some policy in profile.ssl_policy
	],
)

gateways := azure.of({"azurerm_application_gateway"})

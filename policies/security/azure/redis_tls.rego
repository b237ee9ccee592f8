# METADATA
# scope: package
# title: Redis without TLS (Azure)
# description: Finds caches that accept clear text or old TLS.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     The access key and all that is cached cross the network in clear text: sessions, mostly.
#   mend: >-
#     Set non_ssl_port_enabled = false and minimum_tls_version = "1.2"; on Managed Redis leave
#     client_protocol at "Encrypted".
#   controls:
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_redis_cache" "sessions" {
#           name                 = "sessions"
#           non_ssl_port_enabled = true
#           minimum_tls_version  = "1.2"
#         }
#     good:
#       hcl: |
#         resource "azurerm_redis_cache" "sessions" {
#           name                 = "sessions"
#           non_ssl_port_enabled = false
#           minimum_tls_version  = "1.2"
#         }
package tidelock.security.azure.redis_tls

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "The port without TLS is open: non_ssl_port_enabled is true."} if {
	some rc in caches
	azure.one_of(rc, [["non_ssl_port_enabled"], ["enable_non_ssl_port"]], false) == true
}

# azurerm up to 4 has TLS 1.0 as its default, and writes it into the plan.
deny contains {"address": rc.address, "msg": message} if {
	some rc in caches
	version := azure.value(rc, ["minimum_tls_version"], "1.2")
	azure.legacy_tls(version)
	message := sprintf("Old TLS is accepted: minimum_tls_version is %q.", [version])
}

deny contains {"address": rc.address, "msg": "Connections in clear text are accepted: client_protocol is Plaintext."} if {
	some type, path in {"azurerm_managed_redis": ["default_database", 0, "client_protocol"], "azurerm_redis_enterprise_database": ["client_protocol"]}
	some rc in azure.of({type})
	azure.value(rc, path, "Encrypted") == "Plaintext"
}

caches := azure.of({"azurerm_redis_cache"})

# METADATA
# scope: package
# title: Redis without a password (Azure)
# description: Denies caches that ask nobody who they are.
# custom:
#   severity: critical
#   level: mandatory
#   why: >-
#     Whoever reaches the cache reads and changes everything in it, sessions of signed-in people
#     among it.
#   mend: >-
#     Leave redis_configuration.authentication_enabled at true.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.15", "A.8.5"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_redis_cache" "sessions" {
#           name = "sessions"
#           redis_configuration {
#             authentication_enabled = false
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_redis_cache" "sessions" {
#           name = "sessions"
#           redis_configuration {
#             authentication_enabled = true
#           }
#         }
package tidelock.security.azure.redis_authentication

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Nobody is asked for a key: redis_configuration.authentication_enabled is false."} if {
	some rc in azure.of({"azurerm_redis_cache"})
	azure.one_of(rc, [["redis_configuration", 0, "authentication_enabled"], ["redis_configuration", 0, "enable_authentication"]], true) == false
}

# METADATA
# scope: package
# title: Right to purge what a vault holds (Azure)
# description: >-
#   Finds access policies that let somebody delete keys, secrets or certificates for good.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Purging ends what soft delete keeps: whoever takes over this identity can destroy every key
#     and what is encrypted with it.
#   mend: >-
#     Take "Purge" out of the permissions; nothing in daily work needs it.
#   controls:
#     soc2: ["CC6.3"]
#     iso27001_2022: ["A.5.18", "A.8.10"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_key_vault_access_policy" "app" {
#           object_id          = "00000000-0000-0000-0000-000000000001"
#           secret_permissions = ["Get", "List", "Purge"]
#         }
#     good:
#       hcl: |
#         resource "azurerm_key_vault_access_policy" "app" {
#           object_id          = "00000000-0000-0000-0000-000000000001"
#           secret_permissions = ["Get", "List"]
#         }
package tidelock.security.azure.key_vault_purge_right

import data.tidelock.azure
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some [rc, policy] in policies
	purging := [kind |
		some kind in ["certificate", "key", "secret", "storage"]
		some permission in plan.list(policy, sprintf("%s_permissions", [kind]))
		lower(permission) == "purge"
	]
	count(purging) > 0
	message := sprintf("%s may delete for good: Purge is among the permissions for %s.", [plan.text(policy, "object_id", "Somebody"), concat(", ", purging)])
}

policies := array.concat(
	[[rc, rc.change.after] | some rc in azure.of({"azurerm_key_vault_access_policy"})],
	[[rc, policy] | some rc in azure.of({"azurerm_key_vault"}); some policy in azure.blocks(rc, "access_policy")],
)

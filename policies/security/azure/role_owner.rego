# METADATA
# scope: package
# title: Owner of a whole subscription (Azure)
# description: >-
#   Denies role assignments that make somebody owner, or giver of roles, of a subscription or a
#   management group.
# custom:
#   severity: high
#   level: mandatory
#   why: >-
#     An owner may do everything in all resource groups and give everyone any role: one stolen
#     token takes the whole subscription.
#   mend: >-
#     Give a narrower role, or the same one on a resource group; owners for emergencies are
#     assigned by hand, with Privileged Identity Management.
#   controls:
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.18", "A.8.2"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_role_assignment" "ci" {
#           scope                = "/subscriptions/00000000-0000-0000-0000-000000000000"
#           role_definition_name = "Owner"
#           principal_id         = "00000000-0000-0000-0000-000000000001"
#         }
#     good:
#       hcl: |
#         resource "azurerm_role_assignment" "ci" {
#           scope                = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/shop"
#           role_definition_name = "Contributor"
#           principal_id         = "00000000-0000-0000-0000-000000000001"
#         }
package tidelock.security.azure.role_owner

import data.tidelock.azure

deny contains {"address": rc.address, "msg": message} if {
	some [rc, role, scope] in wide
	not azure.set(rc, ["condition"])
	message := sprintf("The role %s is given for %s.", [role, scope])
}

# A condition may limit which roles are given to whom; what it says is not read
# here.
deny contains {"address": rc.address, "msg": message, "level": "advisory"} if {
	some [rc, role, scope] in wide
	azure.set(rc, ["condition"])
	message := sprintf("The role %s is given for %s: make sure that its condition is narrow.", [role, scope])
}

wide := [[rc, role, scope] |
	some rc in azure.of({"azurerm_role_assignment", "azurerm_pim_active_role_assignment"})
	scope := area(azure.value(rc, ["scope"], ""))
	role := given(rc)
]

area(scope) := "a subscription" if regex.match(`(?i)^/?subscriptions/[^/]+/?$`, scope)

area(scope) := "a management group" if regex.match(`(?i)^/?providers/microsoft\.management/managementgroups/[^/]+/?$`, scope)

area("/") := "the whole tenant"

given(rc) := role if {
	some role in roles
	lower(azure.chosen(rc, [["role_definition_name"]], "")) == lower(role)
} else := role if {
	some id, role in roles
	endswith(lower(azure.chosen(rc, [["role_definition_id"]], "")), id)
}

# The built-in roles have the same IDs in every tenant.
roles := {
	"8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
	"18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
	"f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
}

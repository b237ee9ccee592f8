# METADATA
# scope: package
# title: Custom role with every right (Azure)
# description: Denies custom roles whose actions are "*", and points out those that may give roles.
# custom:
#   severity: high
#   level: mandatory
#   why: >-
#     Such a role is an owner under another name, which reviews of owners overlook.
#   mend: >-
#     List the actions that the work needs; not_actions do not help, since another role may give
#     back what they take.
#   controls:
#     cis_azure_3.0: ["2.23"]
#     soc2: ["CC6.1", "CC6.3"]
#     iso27001_2022: ["A.5.15", "A.8.2"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_role_definition" "deployer" {
#           name  = "deployer"
#           scope = "/subscriptions/00000000-0000-0000-0000-000000000000"
#           permissions {
#             actions = ["*"]
#           }
#         }
#     good:
#       hcl: |
#         resource "azurerm_role_definition" "deployer" {
#           name  = "deployer"
#           scope = "/subscriptions/00000000-0000-0000-0000-000000000000"
#           permissions {
#             actions = ["Microsoft.Web/sites/*", "Microsoft.Resources/subscriptions/resourceGroups/read"]
#           }
#         }
package tidelock.security.azure.role_wildcard

import data.tidelock.azure
import data.tidelock.plan

deny contains {"address": rc.address, "msg": "The role may do everything: its actions are \"*\"."} if {
	some rc in roles
	some permission in azure.blocks(rc, "permissions")
	"*" in plan.list(permission, "actions")
}

deny contains {"address": rc.address, "msg": message, "level": "advisory"} if {
	some rc in roles
	some permission in azure.blocks(rc, "permissions")
	some action in plan.list(permission, "actions")
	regex.match(`(?i)^(\*/write|microsoft\.authorization/(\*|\*/write|roleassignments/(\*|write)|roledefinitions/(\*|write)))$`, action)
	not withheld(permission)
	message := sprintf("Who has the role may give themselves any other: it has the action %s.", [action])
}

withheld(permission) if {
	some action in plan.list(permission, "not_actions")
	lower(action) in {"microsoft.authorization/*", "microsoft.authorization/*/write"}
}

roles := azure.of({"azurerm_role_definition"})

# METADATA
# scope: package
# title: Protection against deletion is taken away
# description: Finds resources whose protection against deletion is switched off, and locks that go, unless the pull request is labelled.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     Switching the protection off is the first of two steps: the next plan can delete the database
#     and everything that it holds. It is asked about here, while nothing is lost.
#   mend: >-
#     Leave the protection on. If the resource is to go, a person sets the label allow-destroy on
#     the pull request.
#   controls:
#     soc2: ["A1.2", "CC8.1"]
#     iso27001_2022: ["A.8.32"]
#   examples:
#     bad:
#       before: |
#         resource "aws_db_instance" "orders" {
#           identifier          = "orders"
#           deletion_protection = true
#         }
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier          = "orders"
#           deletion_protection = false
#         }
#     good:
#       before: |
#         resource "aws_db_instance" "orders" {
#           identifier          = "orders"
#           deletion_protection = true
#         }
#       hcl: |
#         resource "aws_db_instance" "orders" {
#           identifier          = "orders"
#           engine_version      = "17.2"
#           deletion_protection = true
#         }
package tidelock.destruction.protection

import data.tidelock.destruction.settings
import data.tidelock.labels
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	not labels.any_set(settings.labels)
	some rcs in plan.made
	some rc in rcs
	some name in flags
	on(rc.change.before[name])
	not on(object.get(rc.change.after, name, null))
	not plan.masked(plan.unknown(rc), name)
	message := sprintf("%s would be switched off for this %s.", [name, rc.type])
}

deny contains {"address": rc.address, "msg": message} if {
	not labels.any_set(settings.labels)
	some type in locks
	some rc in plan.destroyed[type]
	not plan.replaced(rc)
	message := sprintf("This %s would go, and what it locks could be deleted.", [type])
}

on(value) if value == true

on(value) if upper(value) in {"ACTIVE", "PREVENT", "ENABLED"}

# What protects a resource, whatever its type: no provider uses one of these
# names for anything else.
flags := {
	"deletion_protection", "deletion_protection_enabled", "enable_deletion_protection", "delete_protection_enabled",
	"disable_api_termination", "termination_protection", "enable_drop_protection", "purge_protection_enabled",
	"prevent_deletion", "deletion_policy", "delete_protection", "soft_delete_enabled",
}

locks := {"azurerm_management_lock", "google_resource_manager_lien"}

# METADATA
# scope: package
# title: A tag has another value than is allowed
# description: Finds tags whose value is not among those that the settings allow for their key. Off without settings.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Bills and permissions that go by tags count prod, production and Prod as three things, and one
#     of them is forgotten.
#   mend: Write one of the allowed values, which the message names.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.9", "A.5.13"]
#   examples:
#     bad:
#       settings: { tagging: { allowed_values: ["environment=production|staging"] } }
#       hcl: |
#         resource "aws_s3_bucket" "logs" {
#           bucket = "logs"
#           tags   = { Environment = "prod" } # where production and staging are allowed
#         }
#     good:
#       settings: { tagging: { allowed_values: ["environment=production|staging"] } }
#       hcl: |
#         resource "aws_s3_bucket" "logs" {
#           bucket = "logs"
#           tags   = { Environment = "production" }
#         }
package tidelock.tagging.allowed_values

import data.tidelock.patterns
import data.tidelock.tagging.settings
import data.tidelock.tagging.tags

deny contains {"address": rc.address, "msg": message} if {
	count(settings.allowed_values) > 0
	some [rc, key, value] in tags.made
	some entry in settings.allowed_values
	[name, values] := patterns.pair(entry)
	lower(name) == lower(key)
	allowed := {trim_space(v) | some v in split(values, "|")}
	not value in allowed
	message := sprintf("The %s %s is %q, and may be %s.", [tags.noun(rc.type), key, value, concat(", ", sort(allowed))])
}

deny contains {"msg": message} if {
	some entry in settings.allowed_values
	not patterns.pair(entry)
	message := sprintf("The setting tagging.allowed_values has %q, which is not key=one|other.", [entry])
}

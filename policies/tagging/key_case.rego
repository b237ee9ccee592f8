# METADATA
# scope: package
# title: Keys of tags are not written alike
# description: Finds resources with two keys that differ only in case, and keys that do not match the patterns of the settings.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Owner and owner are two tags on AWS and one on Azure. Reports take one of them, and nobody
#     knows which.
#   mend: Write each key in one way everywhere, in the provider's default tags too.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.9", "A.5.13"]
#   examples:
#     bad:
#       hcl: |
#         resource "aws_s3_bucket" "logs" {
#           bucket = "logs"
#           tags   = { Owner = "platform", owner = "platform", environment = "prod" }
#         }
#     good:
#       hcl: |
#         resource "aws_s3_bucket" "logs" {
#           bucket = "logs"
#           tags   = { owner = "platform", environment = "prod" }
#         }
package tidelock.tagging.key_case

import data.tidelock.patterns
import data.tidelock.plan
import data.tidelock.tagging.settings
import data.tidelock.tagging.tags

# Two ways of writing one key, wherever each comes from. Google's labels are in
# small letters by its own rules.
deny contains {"address": rc.address, "msg": message} if {
	some type, rcs in plan.made
	not type in settings.exempt_types
	names := tags.carriers[split(type, "_")[0]]
	some rc in rcs
	keys := {key |
		some name in names
		some key, _ in tags.shaped(rc.change.after[name])
	}
	count(keys) > count({lower(key) | some key in keys})
	alike := {key | some key in keys; some other in keys; other != key; lower(other) == lower(key)}
	message := sprintf("The %ss %s differ only in case.", [tags.noun(type), concat(", ", sort(alike))])
}

deny contains {"address": rc.address, "msg": message} if {
	count(settings.key_patterns) > 0
	some [rc, key, _] in tags.made
	some pattern in settings.key_patterns
	not regex.match(pattern, key)
	message := sprintf("The key of the %s %s does not match %s.", [tags.noun(rc.type), key, pattern])
}

deny contains {"msg": message} if {
	some pattern in patterns.invalid(settings.key_patterns)
	message := sprintf("The setting tagging.key_patterns has %q, which is no regular expression.", [pattern])
}

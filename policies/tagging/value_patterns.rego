# METADATA
# scope: package
# title: A tag's value is off the pattern
# description: Finds tags whose value does not match the pattern that the settings give for their key. Off without settings.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     A cost centre with a digit missing, or an owner that is no team's name, is as good as no tag
#     when the bill is cut or the alarm rings.
#   mend: Write a value that matches the pattern in the message.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.9", "A.5.13"]
#   examples:
#     bad:
#       settings: { tagging: { value_patterns: ["cost-centre=^[0-9]{4}$"] } }
#       hcl: |
#         resource "aws_s3_bucket" "logs" {
#           bucket = "logs"
#           tags   = { cost-centre = "12" } # where the pattern is ^[0-9]{4}$
#         }
#     good:
#       settings: { tagging: { value_patterns: ["cost-centre=^[0-9]{4}$"] } }
#       hcl: |
#         resource "aws_s3_bucket" "logs" {
#           bucket = "logs"
#           tags   = { cost-centre = "1200" }
#         }
package tidelock.tagging.value_patterns

import data.tidelock.patterns
import data.tidelock.tagging.settings
import data.tidelock.tagging.tags

deny contains {"address": rc.address, "msg": message} if {
	count(settings.value_patterns) > 0
	some [rc, key, value] in tags.made
	some entry in settings.value_patterns
	[name, pattern] := patterns.pair(entry)
	lower(name) == lower(key)
	not regex.match(pattern, value)
	message := sprintf("The %s %s is %q, which does not match %s.", [tags.noun(rc.type), key, value, pattern])
}

deny contains {"msg": message} if {
	some entry in patterns.unreadable(settings.value_patterns)
	message := sprintf("The setting tagging.value_patterns has %q, which is not key=regular expression.", [entry])
}

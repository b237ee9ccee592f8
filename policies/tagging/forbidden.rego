# METADATA
# scope: package
# title: A tag that must not be
# description: Finds tags whose key the settings forbid. Off without settings.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Tags are shown on bills, in logs and to everyone who may list resources, and some keys mean
#     something to other programs: an old or personal key does harm there.
#   mend: Take the tag away from the resource, or from the provider's default tags.
#   controls:
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.13", "A.8.12"]
#   examples:
#     bad:
#       settings: { tagging: { forbidden: ["*email*"] } }
#       hcl: |
#         resource "aws_s3_bucket" "logs" {
#           bucket = "logs"
#           tags   = { OwnerEmail = "ada@example.com" } # where *email* is forbidden
#         }
#     good:
#       settings: { tagging: { forbidden: ["*email*"] } }
#       hcl: |
#         resource "aws_s3_bucket" "logs" {
#           bucket = "logs"
#           tags   = { Owner = "platform" }
#         }
package tidelock.tagging.forbidden

import data.tidelock.patterns
import data.tidelock.tagging.settings
import data.tidelock.tagging.tags

deny contains {"address": rc.address, "msg": message} if {
	count(settings.forbidden) > 0
	some [rc, key, _] in tags.made
	patterns.globbed(settings.forbidden, key)
	message := sprintf("The %s %s is forbidden.", [tags.noun(rc.type), key])
}

deny contains {"msg": message} if {
	some pattern in patterns.unglobbable(settings.forbidden)
	message := sprintf("The setting tagging.forbidden has %q, which can't be read as a pattern.", [pattern])
}

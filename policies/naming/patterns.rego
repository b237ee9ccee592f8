# METADATA
# scope: package
# title: A name off the pattern
# description: Finds new resources whose name does not match the patterns that the settings give for their type. Off without settings.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Names that follow one pattern tell whose a resource is and what it is for, and let permissions
#     and bills be cut by them. Most names can't be changed later without making the resource anew.
#   mend: Rename the resource before it is made, so that it matches the pattern in the message.
#   examples:
#     bad:
#       settings: { naming: { patterns: ["aws_s3_bucket=^acme-[a-z0-9-]+$"] } }
#       hcl: |
#         resource "aws_s3_bucket" "logs" {
#           bucket = "my-logs" # where the pattern is ^acme-[a-z0-9-]+$
#         }
#     good:
#       settings: { naming: { patterns: ["aws_s3_bucket=^acme-[a-z0-9-]+$"] } }
#       hcl: |
#         resource "aws_s3_bucket" "logs" {
#           bucket = "acme-logs"
#         }
package tidelock.naming.patterns

import data.tidelock.naming.names
import data.tidelock.naming.settings
import data.tidelock.patterns

deny contains {"address": rc.address, "msg": message} if {
	count(settings.patterns) > 0
	some [rc, name] in names.named
	some entry in settings.patterns
	[type, pattern] := patterns.pair(entry)
	patterns.globbed([type], rc.type)
	not regex.match(pattern, name)
	message := sprintf("The name %q does not match %s.", [name, pattern])
}

deny contains {"msg": message} if {
	some entry in patterns.unreadable(settings.patterns)
	message := sprintf("The setting naming.patterns has %q, which is not type=regular expression.", [entry])
}

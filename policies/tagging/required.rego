# METADATA
# scope: package
# title: Required tags are missing
# description: Finds resources of AWS, Azure and Google that can be tagged and lack a required tag.
# custom:
#   severity: low
#   level: advisory
#   why: >-
#     Without tags nobody can tell who pays for a resource, who is called when it breaks, and
#     whether it may be deleted.
#   mend: >-
#     Add the tags to the resource, or once for all in the provider block: default_tags on AWS,
#     default_labels on Google.
#   examples:
#     bad:
#       hcl: |
#         resource "aws_s3_bucket" "logs" {
#           bucket = "logs"
#           tags   = { Owner = "platform" }
#         }
#     good:
#       hcl: |
#         resource "aws_s3_bucket" "logs" {
#           bucket = "logs"
#           tags   = { Owner = "platform", Environment = "prod" }
#         }
package tidelock.tagging.required

import data.tidelock.plan
import data.tidelock.tagging.settings
import data.tidelock.tagging.tags

deny contains {"address": rc.address, "msg": message} if {
	some [rc, missing] in lacking
	not defaults_unknown(rc)
	message := sprintf("This %s lacks %s.", [rc.type, listed(missing, rc)])
}

# The provider's default tags join in only with the apply, so that a tag which
# the resource does not name itself may yet come from there.
deny contains {"address": rc.address, "msg": message, "level": "advisory"} if {
	some [rc, missing] in lacking
	defaults_unknown(rc)
	message := sprintf("This %s lacks %s, unless the provider's default tags add it: they are known only after the apply.", [rc.type, listed(missing, rc)])
}

# lacking: each resource that can be tagged, with the required keys that are
# neither set to something nor there with a value still to come. A tag with an
# empty value says nothing, so it counts as not set.
lacking := [[rc, missing] |
	some type, rcs in plan.made
	not type in settings.exempt_types
	cloud := split(type, "_")[0]
	some rc in rcs
	taggable(rc, tags.attributes[cloud])
	have := keys_of(rc.change, tags.carriers[cloud])
	missing := [key | some key in settings.required; not lower(key) in have]
	count(missing) > 0
]

# Whether a type can be tagged is told by the plan: it shows every attribute
# that the provider's schema has, those that nobody set as null. An attribute
# of that name but of another shape (the network tags of a Google instance are
# a list) is something else.
taggable(rc, names) if {
	some name in names
	shaped(rc.change.after[name])
}

taggable(rc, names) if {
	some name in names
	name in object.keys(plan.unknown(rc))
	not is_array(object.get(rc.change.after, name, null))
}

shaped(value) if is_null(value)

shaped(value) if is_object(value)

keys_of(change, names) := {lower(key) |
	some name in names
	some key, value in change.after[name]
	not value in {"", null}
} | {lower(key) |
	some name in names
	some key, true in change.after_unknown[name]
}

# defaults_unknown holds where a whole set of tags waits for the apply.
defaults_unknown(rc) if {
	some name in tags.carriers[split(rc.type, "_")[0]]
	plan.unknown(rc)[name] == true
}

listed(keys, rc) := sprintf("the %s %s", [noun(keys, rc), concat(", ", keys)])

noun(keys, rc) := tags.noun(rc.type) if count(keys) == 1

else := sprintf("%ss", [tags.noun(rc.type)])

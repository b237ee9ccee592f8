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

deny contains {"address": rc.address, "msg": message} if {
	some rc in judged
	not defaults_unknown(rc)
	missing := absent(rc)
	count(missing) > 0
	message := sprintf("This %s lacks %s.", [rc.type, listed(missing, rc)])
}

# The provider's default tags join in only with the apply, so that a tag which
# the resource does not name itself may yet come from there.
deny contains {"address": rc.address, "msg": message, "level": "advisory"} if {
	some rc in judged
	defaults_unknown(rc)
	missing := absent(rc)
	count(missing) > 0
	message := sprintf("This %s lacks %s, unless the provider's default tags add it: they are known only after the apply.", [rc.type, listed(missing, rc)])
}

judged := [rc |
	some type, rcs in plan.made
	not type in settings.exempt_types
	cloud := split(type, "_")[0]
	attributes[cloud]
	some rc in rcs
	taggable(rc, attributes[cloud])
]

# The attributes that carry what a person may set, by the type's first word.
attributes := {
	"aws": {"tags"},
	"azurerm": {"tags"},
	"google": {"labels", "resource_labels", "user_labels"},
}

# Whether a type can be tagged is told by the plan: it shows every attribute
# that the provider's schema has, those that nobody set as null. An attribute
# of that name but of another shape (the network tags of a Google instance are
# a list) is something else.
taggable(rc, names) if {
	some name in names
	shaped(object.get(rc.change.after, name, "absent"))
}

taggable(rc, names) if {
	some name in names
	name in object.keys(plan.unknown(rc))
	not is_array(object.get(rc.change.after, name, null))
}

shaped(value) if is_null(value)

shaped(value) if is_object(value)

# absent gives the required keys that are neither set to something nor not yet
# known. A tag with an empty value says nothing, so it counts as absent.
absent(rc) := missing if {
	have := keys_of(rc)
	missing := [key | some key in settings.required; not lower(key) in have]
}

keys_of(rc) := {lower(key) |
	some name in carriers
	some key, value in rc.change.after[name]
	not value in {"", null}
} | {lower(key) |
	some name in carriers
	some key, true in plan.unknown(rc)[name]
}

# Beside what a person sets, providers show what it comes to with the defaults.
carriers := {"tags", "tags_all", "labels", "resource_labels", "user_labels", "terraform_labels", "effective_labels"}

# defaults_unknown holds where a whole set of tags waits for the apply.
defaults_unknown(rc) if {
	some name in carriers
	plan.unknown(rc)[name] == true
}

listed(keys, rc) := sprintf("the %s %s", [noun(keys, rc), concat(", ", keys)])

noun(keys, rc) := "label" if {
	startswith(rc.type, "google_")
	count(keys) == 1
} else := "labels" if {
	startswith(rc.type, "google_")
} else := "tag" if {
	count(keys) == 1
} else := "tags"

package tidelock.tagging.settings

# METADATA
# title: Required tags
# description: Keys that every taggable resource must carry, on Google as labels. Upper and lower case are the same.
# custom:
#   tighter: more
default required := ["environment", "owner"]

required := input.settings.tagging.required

# METADATA
# title: Types without tags
# description: Resource types that need not carry the required tags.
# custom:
#   tighter: fewer
default exempt_types := []

exempt_types := input.settings.tagging.exempt_types

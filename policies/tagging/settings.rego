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

# METADATA
# title: Allowed values
# description: >-
#   Values that a tag may have where it is set, as key=one|other. Several entries of one key must all
#   hold. The key is the same in upper and lower case, the value is not.
# custom:
#   tighter: more
default allowed_values := []

allowed_values := input.settings.tagging.allowed_values

# METADATA
# title: Patterns of values
# description: What the value of a tag must match where it is set, as key=regular expression. Several entries of one key must all hold.
# custom:
#   tighter: more
default value_patterns := []

value_patterns := input.settings.tagging.value_patterns

# METADATA
# title: Forbidden tags
# description: Keys that no resource may carry. A star stands for any letters, upper and lower case are the same.
# custom:
#   tighter: more
default forbidden := []

forbidden := input.settings.tagging.forbidden

# METADATA
# title: Patterns of keys
# description: Regular expressions that every key must match, all of them.
# custom:
#   tighter: more
default key_patterns := []

key_patterns := input.settings.tagging.key_patterns

package tidelock.naming.settings

# METADATA
# title: Patterns of names
# description: >-
#   What the names of new resources must match, as type=regular expression. The type may have stars,
#   and where several entries fit, all must hold: "aws_s3_bucket=^acme-".
# custom:
#   tighter: more
default patterns := []

patterns := input.settings.naming.patterns

# METADATA
# title: Reserved words
# description: Words that the name of a new resource must not have as a part, between its dashes, dots and underscores. Case does not matter.
# custom:
#   tighter: more
default reserved := []

reserved := input.settings.naming.reserved

# METADATA
# title: Patterns of labels
# description: Regular expressions that the label of a new resource's block must match, all of them.
# custom:
#   tighter: more
default label_patterns := ["^[a-z_][a-z0-9_]*$"]

label_patterns := input.settings.naming.label_patterns

# METADATA
# title: Types with free names
# description: Resource types whose names and labels are not judged. A star stands for any letters.
# custom:
#   tighter: fewer
default exempt_types := []

exempt_types := input.settings.naming.exempt_types

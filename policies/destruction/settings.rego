package tidelock.destruction.settings

# METADATA
# title: Labels that allow a destroy
# description: A pull request with one of these labels may destroy what holds data. Upper and lower case are the same.
# custom:
#   tighter: fewer
default labels := ["allow-destroy"]

labels := input.settings.destruction.labels

# METADATA
# title: More stateful types
# description: Resource types that hold data, beside those that the rule knows.
# custom:
#   tighter: more
default extra_types := []

extra_types := input.settings.destruction.extra_types

# METADATA
# title: Types that may go
# description: Resource types that the rule knows as stateful but that hold nothing of worth here.
# custom:
#   tighter: fewer
default exempt_types := []

exempt_types := input.settings.destruction.exempt_types

# METADATA
# title: How many may go
# description: More destroyed resources than this in one plan need a label.
# custom:
#   tighter: lower
default most := 20

most := input.settings.destruction.most

# METADATA
# title: What share may go, in percent
# description: A larger share of a project's resources needs a label. Plans that destroy fewer than five are not measured so.
# custom:
#   tighter: lower
default most_percent := 50

most_percent := input.settings.destruction.most_percent

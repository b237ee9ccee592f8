# How Tidelock treats this repository. Nothing here is needed: the projects are
# found by themselves, and every line that is commented out shows what can be
# said. The file is read from the base branch, so a change of it counts once it
# is merged.

# Find the projects that no block below lists.
# autodiscover = true

# Directories that are never projects; ** stands for any depth.
# ignore = ["examples/**", "test/**"]

# Without these three the server's own settings hold.

# When a pull request takes a project's lock: at its "plan", or only while it
# applies ("apply").
# lock = "plan"

# Take the command `apply` on an open pull request.
# apply_before_merge = true

# Merge the pull request once everything of it is applied. Brings
# apply_before_merge with it, and the App then needs Contents: write.
# auto_merge = true

# A project that can't be found, or that needs a workspace or variable files.
# Its name is what comments show and what -p takes. Two projects must not have
# the same directory and workspace: they would share one state.
# project "shop-staging" {
#   dir       = "live/shop"
#   workspace = "staging"                # "default" where none is named
#   var_files = ["staging.tfvars"]       # relative to dir, inside the repository
#   watch     = ["templates/**"]         # more files whose change means a new plan
# }

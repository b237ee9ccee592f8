# Made of atlantis.yaml by tidelock convert. It counts once it is on the base branch;
# then atlantis.yaml is not read any more.

# The projects below, and no others.
autodiscover = false

# Atlantis applies before the merge. Without these two the server's settings hold.
# apply_before_merge = true
# apply_on_merge     = false

# Hooks run, and variables of env reach a run, only where the server allows them.

project "project1" {
  dir           = "project1"
  when_modified = ["project1/*.tf*", "modules/**/*.tf"]

  hook "before_plan" {
    run = ["sh", "-c", "echo hello  there and more"]
  }
}

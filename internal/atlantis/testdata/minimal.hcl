# Made of atlantis.yaml by tidelock convert. It counts once it is on the base branch;
# then atlantis.yaml is not read any more.

# Atlantis applies before the merge. Without these two the server's settings hold.
# apply_before_merge = true
# apply_on_merge     = false

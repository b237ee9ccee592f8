# METADATA
# title: Reading a plan
# description: >-
#   What the rules share to read Terraform's plan JSON. A rule asks for the
#   changes of the types it knows (made.aws_instance, destroyed.aws_db_instance),
#   so that a hundred rules over ten thousand resources do not each walk them all.
package tidelock.plan

# Tidelock puts the plan under input.plan; conftest and opa are handed the plan
# itself. A plan in which nothing ever was has no resource_changes at all.
default all_changes := []

all_changes := input.plan.resource_changes

all_changes := input.resource_changes if not input.plan.resource_changes

# Resources, not data sources: a data source is only read.
managed := [rc | some rc in all_changes; rc.mode == "managed"]

types := {rc.type | some rc in managed}

# made: what exists after the apply in a form that this plan gives it, by type.
# A resource that stays as it is, and one that only goes, are not in it.
made := {t: rcs |
	some t in types
	rcs := [rc | some rc in _makes; rc.type == t]
	count(rcs) > 0
}

_makes := [rc | some rc in managed; _making[rc.change.actions[_]]]

_making := {"create", "update"}

# destroyed: what stops existing, by type; a replaced resource and the old
# object of one count. A forgotten resource is left alone, so it does not.
destroyed := {t: rcs |
	some t in types
	rcs := [rc | some rc in _destroys; rc.type == t]
	count(rcs) > 0
}

_destroys := [rc | some rc in managed; "delete" in rc.change.actions]

destroy_count := count(_destroys)

existing_count := count([rc | some rc in managed; rc.change.actions != ["create"]])

# replaced holds where a new object takes the place of the destroyed one.
replaced(rc) if {
	"delete" in rc.change.actions
	"create" in rc.change.actions
}

# unknown(rc) is Terraform's mask of values that only the apply will tell.
unknown(rc) := rc.change.after_unknown

# An attribute that is null or absent, as a list, a string or a number.
list(o, key) := o[key] if is_array(o[key])

else := []

text(o, key, otherwise) := o[key] if is_string(o[key])

else := otherwise

# masked holds where a mask of unknown values says that the attribute, or any
# member of it, is not known.
masked(mask, key) if mask[key] == true

masked(mask, key) if mask[key][_] == true

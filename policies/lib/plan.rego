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

# standing: what exists after the apply, whether this plan changes it or not, by
# type. Rules look there for what protects a resource; they judge what is made.
standing := {t: rcs |
	some t in types
	rcs := [rc | some rc in _stands; rc.type == t]
	count(rcs) > 0
}

_stands := [rc | some rc in managed; is_object(rc.change.after)]

# read_later: data sources that the apply will read, since not all that they
# are asked by is known, by type. Terraform leaves out of the changes those that
# the plan has read.
read_later := {t: rcs |
	some t in data_types
	rcs := [rc | some rc in _data; rc.type == t]
}

_data := [rc | some rc in all_changes; rc.mode == "data"; is_object(rc.change.after)]

data_types := {rc.type | some rc in _data}

# of(type) is what stands of a type, or of a data source's: "data.aws_vpc".
of(type) := object.get(standing, type, []) if not startswith(type, "data.")

of(type) := object.get(read_later, trim_prefix(type, "data."), []) if startswith(type, "data.")

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

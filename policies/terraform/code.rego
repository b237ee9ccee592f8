# METADATA
# title: Reading the code
# description: >-
#   What a plan's JSON tells of the configuration: the modules, their calls,
#   resources and variables, from the root down. Rules can't recurse, so the
#   levels are written out; what lies deeper is told, not passed over.
package tidelock.terraform.code

default configuration := {}

configuration := input.plan.configuration

configuration := input.configuration if not input.plan.resource_changes

# modules: each with its path, "" for the root and module.a.module.b below.
modules := array.concat(
	array.concat(array.concat(_level_0, _level_1), array.concat(_level_2, _level_3)),
	array.concat(
		array.concat(array.concat(_level_4, _level_5), array.concat(_level_6, _level_7)),
		array.concat(_level_8, _level_9),
	),
)

# too_deep: the modules whose calls are not looked into.
too_deep := [m.path | some m in _level_9; count(object.get(m.module, "module_calls", {})) > 0]

_level_0 := [{"path": "", "module": object.get(configuration, "root_module", {})}]

_level_1 := _below(_level_0)

_level_2 := _below(_level_1)

_level_3 := _below(_level_2)

_level_4 := _below(_level_3)

_level_5 := _below(_level_4)

_level_6 := _below(_level_5)

_level_7 := _below(_level_6)

_level_8 := _below(_level_7)

_level_9 := _below(_level_8)

_below(parents) := [{"path": within(m.path, sprintf("module.%s", [name])), "module": object.get(call, "module", {})} |
	some m in parents
	some name, call in m.module.module_calls
]

within("", name) := name

within(path, name) := sprintf("%s.%s", [path, name]) if path != ""

# calls: each module block with the address of what it calls.
calls := [{"address": within(m.path, sprintf("module.%s", [name])), "source": call.source, "version": object.get(call, "version_constraint", "")} |
	some m in modules
	some name, call in m.module.module_calls
]

# provisioned: the resources that have provisioners, with one of them each.
provisioned := [[within(m.path, r.address), p.type] |
	some m in modules
	some r in m.module.resources
	some p in r.provisioners
]

# read: the addresses of the data sources by type.
read[type] contains address if {
	some m in modules
	some r in m.module.resources
	r.mode == "data"
	type := r.type
	address := within(m.path, r.address)
}

# variables: each declaration with its address.
variables := [{"address": within(m.path, sprintf("var.%s", [name])), "name": name, "declared": declared} |
	some m in modules
	some name, declared in m.module.variables
]

# METADATA
# title: Which resource refers to which
# description: >-
#   What protects a resource is often a resource of its own: the public access
#   block of a bucket, the flow log of a network. Rules ask here which ones
#   belong together: by literal names where they are known, and else by what the
#   configuration refers to, through the variables and outputs of modules, count
#   and for_each. Locals are not in a plan's JSON: an argument that is taken from
#   one and not known yet is taken to mean every resource of the type in that
#   module, so that a rule rather keeps silent than finds fault without reason.
#   Modules nested deeper than six levels are not followed.
package tidelock.references

import data.tidelock.plan

# attached(type, key, target) tells what hangs on each resource: an object of
# addresses of resources of type target, each with the changes of the type whose
# argument key refers to it, by their addresses. Both sides are as the apply
# leaves them, whether the plan changes them or not. A target of data sources is
# written "data.aws_iam_policy_document".
attached(type, key, target) := object.union_n([{address: {rc.address: rc}} |
	some rc in plan.of(type)
	some address in targets(rc, key, target)
])

# targets(rc, key, target) are the addresses of the resources of type target
# that the argument or block key of the change refers to.
targets(rc, key, target) := {address} if {
	address := _direct(rc, key, target)
} else := both if {
	both := _referred(rc, key, target) & _named(rc, key, target)
	count(both) > 0
} else := referred if {
	referred := _referred(rc, key, target)
	count(referred) > 0
} else := named if {
	named := _named(rc, key, target)
	count(named) > 0
} else := _handed_on(rc, key, target)

# Most arguments name one resource of the same module, and nothing else: that
# is told without a walk through the graph. Terraform lists such a reference
# from its longest form to its shortest: a.b[0].id, a.b[0], a.b.
_direct(rc, key, target) := address if {
	module := _module(rc)
	refs := _resources[_plain(module)][concat(".", [rc.type, rc.name])].expressions[key].references
	count(refs) in {2, 3}
	startswith(refs[0], refs[count(refs) - 1])
	address := concat("", [_dotted(module), refs[1]])
	_addresses[target][address]
}

# The other common form, a.b[count.index] or a.b[each.key], is listed as a.b and
# the key: it is the instance with the key of the resource that refers.
_direct(rc, key, target) := address if {
	module := _module(rc)
	template := concat(".", [rc.type, rc.name])
	refs := _resources[_plain(module)][template].expressions[key].references
	count(refs) == 2
	refs[1] in {"count.index", "each.key", "each.value"}
	index := trim_prefix(rc.address, concat("", [_dotted(module), template]))
	address := concat("", [_dotted(module), refs[0], index])
	_addresses[target][address]
}

_addresses[target] := {rc.address | some rc in plan.of(target)} if some target in _asked

# unclear(rc, key) holds where the argument's value is known only after the
# apply and the configuration refers to no resource that it could come from: it
# comes from a local, or the plan shows no configuration.
unclear(rc, key) if {
	plan.masked(plan.unknown(rc), key)
	count({node | some node in _nodes_of(rc, key); _resource(node)}) == 0
}

# expressions(rc) are the arguments and blocks that the configuration gives the
# resource; undefined where the plan shows no configuration of it.
expressions(rc) := _resources[_plain(_module(rc))][_template(rc)].expressions

# By literal names: one of what a resource is called by, of its type.
_named(rc, key, target) := {address |
	some value in _values(rc.change.after[key])
	some address, _ in _names[target][value]
}

_values(value) := [value] if is_string(value)

_values(value) := [text | some text in value; is_string(text)] if is_array(value)

_called_by := ["id", "arn", "name", "bucket", "identifier", "cluster_identifier", "self_link", "function_name", "key_id", "url"]

_names[target] := names if {
	some target in _asked
	names := object.union_n([{value: {rc.address: true}} |
		some rc in plan.of(target)
		some attribute in _called_by
		value := rc.change.after[attribute]
		is_string(value)
	])
}

_asked := plan.types | {sprintf("data.%s", [type]) | some type in plan.data_types}

# By reference.
_referred(rc, key, target) := _found(rc, _nodes_of(rc, key), target)

# An argument is often handed on by a third resource, for the order's sake:
# bucket = aws_s3_bucket_versioning.logs.bucket. It is looked for there, under
# the same name. What else is left may have come through a local.
_handed_on(rc, key, target) := handed if {
	handed := _found(rc, _second_nodes(rc, key), target)
	count(handed) > 0
} else := {address |
	plan.masked(plan.unknown(rc), key)
	some node in _nodes_of(rc, key) | _second_nodes(rc, key)
	endswith(node, "|local")
	some module in _modules(rc, trim_suffix(node, "|local"), target, set())
	some instances in _at[target][module]
	some address in instances
}

_second_nodes(rc, key) := _reached({next |
	some node in _nodes_of(rc, key)
	_resource(node)
	[path, template, index] := _parts(node)
	resource := _resources[path][template]
	some next in _nodes_from(path, resource.expressions[key], resource) | _key_node(index)
})

# The key by which the third resource was chosen chooses further on too.
_key_node("") := set()

_key_node(index) := {sprintf("|key%s", [index])} if index != ""

_nodes_of(rc, key) := _nodes_at(_plain(_module(rc)), _template(rc), key)

# The instances of a resource have their nodes in common.
_nodes_at(path, template, key) := _reached(_nodes_from(path, resource.expressions[key], resource)) if {
	resource := _resources[path][template]
} else := set()

_module(rc) := object.get(rc, "module_address", "")

_template(rc) := sprintf("%s.%s", [rc.type, rc.name]) if rc.mode == "managed"

_template(rc) := sprintf("data.%s.%s", [rc.type, rc.name]) if rc.mode == "data"

# The instances of the type that the nodes stand for.
_found(rc, nodes, target) := {address |
	some node in nodes
	_resource(node)
	[path, template, index] := _parts(node)
	startswith(template, sprintf("%s.", [target]))
	name := substring(template, count(target) + 1, -1)
	keys := _keys(rc, nodes)
	some module in _modules(rc, path, target, keys)
	some address in _instances(_at[target][module][name], index, keys)
}

_instances(all, index, _) := [all[index]] if index != ""

_instances(all, "", keys) := own if {
	own := [all[key] | some key in keys]
	count(own) > 0
} else := [address | some address in all]

# The keys by which to choose among instances: those of the resource that
# refers, where it refers by each.key, each.value or count.index.
_keys(rc, nodes) := explicit if {
	explicit := {key | some node in nodes; contains(node, "|key"); key := regex.replace(node, `^[^|]*\|key`, "")}
	count(explicit) > 0
} else := {key | some text in regex.find_n(_index, rc.address, -1); some key in _spelt(text)} if {
	some node in nodes
	endswith(node, "|each")
} else := set()

# The key "0" of a for_each finds the instance 0 of a count.
_spelt(key) := {key, regex.replace(key, `^\["(\d+)"\]$`, "[$1]")}

# The instances of the module at the path that the resource can mean: its own
# ancestors, else all that agree with them, as far as keys do not choose.
_modules(rc, path, _, _) := {own} if own := _ancestors(_module(rc))[path]

_modules(rc, path, target, keys) := chosen if {
	ancestors := _ancestors(_module(rc))
	not ancestors[path]
	chosen := _chosen(path, target, keys, ancestors)
}

_chosen(path, target, keys, ancestors) := chosen if {
	chosen := {module |
		some key in keys
		some module, _ in _keyed[target][path][key]
		_agree_all(path, module, ancestors)
	}
	count(chosen) > 0
} else := {module |
	some module, _ in _paths[target][path]
	_agree_all(path, module, ancestors)
}

_agree_all(path, module, ancestors) if {
	every above, own in ancestors {
		_agree(path, above, module, own)
	}
}

_agree(path, above, module, own) if startswith(module, _dotted(own))

else if not startswith(path, _dotted(above))

_dotted("") := ""

_dotted(path) := sprintf("%s.", [path]) if path != ""

# module.a[0].module.b has the ancestors "", module.a and module.a.module.b:
# each path with the instance that it stands for here.
_ancestors(module) := {_plain(own): own |
	steps := regex.find_n(_step, module, -1)
	some n in numbers.range(0, count(steps))
	own := concat(".", array.slice(steps, 0, n))
}

# Where the instances of a type are: module → name → index → address.
_at[target] := instances if {
	some target in _asked
	instances := object.union_n([{module: {rc.name: {index: rc.address}}} |
		some rc in plan.of(target)
		module := _module(rc)
		index := trim_prefix(trim_prefix(rc.address, _dotted(module)), _template(rc))
	])
}

_paths[target] := paths if {
	some target in _asked
	paths := object.union_n([{_plain(module): {module: true}} | some module, _ in _at[target]])
}

_keyed[target] := modules if {
	some target in _asked
	modules := object.union_n([{_plain(module): {key: {module: true}}} |
		some module, _ in _at[target]
		some key in regex.find_n(_index, module, -1)
	])
}

# The configuration, by the modules' paths without keys.
configuration := input.plan.configuration

configuration := input.configuration if not input.plan.resource_changes

_level_0 := {"": configuration.root_module}

_level_1 := _below(_level_0)

_level_2 := _below(_level_1)

_level_3 := _below(_level_2)

_level_4 := _below(_level_3)

_level_5 := _below(_level_4)

_level_6 := _below(_level_5)

_below(modules) := {path: call.module |
	some parent, module in modules
	some name, call in module.module_calls
	path := _child(parent, name)
}

_child(parent, name) := sprintf("%smodule.%s", [_dotted(parent), name])

_tree := object.union_n([_level_0, _level_1, _level_2, _level_3, _level_4, _level_5, _level_6])

_resources[path] := {resource.address: resource | some resource in module.resources} if some path, module in _tree

# A node is a path and a thing in that module: |var.x, |module.c.out, |local,
# |each, |key[0], or a resource, |aws_s3_bucket.logs[0]. The edges lead from a
# variable to what its module is called with, and from a module's output to what
# it is made of.
_edges[node] contains next if {
	some parent, module in _tree
	some name, call in module.module_calls
	some variable, expression in call.expressions
	node := sprintf("%s|var.%s", [_child(parent, name), variable])
	some next in _nodes_from(parent, expression, call)
}

_edges[node] contains next if {
	some parent, module in _tree
	some name, call in module.module_calls
	child := _child(parent, name)
	some output, o in call.module.outputs
	some node in [sprintf("%s|module.%s.%s", [parent, name, output]), sprintf("%s|module.%s", [parent, name])]
	some next in _nodes_from(child, o.expression, {})
}

_reached(nodes) := nodes | {next | some node in graph.reachable(_edges, nodes); some next in _edges[node]}

# _nodes_from(path, expression, holder) are the nodes that an expression in the
# module names; the holder's for_each tells what each.value is.
_nodes_from(path, expression, holder) := union({_nodes(path, refs) | some refs in _references(expression, holder)})

_references(expression, holder) := own | {refs |
	startswith(own[_][_], "each.value")
	refs := holder.for_each_expression.references
} if own := _listed(expression)

_listed(expression) := {expression.references} if is_array(expression.references)

else := {refs |
	walk(expression, [path, refs])
	path[count(path) - 1] == "references"
	is_array(refs)
}

# Terraform lists a reference with all that it begins with: a.b[0].id, a.b[0]
# and a.b. The longest says the most.
_nodes(path, refs) := {sprintf("%s|%s", [path, thing]) |
	some ref in refs
	some thing in _things(ref, refs)
}

_things(ref, _) := {regex.find_n(`^var\.[^.\[]+`, ref, 1)[0]} if startswith(ref, "var.")

_things(ref, _) := {"local"} if startswith(ref, "local.")

_things(ref, _) := {"each"} if regex.match(`^(each|count)\.`, ref)

_things(ref, refs) := {thing} | {sprintf("key%s", [key]) | some key in regex.find_n(_index, regex.find_n(_step, ref, 1)[0], 1)} if {
	startswith(ref, "module.")
	thing := concat(".", array.slice(split(_plain(ref), "."), 0, 3))
	_longest(ref, refs)
}

_things(ref, refs) := {regex.find_n(_address, ref, 1)[0]} if {
	not regex.match(`^(var|local|each|count|module|path|terraform|self)\.`, ref)
	regex.match(_address, ref)
	_longest(ref, refs)
}

_longest(ref, refs) if {
	every other in refs {
		not _begins(ref, other)
	}
}

_begins(ref, other) if startswith(other, sprintf("%s.", [ref]))

_begins(ref, other) if startswith(other, sprintf("%s[", [ref]))

_resource(node) if not regex.match(`^[^|]*\|(?:var\.|module\.|key\[|local$|each$)`, node)

# _parts("module.a|aws_s3_bucket.logs[0]") is its path, template and index.
_parts(node) := [path, template, index] if {
	at := indexof(node, "|")
	path := substring(node, 0, at)
	address := substring(node, at + 1, -1)
	template := _plain(address)
	index := trim_prefix(address, template)
}

_plain(address) := address if not contains(address, "[")

_plain(address) := regex.replace(address, _index, "") if contains(address, "[")

_index := `\[(?:"(?:\\.|[^"\\])*"|\d+)\]`

_step := `module\.[^.\[]+(?:\[(?:"(?:\\.|[^"\\])*"|\d+)\])?`

_address := `^(?:data\.)?[^.\[]+\.[^.\[]+(?:\[(?:"(?:\\.|[^"\\])*"|\d+)\])?`

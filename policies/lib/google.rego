# METADATA
# title: Reading Google Cloud's resources
# description: >-
#   What the rules about Google Cloud share: attributes by path, with the
#   provider's defaults; who is granted what; machines and the templates that
#   make them; clusters and their nodes.
package tidelock.google

import data.tidelock.plan
import data.tidelock.references

# of(types) gives what the plan makes of the types.
of(types) := [rc | some type in types; some rc in plan.made[type]]

# value(rc, path, otherwise) gives an attribute by its path, blocks by their
# place: ["settings", 0, "ip_configuration", 0, "ssl_mode"]. What the
# configuration leaves out has the provider's default, otherwise. What only the
# apply will tell has no value, so that a rule which asks for it finds nothing.
value(rc, path, otherwise) := given if {
	given := object.get(rc.change.after, path, null)
	given != null
} else := otherwise if not unknown(rc, path)

# given(rc, path) holds for an attribute or block that the configuration sets,
# even to what only the apply will tell, as the name of a new key is.
given(rc, path) if not object.get(rc.change.after, path, null) in {null, "", []}

given(rc, path) if unknown(rc, path)

# unknown(rc, path) holds for what only the apply will tell. A plan marks so as
# well what the provider fills in where the configuration is silent: that is left
# out, and not unknown, as far as the plan shows the configuration.
unknown(rc, path) if {
	_masked(plan.unknown(rc), path)
	not _silent(rc, path)
}

# Most attributes are known, or unknown as a whole.
_masked(mask, path) if mask[path[0]] == true

_masked(mask, path) if {
	not is_boolean(mask[path[0]])
	some n in numbers.range(2, count(path))
	object.get(mask, array.slice(path, 0, n), false) == true
}

_silent(rc, path) if {
	expressions := references.expressions(rc)
	not expressions[path[0]]
}

_silent(rc, path) if {
	expressions := references.expressions(rc)
	not _expression(expressions[path[0]])
	every n in numbers.range(2, count(path)) {
		not _expression(object.get(expressions, array.slice(path, 0, n), null))
	}
	object.get(expressions, path, null) == null
}

_expression(node) if node.references

_expression(node) if "constant_value" in object.keys(node)

# blocks(rc, path) gives the blocks at the path; none where there are none or
# the provider fills them in.
blocks(rc, path) := list if {
	list := object.get(rc.change.after, path, [])
	is_array(list)
} else := []

# flag(rc, name, otherwise) gives a flag of a Cloud SQL instance; one whose value
# only the apply will tell has none.
flag(rc, name, otherwise) := is[0] if {
	is := [block.value | some block in _flags(rc); block.name == name]
	count(is) > 0
} else := otherwise if {
	every block in _flags(rc) {
		block.name != name
	}
	not unknown(rc, ["settings", 0, "database_flags"])
}

_flags(rc) := blocks(rc, ["settings", 0, "database_flags"])

# grants(subjects) gives who is granted which role on the subjects by what this
# plan makes of the resources *_iam_member, *_iam_binding and *_iam_policy of each.
grants(subjects) := [grant |
	some subject in subjects
	some kind in _kinds
	some rc in plan.made[sprintf("%s_iam_%s", [subject, kind])]
	some grant in _granted(subject, rc)
]

# standing_grants is grants with those that the plan does not change.
standing_grants(subjects) := [grant |
	some subject in subjects
	some kind in _kinds
	some rc in plan.of(sprintf("%s_iam_%s", [subject, kind]))
	some grant in _granted(subject, rc)
]

_kinds := ["member", "binding", "policy"]

_granted(subject, rc) := [{"address": rc.address, "subject": subject, "on": on, "role": role, "member": member} |
	on := [rc.change.after[key] | some key in ["project", "folder", "org_id"]]
	some binding in _bindings(rc.change.after)
	role := plan.text(binding, "role", "a role")
	some member in array.concat(plan.list(binding, "members"), [binding.member | is_string(binding.member)])
	is_string(member)
]

_bindings(after) := json.unmarshal(after.policy_data).bindings if is_string(after.policy_data)

else := [after]

# agent(member) holds for Google's own robots in a project, which it grants roles
# to by itself.
agent(member) if regex.match(`^serviceAccount:(service-\d+@[^.]+\.iam|\d+@cloudservices)\.gserviceaccount\.com$`, member)

# public(subjects) are the grants to everyone, each with who that is in words.
public(subjects) := [object.union(grant, {"who": crowd[grant.member]}) |
	some grant in grants(subjects)
	crowd[grant.member]
]

# Both are the public: anyone can have a Google account.
crowd := {
	"allUsers": "Everyone on the internet (allUsers)",
	"allAuthenticatedUsers": "Everyone with a Google account (allAuthenticatedUsers)",
}

# Roles on these reach everything within: each type, and what it is in words.
containers := {"google_project": "project", "google_folder": "folder", "google_organization": "organization"}

# Virtual machines, and the templates that groups make them from.
machines := of({"google_compute_instance", "google_compute_instance_template", "google_compute_region_instance_template"})

# metadata(key) gives the machines and projects that set a key of Compute Engine's
# metadata, each with its value in lower case.
metadata(key) := array.concat(
	[[rc, lower(sprintf("%v", [is]))] |
		some rc in array.concat(machines, of({"google_compute_project_metadata"}))
		is := object.get(rc.change.after, ["metadata", key], null)
		is != null
	],
	[[rc, lower(rc.change.after.value)] |
		some rc in of({"google_compute_project_metadata_item"})
		rc.change.after.key == key
	],
)

# yes holds for what Compute Engine takes for true in metadata.
yes(text) if text in {"true", "1", "y", "yes"}

# Subnets for machines; those of load balancers' proxies have no flow logs and no
# machines.
subnets := [rc |
	some rc in of({"google_compute_subnetwork"})
	plan.text(rc.change.after, "purpose", "PRIVATE") in {"PRIVATE", "PRIVATE_RFC_1918"}
]

clusters := of({"google_container_cluster"})

standard_clusters := [rc | some rc in clusters; not autopilot(rc)]

# Google runs the nodes of an Autopilot cluster, and hardens them.
autopilot(rc) if value(rc, ["enable_autopilot"], false) == true

# What makes nodes by a node_config of its own: pools, and clusters that keep the
# default pool, which most configurations remove at once.
node_makers := array.concat(
	of({"google_container_node_pool"}),
	[rc |
		some rc in standard_clusters
		value(rc, ["remove_default_node_pool"], false) != true
		not _names_pools(rc)
	],
)

_names_pools(rc) if references.expressions(rc).node_pool

_names_pools(rc) if {
	not references.expressions(rc)
	given(rc, ["node_pool"])
}

# default_account(email) holds for the service account that Google makes for every
# project's machines, which may be an editor of the whole project; it is meant
# where none is named.
default_account(email) if email in {"", "default"}

default_account(email) if endswith(email, "-compute@developer.gserviceaccount.com")

# METADATA
# title: What a resource is called
# description: The names of what a plan makes anew. Names of what is there stay as they are, since most can't be changed in place.
package tidelock.naming.names

import data.tidelock.naming.settings
import data.tidelock.patterns
import data.tidelock.plan

fresh := [rc |
	some type, rcs in plan.made
	not patterns.globbed(settings.exempt_types, type)
	some rc in rcs
	"create" in rc.change.actions
]

# named: each new resource with the name that its cloud will know it by, as far
# as the plan tells it.
named := [[rc, name] | some rc in fresh; name := name_of(rc)]

name_of(rc) := found[0] if {
	found := [rc.change.after[key] | some key in _keys; is_string(rc.change.after[key])]
} else := rc.change.after.tags.Name if is_string(rc.change.after.tags.Name)

_keys := ["name", "bucket", "identifier", "cluster_identifier", "cluster_name", "function_name", "domain_name", "repository_id", "dataset_id", "account_id"]

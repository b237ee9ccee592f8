# METADATA
# title: Reading AWS resources
# description: >-
#   What the rules about AWS share: attributes by path, with the defaults that
#   hold where the configuration is silent, and the statements of policy
#   documents in all the forms in which a plan has them.
package tidelock.aws

import data.tidelock.network
import data.tidelock.plan
import data.tidelock.references

# of(types) gives what the plan makes of the types.
of(types) := [rc | some type in types; some rc in plan.made[type]]

# value(rc, path, otherwise) gives an attribute by its path, blocks by their
# place: ["encryption_config", 0, "resources"]. Where it is left out, it is
# otherwise, the default. What only the apply will tell has no value, so that a
# rule which asks for it finds nothing.
value(rc, path, otherwise) := given if {
	given := object.get(rc.change.after, path, null)
	given != null
} else := otherwise if {
	object.get(plan.unknown(rc), path, false) != true
}

# chosen is value for what the provider fills in where the configuration is
# silent. A plan marks it as unknown then, so unknown counts as left out.
chosen(rc, path, otherwise) := given if {
	given := object.get(rc.change.after, path, null)
	given != null
} else := otherwise

# set(rc, path) holds for an argument that is given, even if only the apply will
# tell its value, as the ARN of a new key. It is of no use for what the provider
# fills in.
set(rc, path) if not object.get(rc.change.after, path, null) in {null, "", []}

set(rc, path) if object.get(plan.unknown(rc), path, false) == true

# yes holds for true in the two forms that the provider's versions have.
yes(flag) if flag in {true, "true"}

# blocks(o, name) gives the blocks of that name that the plan knows.
blocks(o, name) := [b | some b in plan.list(o, name); is_object(b)]

# The databases that are instances, and those that are clusters.
db_clusters := of({"aws_rds_cluster", "aws_docdb_cluster", "aws_neptune_cluster"})

databases := array.concat(of({"aws_db_instance"}), db_clusters)

# Policy documents.

# statements(rc, path) are the statements of the policy document in an argument:
# a text of JSON, or a data source that the apply will read, of which the plan
# shows what it is asked by. A document that is not known has none. Each has the
# same form, whoever wrote it: allows (true or false), sid, actions,
# not_actions, resources, not_resources, principals (texts, "AWS:*" or
# "Service:ec2.amazonaws.com"), not_principals, and conditions (operator, key,
# values). Names of actions are in small letters, as AWS does not tell them
# apart.
statements(rc, path) := parsed(text) if {
	text := object.get(rc.change.after, path, null)
	is_string(text)
} else := {s |
	some address in references.targets(rc, path[0], "data.aws_iam_policy_document")
	some s in _documents[address]
}

# opaque(rc, path) holds for a document of which something will be known only
# after the apply that no data source shows.
opaque(rc, path) if {
	plan.masked(plan.unknown(rc), path[0])
	count(statements(rc, path)) == 0
}

opaque(rc, path) if {
	plan.masked(plan.unknown(rc), path[0])
	some address in references.targets(rc, path[0], "data.aws_iam_policy_document")
	_half_known[address]
}

_half_known contains document.address if {
	some document in plan.of("data.aws_iam_policy_document")
	some key in {"source_policy_documents", "override_policy_documents"}
	plan.masked(plan.unknown(document), key)
}

_documents[document.address] := of_data(document.change.after) if {
	some document in plan.of("data.aws_iam_policy_document")
}

# of_data(document) reads what aws_iam_policy_document is asked by.
of_data(document) := {s |
	some raw in plan.list(document, "statement")
	s := {
		"sid": plan.text(raw, "sid", ""),
		"allows": lower(plan.text(raw, "effect", "Allow")) == "allow",
		"actions": _small(_texts(raw, "actions")),
		"not_actions": _small(_texts(raw, "not_actions")),
		"resources": _texts(raw, "resources"),
		"not_resources": _texts(raw, "not_resources"),
		"principals": _named_principals(raw, "principals"),
		"not_principals": _named_principals(raw, "not_principals"),
		"conditions": {{"operator": lower(c.test), "key": lower(c.variable), "values": {v | some v in plan.list(c, "values"); v != null}} | some c in plan.list(raw, "condition")},
	}
} | {s |
	some key in {"source_policy_documents", "override_policy_documents"}
	some text in plan.list(document, key)
	some s in parsed(text)
}

_named_principals(raw, key) := {sprintf("%s:%s", [p.type, id]) |
	some p in plan.list(raw, key)
	p.type != "*"
	some id in plan.list(p, "identifiers")
	is_string(id)
} | {"AWS:*" | some p in plan.list(raw, key); p.type == "*"}

# Who may do what: the statements of IAM's own policies, each with its resource.
identity_statements := [[rc, s] |
	some type, argument in {
		"aws_iam_policy": "policy", "aws_iam_role_policy": "policy", "aws_iam_user_policy": "policy",
		"aws_iam_group_policy": "policy", "aws_ssoadmin_permission_set_inline_policy": "inline_policy",
	}
	some rc in plan.made[type]
	some s in statements(rc, [argument])
]

identity_statements_inline := [[rc, s] |
	some rc in plan.made.aws_iam_role
	some i, _ in plan.list(rc.change.after, "inline_policy")
	some s in statements(rc, ["inline_policy", i, "policy"])
]

grants := [[rc, s] | some [rc, s] in array.concat(identity_statements, identity_statements_inline); s.allows]

# Who may become a role.
trusts := [[rc, s] |
	some rc in plan.made.aws_iam_role
	some s in statements(rc, ["assume_role_policy"])
	s.allows
]

# Buckets, and what hangs on them: parts(type) are the resources of the type by
# the address of their bucket.
parts(type) := references.attached(type, "bucket", "aws_s3_bucket")

# log_buckets are the addresses of the buckets that others write their logs to.
log_buckets := {address |
	some rc in plan.of("aws_s3_bucket_logging")
	some address in references.targets(rc, "target_bucket", "aws_s3_bucket")
} | {address |
	some rc in plan.of("aws_s3_bucket_acl")
	rc.change.after.acl == "log-delivery-write"
	some address in references.targets(rc, "bucket", "aws_s3_bucket")
}

# parsed(text) reads a document's JSON. What is no document has no statements.
parsed(text) := {s |
	json.is_valid(text)
	document := json.unmarshal(text)
	some raw in _listed(document.Statement)
	is_object(raw)
	s := {
		"sid": plan.text(raw, "Sid", ""),
		"allows": raw.Effect == "Allow",
		"actions": _small(_texts(raw, "Action")),
		"not_actions": _small(_texts(raw, "NotAction")),
		"resources": _texts(raw, "Resource"),
		"not_resources": _texts(raw, "NotResource"),
		"principals": _principals(object.get(raw, "Principal", {})),
		"not_principals": _principals(object.get(raw, "NotPrincipal", {})),
		"conditions": {{"operator": lower(operator), "key": lower(key), "values": {v | some v in _listed(given)}} |
			some operator, keys in object.get(raw, "Condition", {})
			some key, given in keys
		},
	}
} if is_string(text)

else := set()

_principals("*") := {"AWS:*"}

_principals(given) := {sprintf("%s:%s", [type, id]) |
	some type, ids in given
	some id in _listed(ids)
	is_string(id)
} if is_object(given)

_texts(o, key) := {t | some t in _listed(object.get(o, key, [])); is_string(t)}

_small(texts) := {lower(t) | some t in texts}

_listed(given) := given if is_array(given)

else := [] if given == null

else := [given]

# takes_in(patterns, action) holds where one of the patterns of a statement, such
# as "iam:*" or "s3:Get*", takes in the action.
takes_in(patterns, action) if {
	some pattern in patterns
	glob.match(_globbed(pattern), null, lower(action))
}

_globbed(pattern) := regex.replace(pattern, `[\[\]{}!\\,-]`, `\$0`)

# everywhere(s) holds for a statement about every resource.
everywhere(s) if "*" in s.resources

everywhere(s) if {
	count(s.resources) == 0
	count(s.not_resources) > 0
}

# for_anyone(s) holds for a statement that lets everybody in, also those without
# an account: its principal is everyone, and no condition says where they must
# come from.
for_anyone(s) if {
	s.allows
	anyone(s)
	not narrowed(s)
}

anyone(s) if "AWS:*" in s.principals

anyone(s) if "*:*" in s.principals

anyone(s) if {
	count(s.principals) == 0
	count(s.not_principals) > 0
}

# narrowed(s) holds where a condition says who may come, or from where.
narrowed(s) if {
	some c in s.conditions
	_deciding[c.operator]
	_who[c.key]
	every v in c.values {
		not regex.match(`^[*?:/]*$`, v)
	}
}

narrowed(s) if {
	some c in s.conditions
	c.operator == "ipaddress"
	c.key in {"aws:sourceip", "aws:vpcsourceip"}
	every v in c.values {
		not network.public(v)
	}
}

# Operators that fail where the request lacks the key: …IfExists and
# ForAllValues let it pass.
_deciding := {deciding |
	some operator in {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "bool"}
	some before in {"", "foranyvalue:"}
	deciding := concat("", [before, operator])
}

_who := {
	"aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:principalserviceorg",
	"aws:principalisawsservice", "aws:principalservicename", "aws:userid", "aws:username",
	"aws:sourceaccount", "aws:sourcearn", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourcevpc",
	"aws:sourcevpcarn", "aws:sourcevpce", "aws:vpceaccount", "aws:vpceorgid", "aws:federatedprovider",
	"kms:calleraccount", "s3:dataaccesspointaccount", "s3:dataaccesspointarn",
	"s3:accesspointnetworkorigin", "sns:endpoint", "elasticfilesystem:accessedviamounttarget",
}

# everything(s) holds for a statement about every action on every resource, in
# any of the ways to write that.
everything(s) if {
	s.allows
	_every_action(s)
	everywhere(s)
}

_every_action(s) if count(s.actions & {"*", "*:*"}) > 0

# said(s) names a statement for a message.
said(s) := sprintf("Statement %s", [s.sid]) if s.sid != ""

else := "A statement"

# listed(texts) shows some of a set in order.
listed(texts) := concat(", ", sort(texts)) if count(texts) < 6

else := sprintf("%s and %d more", [concat(", ", array.slice(sort(texts), 0, 5)), count(texts) - 5])

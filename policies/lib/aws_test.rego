package tidelock.aws_test

import data.tidelock.aws
import data.tidelock.fixture

known := fixture.create("aws_eks_cluster", {"a": 1, "b": null, "c": [{"d": true, "e": null}]})

partly := fixture.with_unknown(known, {"b": true, "c": [{"e": true}], "f": true})

test_value if {
	aws.value(known, ["a"], 2) == 1
	aws.value(known, ["b"], 2) == 2
	aws.value(known, ["c", 0, "d"], false) == true
	aws.value(known, ["c", 0, "e"], "x") == "x"
	aws.value(known, ["c", 1, "e"], "x") == "x"
	not aws.value(partly, ["b"], 2)
	not aws.value(partly, ["c", 0, "e"], "x")
	aws.value(partly, ["f", 0, "g"], "x") == "x"
}

test_chosen if {
	aws.chosen(partly, ["a"], 2) == 1
	aws.chosen(partly, ["b"], 2) == 2
}

test_set if {
	aws.set(partly, ["a"])
	aws.set(partly, ["b"])
	not aws.set(known, ["b"])
	not aws.set(known, ["z"])
}

test_yes if {
	aws.yes(true)
	aws.yes("true")
	not aws.yes(false)
	not aws.yes("false")
}

statement := {"Effect": "Allow", "Action": "S3:GetObject", "Resource": "*", "Principal": "*"}

read(fields) := s if some s in aws.parsed(json.marshal({"Statement": object.union(statement, fields)}))

test_one_or_many if {
	count(aws.parsed(json.marshal({"Statement": [statement, object.union(statement, {"Sid": "b"})]}))) == 2
	read({}) == {
		"sid": "", "allows": true, "actions": {"s3:getobject"}, "not_actions": set(), "resources": {"*"},
		"not_resources": set(), "principals": {"AWS:*"}, "not_principals": set(), "conditions": set(),
	}
	read({"Action": ["a:B", "c:D"]}).actions == {"a:b", "c:d"}
	read({"Principal": {"AWS": ["a", "b"], "Service": "c"}}).principals == {"AWS:a", "AWS:b", "Service:c"}
	read({"Condition": {"StringLike": {"aws:SourceArn": ["x", "y"], "aws:UserId": "z"}}}).conditions == {
		{"operator": "stringlike", "key": "aws:sourcearn", "values": {"x", "y"}},
		{"operator": "stringlike", "key": "aws:userid", "values": {"z"}},
	}
}

test_what_is_no_document if {
	every text in ["", "{", "null", "[]", "3", `{"Statement": null}`, `{"Statement": "x"}`, `{"Statement": [{"Sid": "a"}]}`] {
		aws.parsed(text) == set()
	}
	aws.parsed(null) == set()
}

data_document := {"statement": [
	{
		"sid": "A", "effect": null, "actions": ["S3:*", null], "resources": ["*"],
		"principals": [{"type": "AWS", "identifiers": ["a", null]}, {"type": "*", "identifiers": ["*"]}],
		"condition": [{"test": "StringEquals", "variable": "aws:SourceArn", "values": ["x", null]}],
	},
	{"effect": "Deny", "not_actions": ["a:b"], "not_resources": ["c"], "not_principals": [{"type": "Service", "identifiers": ["d"]}]},
]}

test_a_data_source if {
	aws.of_data(data_document) == {
		{
			"sid": "A", "allows": true, "actions": {"s3:*"}, "not_actions": set(), "resources": {"*"}, "not_resources": set(),
			"principals": {"AWS:a", "AWS:*"}, "not_principals": set(), "conditions": {{"operator": "stringequals", "key": "aws:sourcearn", "values": {"x"}}},
		},
		{
			"sid": "", "allows": false, "actions": set(), "not_actions": {"a:b"}, "resources": set(), "not_resources": {"c"},
			"principals": set(), "not_principals": {"Service:d"}, "conditions": set(),
		},
	}
	{s.sid | some s in aws.of_data({"source_policy_documents": [json.marshal({"Statement": object.union(statement, {"Sid": "b"})}), null]})} == {"b"}
}

test_statements_of_a_data_source_that_is_read_later if {
	policy := fixture.with_unknown(fixture.create("aws_s3_bucket_policy", {}), {"policy": true})
	document := {"address": "data.aws_iam_policy_document.x", "mode": "data", "type": "aws_iam_policy_document", "name": "x", "change": {"actions": ["read"], "after": data_document, "after_unknown": {"json": true}}}
	given := {"plan": {
		"resource_changes": [policy, document],
		"configuration": {"root_module": {"resources": [{"address": "aws_s3_bucket_policy.x", "expressions": {"policy": {"references": ["data.aws_iam_policy_document.x.json", "data.aws_iam_policy_document.x"]}}}]}},
	}}
	found := aws.statements(policy, ["policy"]) with input as given
	{s.sid | some s in found} == {"A", ""}
	not aws.opaque(policy, ["policy"]) with input as given
	half := {"op": "add", "path": "/plan/resource_changes/1/change/after_unknown/source_policy_documents", "value": [true]}
	aws.opaque(policy, ["policy"]) with input as json.patch(given, [half])
	aws.opaque(policy, ["policy"]) with input as fixture.input_of([policy])
	alone := aws.statements(policy, ["policy"]) with input as fixture.input_of([policy])
	alone == set()
}

test_takes_in if {
	aws.takes_in({"iam:*"}, "iam:PassRole")
	aws.takes_in({"*"}, "iam:PassRole")
	aws.takes_in({"iam:pass?ole"}, "iam:PassRole")
	aws.takes_in({"execute-api:invoke"}, "execute-api:Invoke")
	not aws.takes_in({"iam:get*", "s3:*"}, "iam:PassRole")
	not aws.takes_in({"iam:{passrole,x}"}, "iam:PassRole")
}

test_everywhere if {
	aws.everywhere(read({}))
	aws.everywhere(read({"Resource": [], "NotResource": "a"}))
	not aws.everywhere(read({"Resource": "arn:aws:s3:::a/*"}))
}

test_everything if {
	aws.everything(read({"Action": "*"}))
	aws.everything(read({"Action": ["*:*", "a:b"]}))
	not aws.everything(read({"Action": "s3:*"}))
	not aws.everything(read({"Action": "*", "Effect": "Deny"}))
}

test_anyone if {
	every principal in ["*", {"AWS": "*"}, {"AWS": ["a", "*"]}, {"*": "*"}] {
		aws.for_anyone(read({"Principal": principal}))
	}
	every principal in [{"AWS": "a"}, {"Service": "*"}, {}] {
		not aws.for_anyone(read({"Principal": principal}))
	}
	aws.for_anyone(read({"Principal": {}, "NotPrincipal": {"AWS": "a"}}))
	not aws.for_anyone(read({"Effect": "Deny"}))
}

test_conditions_that_narrow if {
	every condition in [
		{"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
		{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}},
		{"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::logs"}},
		{"StringEquals": {"kms:CallerAccount": "111122223333"}},
		{"IpAddress": {"aws:SourceIp": ["198.51.100.0/24"]}},
		{"Bool": {"aws:PrincipalIsAWSService": "true"}},
	] {
		not aws.for_anyone(read({"Condition": condition}))
	}
}

test_conditions_that_do_not if {
	every condition in [
		{"Bool": {"aws:SecureTransport": "true"}},
		{"StringLike": {"aws:PrincipalArn": "*"}},
		{"StringEqualsIfExists": {"aws:SourceAccount": "111122223333"}},
		{"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-1"}},
		{"StringNotEquals": {"aws:SourceAccount": "111122223333"}},
		{"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "0.0.0.0/0"]}},
	] {
		aws.for_anyone(read({"Condition": condition}))
	}
}

test_grants_and_trusts if {
	text := json.marshal({"Statement": [statement, {"Effect": "Deny", "Action": "a:b", "Resource": "*"}]})
	given := fixture.input_of([
		fixture.create("aws_iam_policy", {"policy": text}),
		fixture.create("aws_ssoadmin_permission_set_inline_policy", {"inline_policy": text}),
		fixture.create("aws_iam_role", {"assume_role_policy": text, "inline_policy": [{"name": "a", "policy": text}]}),
	])
	grants := aws.grants with input as given
	count(grants) == 3
	trusts := aws.trusts with input as given
	count(trusts) == 1
}

test_words if {
	aws.said({"sid": "A"}) == "Statement A"
	aws.said({"sid": ""}) == "A statement"
	aws.listed({"b", "a"}) == "a, b"
	aws.listed({"b", "a", "c", "d", "e", "f", "g"}) == "a, b, c, d, e and 2 more"
}

test_databases if {
	found := aws.databases with input as fixture.input_of([fixture.create("aws_db_instance", {}), fixture.create("aws_docdb_cluster", {})])
	count(found) == 2
}

test_blocks if {
	aws.blocks({"a": [{"b": 1}, null]}, "a") == [{"b": 1}]
	aws.blocks({"a": null}, "a") == []
}

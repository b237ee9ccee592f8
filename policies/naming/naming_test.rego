package tidelock.naming_test

import data.tidelock.fixture
import data.tidelock.naming.labels
import data.tidelock.naming.names
import data.tidelock.naming.patterns
import data.tidelock.naming.reserved

bucket := fixture.create("aws_s3_bucket", {"bucket": "logs"})

set(changes, values) := fixture.with_settings(fixture.input_of(changes), "naming", values)

test_names if {
	names.name_of(bucket) == "logs"
	names.name_of(fixture.create("aws_sqs_queue", {"name": "a", "identifier": "b"})) == "a"
	names.name_of(fixture.create("aws_vpc", {"name": null, "tags": {"Name": "main"}})) == "main"
	not names.name_of(fixture.create("aws_vpc", {"tags": null}))
	not names.name_of(fixture.with_unknown(fixture.create("aws_vpc", {}), {"name": true}))
}

test_off_without_settings if {
	count(patterns.deny) == 0 with input as fixture.input_of([bucket])
	count(reserved.deny) == 0 with input as fixture.input_of([bucket])
}

test_patterns if {
	found := patterns.deny with input as set([bucket, fixture.create("aws_sqs_queue", {"name": "x"})], {"patterns": ["aws_s3_*=^acme-", "aws_s3_bucket=-prod$"]})
	{f.msg | some f in found} == {`The name "logs" does not match ^acme-.`, `The name "logs" does not match -prod$.`}
}

test_names_on_the_pattern_pass if {
	count(patterns.deny) == 0 with input as set([bucket], {"patterns": ["aws_s3_bucket=^[a-z]+$"]})
}

test_what_is_there_keeps_its_name if {
	changes := [fixture.update("aws_s3_bucket", {"bucket": "logs"}), fixture.noop("aws_s3_bucket", {"bucket": "logs"}), fixture.remove("aws_s3_bucket", {"bucket": "logs"})]
	count(patterns.deny) == 0 with input as set(changes, {"patterns": ["*=^acme-"]})
}

test_a_pattern_that_cannot_be_read_is_told if {
	found := patterns.deny with input as set([], {"patterns": ["aws_s3_bucket=(", "aws_vpc"]})
	count(found) == 2
	labelled := labels.deny with input as set([], {"label_patterns": ["("]})
	{f.msg | some f in labelled} == {`The setting naming.label_patterns has "(", which is no regular expression.`}
}

test_reserved_words if {
	queue := fixture.create("aws_sqs_queue", {"name": "Orders-PROD-try"})
	found := reserved.deny with input as set([queue, bucket], {"reserved": ["Prod"]})
	{f.msg | some f in found} == {`The name "Orders-PROD-try" has the reserved word prod.`}
	none := reserved.deny with input as set([fixture.create("aws_sqs_queue", {"name": "products"})], {"reserved": ["prod"]})
	count(none) == 0
}

labelled(label, address) := object.union(fixture.create("aws_sqs_queue", {}), {"name": label, "address": address})

test_labels if {
	found := labels.deny with input as fixture.input_of([
		labelled("a-b", "module.x[0].aws_sqs_queue.a-b[0]"), labelled("a-b", "module.x[0].aws_sqs_queue.a-b[\"b\"]"),
		labelled("camelCase", "aws_sqs_queue.camelCase"), labelled("fine_1", "aws_sqs_queue.fine_1"), labelled("_this", "aws_sqs_queue._this"),
	])
	{f.address | some f in found} == {"module.x[0].aws_sqs_queue.a-b", "aws_sqs_queue.camelCase"}
}

test_labels_by_setting if {
	none := labels.deny with input as set([labelled("a-b", "aws_sqs_queue.a-b")], {"label_patterns": []})
	count(none) == 0
	exempt := labels.deny with input as set([labelled("a-b", "aws_sqs_queue.a-b")], {"exempt_types": ["aws_sqs_*"]})
	count(exempt) == 0
}

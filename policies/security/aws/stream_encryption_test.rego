package tidelock.security.aws.stream_encryption_test

import data.tidelock.fixture
import data.tidelock.security.aws.stream_encryption

found(changes) := result if {
	result := stream_encryption.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_plain if {
	messages([fixture.create("aws_kinesis_stream", {})]) == {"The stream is not encrypted: encryption_type is NONE."}
	messages([fixture.create("aws_kinesis_firehose_delivery_stream", {})]) == {"The stream is not encrypted."}
	messages([fixture.create("aws_msk_cluster", {"encryption_info": [{"encryption_in_transit": [{"client_broker": "TLS_PLAINTEXT", "in_cluster": false}]}]})]) == {
		"Clients may connect without TLS: client_broker is TLS_PLAINTEXT.",
		"Brokers talk to each other without TLS: in_cluster is false.",
	}
}

test_encrypted if {
	count(found([
		fixture.create("aws_kinesis_stream", {"encryption_type": "KMS"}),
		fixture.create("aws_kinesis_firehose_delivery_stream", {"server_side_encryption": [{"enabled": true}]}),
		fixture.create("aws_kinesis_firehose_delivery_stream", {"kinesis_source_configuration": [{"role_arn": "a"}]}),
		fixture.create("aws_msk_cluster", {}),
	])) == 0
}

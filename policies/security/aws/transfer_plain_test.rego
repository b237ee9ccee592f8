package tidelock.security.aws.transfer_plain_test

import data.tidelock.fixture
import data.tidelock.security.aws.transfer_plain

found(changes) := result if {
	result := transfer_plain.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_plain if {
	messages([fixture.create("aws_transfer_server", {"protocols": ["FTP"]})]) == {"The server speaks FTP, which encrypts nothing."}
	messages([fixture.create("aws_sns_topic_subscription", {"protocol": "http"})]) == {"Messages are sent by plain HTTP: protocol is http."}
}

test_others_pass if {
	count(found([fixture.create("aws_transfer_server", {}), fixture.create("aws_transfer_server", {"protocols": ["FTPS"]}), fixture.create("aws_sns_topic_subscription", {"protocol": "https"})])) == 0
}

package tidelock.security.aws.cloudtrail_everywhere_test

import data.tidelock.fixture
import data.tidelock.security.aws.cloudtrail_everywhere

found(changes) := result if {
	result := cloudtrail_everywhere.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_gaps if {
	messages([fixture.create("aws_cloudtrail", {"enable_logging": false})]) == {"The trail records one region only: is_multi_region_trail is not true.", "The trail is stopped: enable_logging is not true."}
	count(found([fixture.create("aws_cloudtrail", {"is_multi_region_trail": true, "include_global_service_events": false})])) == 1
}

test_whole if {
	count(found([fixture.create("aws_cloudtrail", {"is_multi_region_trail": true})])) == 0
}

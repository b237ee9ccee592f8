package tidelock.security.aws.ecr_scan_test

import data.tidelock.fixture
import data.tidelock.security.aws.ecr_scan

found(changes) := result if {
	result := ecr_scan.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_without if {
	messages([fixture.create("aws_ecr_repository", {})]) == {"Images are not scanned when they are pushed."}
}

test_with if {
	count(found([fixture.create("aws_ecr_repository", {"image_scanning_configuration": [{"scan_on_push": true}]})])) == 0
	count(found([fixture.create("aws_ecr_repository", {}), fixture.noop("aws_ecr_registry_scanning_configuration", {"scan_type": "ENHANCED"})])) == 0
}

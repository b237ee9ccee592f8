package tidelock.security.aws.ecr_mutable_test

import data.tidelock.fixture
import data.tidelock.security.aws.ecr_mutable

found(changes) := result if {
	result := ecr_mutable.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_mutable if {
	messages([fixture.create("aws_ecr_repository", {})]) == {"Tags can be moved to other images: image_tag_mutability is MUTABLE."}
}

test_immutable if {
	count(found([fixture.create("aws_ecr_repository", {"image_tag_mutability": "IMMUTABLE"}), fixture.create("aws_ecr_repository", {"image_tag_mutability": "IMMUTABLE_WITH_EXCLUSION"})])) == 0
}

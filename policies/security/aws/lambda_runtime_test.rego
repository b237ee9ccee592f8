package tidelock.security.aws.lambda_runtime_test

import data.tidelock.fixture
import data.tidelock.security.aws.lambda_runtime

found(changes) := result if {
	result := lambda_runtime.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

function(runtime) := fixture.create("aws_lambda_function", {"runtime": runtime})

test_ended if {
	messages([function("nodejs14.x")]) == {"The runtime nodejs14.x gets no more security patches."}
}

test_others_pass if {
	count(found([function("nodejs22.x"), function("provided.al2023"), function(null)])) == 0
}

test_by_setting if {
	result := lambda_runtime.deny with input as fixture.with_settings(fixture.input_of([function("nodejs22.x")]), "security", {"ended_lambda_runtimes": ["nodejs22.x"]})
	count(result) == 1
}

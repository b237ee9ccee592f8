package tidelock.security.aws.ecs_privileged_test

import data.tidelock.fixture
import data.tidelock.security.aws.ecs_privileged

found(changes) := result if {
	result := ecs_privileged.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

task(after) := fixture.create("aws_ecs_task_definition", after)

test_privileged if {
	messages([task({"container_definitions": json.marshal([{"name": "agent", "privileged": true}])})]) == {"The container agent is privileged."}
	messages([task({"pid_mode": "host"})]) == {"Its containers share the host: pid_mode is host."}
	messages([fixture.create("aws_codebuild_project", {"environment": [{"privileged_mode": true}]})]) == {"The build is privileged."}
}

test_others_pass if {
	count(found([
		task({"container_definitions": json.marshal([{"name": "a", "privileged": false}]), "pid_mode": "task"}),
		fixture.with_unknown(task({}), {"container_definitions": true}),
		fixture.create("aws_codebuild_project", {"environment": [{"privileged_mode": false}]}),
	])) == 0
}

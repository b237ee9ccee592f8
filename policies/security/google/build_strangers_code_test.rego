package tidelock.security.google.build_strangers_code_test

import data.tidelock.fixture
import data.tidelock.security.google.build_strangers_code

found(changes) := result if {
	result := build_strangers_code.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

trigger(key, pull) := fixture.create("google_cloudbuild_trigger", {key: [{"pull_request": [pull]}]})

test_builds_at_once_are_found if {
	messages([trigger("github", {"branch": ".*"})]) == {"Every pull request is built at once: comment_control is COMMENTS_DISABLED."}
	count(found([trigger("repository_event_config", {"comment_control": "COMMENTS_DISABLED"})])) == 1
}

test_builds_on_demand_and_pushes_pass if {
	count(found([
		trigger("github", {"comment_control": "COMMENTS_ENABLED"}),
		fixture.create("google_cloudbuild_trigger", {"github": [{"push": [{"branch": "main"}]}]}),
		fixture.create("google_cloudbuild_trigger", {}),
	])) == 0
}

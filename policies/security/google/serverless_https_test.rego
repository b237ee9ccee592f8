package tidelock.security.google.serverless_https_test

import data.tidelock.fixture
import data.tidelock.security.google.serverless_https

found(changes) := result if {
	result := serverless_https.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

app(handler) := fixture.create("google_app_engine_standard_app_version", {"handlers": [handler]})

test_plain_http_is_found if {
	messages([app({"url_regex": ".*", "security_level": "SECURE_OPTIONAL"})]) == {"The handler of .* answers over HTTP: security_level is SECURE_OPTIONAL."}
	messages([app({})]) == {"The handler of all paths answers over HTTP: security_level is SECURE_DEFAULT."}
	count(found([fixture.create("google_cloudfunctions_function", {"https_trigger_security_level": "SECURE_OPTIONAL"})])) == 1
}

test_https_passes if {
	count(found([
		app({"url_regex": ".*", "security_level": "SECURE_ALWAYS"}),
		fixture.create("google_app_engine_flexible_app_version", {}),
		fixture.create("google_cloudfunctions_function", {"https_trigger_security_level": "SECURE_ALWAYS"}),
		fixture.create("google_cloudfunctions_function", {}),
	])) == 0
}

package tidelock.security.google.plain_text_secrets_test

import data.tidelock.fixture
import data.tidelock.security.google.plain_text_secrets

found(changes) := result if {
	result := plain_text_secrets.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

function(variables) := fixture.create("google_cloudfunctions_function", {"environment_variables": variables})

env(pairs) := [{"name": name, "value": value} | some name, value in pairs]

test_names_are_found if {
	messages([function({"DB_PASSWORD": "hunter"})]) == {"The variable DB_PASSWORD holds a secret in plain text."}
	count(found([function({"API_KEY": "a1", "STRIPE_SECRET": "b", "token": "abcdef"})])) == 3
	messages([fixture.create("google_cloud_run_v2_service", {"template": [{"containers": [{"env": env({"JWT_SECRET": "abc"})}]}]})]) == {"The variable JWT_SECRET holds a secret in plain text."}
	count(found([fixture.create("google_cloud_run_v2_job", {"template": [{"template": [{"containers": [{"env": env({"JWT_SECRET": "abc"})}]}]}]})])) == 1
	count(found([fixture.create("google_cloud_run_service", {"template": [{"spec": [{"containers": [{"env": env({"JWT_SECRET": "abc"})}]}]}]})])) == 1
	messages([fixture.create("google_compute_instance", {"metadata": {"db-password": "abc"}})]) == {"The metadata db-password holds a secret in plain text."}
}

test_forms_are_found if {
	key := concat("", ["AKIA", "ABCDEFGHIJKLMNOP"])
	messages([fixture.create("google_compute_instance_template", {"metadata_startup_script": sprintf("export X=%s\n", [key])})]) == {"The argument metadata_startup_script holds a secret in plain text."}
}

test_what_is_no_secret_passes if {
	count(found([
		function({"PASSWORD_FILE": "/run/x", "TOKEN_URL": "https://example.com", "USE_TOKEN": "true", "DB_PASSWORD": "projects/a/secrets/b", "MAX_TOKEN": "4096", "SECRET": ""}),
		function(null),
		fixture.create("google_cloud_run_v2_service", {"template": [{"containers": [{"env": [{"name": "DB_PASSWORD", "value_source": [{"secret_key_ref": [{"secret": "s"}]}]}]}]}]}),
		fixture.create("google_compute_instance", {"metadata_startup_script": "apt-get update"}),
	])) == 0
}

package tidelock.security.google.compute_os_login_test

import data.tidelock.fixture
import data.tidelock.security.google.compute_os_login

found(changes) := result if {
	result := compute_os_login.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_off_is_found if {
	messages([fixture.create("google_compute_instance", {"metadata": {"enable-oslogin": "false"}})]) == {"OS Login is switched off: the metadata enable-oslogin is FALSE."}
	messages([fixture.create("google_compute_project_metadata_item", {"key": "enable-oslogin", "value": "FALSE"})]) == {"OS Login is switched off: the metadata enable-oslogin is FALSE."}
	messages([fixture.create("google_compute_project_metadata", {"metadata": {"a": "b"}})]) == {"OS Login is not switched on: the project's metadata has no enable-oslogin."}
}

test_on_and_silent_machines_pass if {
	count(found([
		fixture.create("google_compute_project_metadata", {"metadata": {"enable-oslogin": "TRUE"}}),
		fixture.create("google_compute_instance", {"metadata": {}}),
	])) == 0
}

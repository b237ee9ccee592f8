package tidelock.security.google.iam_audit_logs_test

import data.tidelock.fixture
import data.tidelock.security.google.iam_audit_logs

found(changes) := result if {
	result := iam_audit_logs.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

config(service, blocks) := fixture.create("google_folder_iam_audit_config", {"service": service, "audit_log_config": blocks})

all := [{"log_type": "ADMIN_READ"}, {"log_type": "DATA_READ", "exempted_members": []}, {"log_type": "DATA_WRITE", "exempted_members": null}]

test_missing_kinds_are_found if {
	messages([config("allServices", [{"log_type": "ADMIN_READ"}])]) == {"Access is not written down: there is no audit_log_config for DATA_READ, DATA_WRITE."}
}

test_exempted_members_are_found if {
	messages([config("storage.googleapis.com", [{"log_type": "DATA_READ", "exempted_members": ["user:a@example.com"]}])]) == {"Access by user:a@example.com is not written down: it is among exempted_members for DATA_READ."}
}

test_whole_audit_and_single_services_pass if {
	count(found([config("allServices", all), config("storage.googleapis.com", [{"log_type": "DATA_READ"}])])) == 0
}

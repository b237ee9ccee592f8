package tidelock.security.google.iam_basic_roles_test

import data.tidelock.fixture
import data.tidelock.security.google.iam_basic_roles

found(changes) := result if {
	result := iam_basic_roles.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

member(role, who) := fixture.create("google_project_iam_member", {"role": role, "member": who})

test_basic_roles_are_denied if {
	messages([member("roles/owner", "user:a@example.com")]) == {"user:a@example.com has roles/owner on the whole project."}
	messages([fixture.create("google_folder_iam_binding", {"role": "roles/editor", "members": ["group:dev@example.com"]})]) == {"group:dev@example.com has roles/editor on the whole folder."}
}

# Google's own robot of a project is its editor from the start; who writes down
# all editors has to name it.
test_googles_agents_pass if {
	count(found([member("roles/editor", "serviceAccount:1234@cloudservices.gserviceaccount.com")])) == 0
}

test_other_roles_pass if {
	count(found([member("roles/viewer", "user:a@example.com"), member("roles/run.developer", "user:a@example.com")])) == 0
}

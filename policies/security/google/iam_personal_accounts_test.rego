package tidelock.security.google.iam_personal_accounts_test

import data.tidelock.fixture
import data.tidelock.security.google.iam_personal_accounts

found(changes) := result if {
	result := iam_personal_accounts.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

member(who) := fixture.create("google_project_iam_member", {"role": "roles/viewer", "member": who})

test_private_accounts_are_found if {
	messages([member("user:a@gmail.com")]) == {"user:a@gmail.com, a private account, has roles/viewer."}
	count(found([member("user:A@GoogleMail.com")])) == 1
}

test_the_companys_accounts_pass if {
	count(found([member("user:a@example.com"), member("group:gmail.com@example.com")])) == 0
}

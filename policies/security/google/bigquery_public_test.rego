package tidelock.security.google.bigquery_public_test

import data.tidelock.fixture
import data.tidelock.security.google.bigquery_public

found(changes) := result if {
	result := bigquery_public.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_everyone_is_denied if {
	messages([fixture.create("google_bigquery_dataset", {"access": [{"role": "OWNER", "special_group": "projectOwners"}, {"role": "READER", "special_group": "allAuthenticatedUsers"}]})]) == {"Everyone with a Google account (allAuthenticatedUsers) is READER."}
	messages([fixture.create("google_bigquery_dataset_access", {"role": "roles/bigquery.dataViewer", "iam_member": "allUsers"})]) == {"Everyone on the internet (allUsers) is roles/bigquery.dataViewer."}
	messages([fixture.create("google_bigquery_table_iam_member", {"role": "roles/bigquery.dataViewer", "member": "allUsers"})]) == {"Everyone on the internet (allUsers) has roles/bigquery.dataViewer."}
}

test_named_members_pass if {
	count(found([
		fixture.create("google_bigquery_dataset", {"access": [{"role": "READER", "special_group": "projectReaders"}]}),
		fixture.create("google_bigquery_dataset", {"access": null}),
		fixture.create("google_bigquery_dataset_access", {"role": "READER", "domain": "example.com"}),
	])) == 0
}

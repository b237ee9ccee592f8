package tidelock.security.google.iam_workload_identity_test

import data.tidelock.fixture
import data.tidelock.security.google.iam_workload_identity

found(changes) := result if {
	result := iam_workload_identity.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

provider(fields) := fixture.create("google_iam_workload_identity_pool_provider", fields)

oidc(issuer) := {"oidc": [{"issuer_uri": issuer}]}

test_no_condition_is_denied if {
	messages([provider(oidc("https://gitlab.com"))]) == {"Every customer of https://gitlab.com may ask for access: there is no attribute_condition."}
	count(found([provider(object.union(oidc("https://token.actions.githubusercontent.com"), {"attribute_condition": ""}))])) == 1
}

test_condition_and_own_issuers_pass if {
	count(found([
		provider(object.union(oidc("https://gitlab.com"), {"attribute_condition": "assertion.namespace_id == '1'"})),
		fixture.with_unknown(provider(oidc("https://gitlab.com")), {"attribute_condition": true}),
		provider(oidc("https://gitlab.com.example.org")),
		provider(oidc("https://gitlab.example.org")),
		provider({"aws": [{"account_id": "1"}]}),
	])) == 0
}

test_grant_to_the_whole_pool_is_a_warning if {
	pool := "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci"
	some f in found([fixture.create("google_service_account_iam_member", {"role": "roles/iam.workloadIdentityUser", "member": sprintf("%s/*", [pool])})])
	f.level == "advisory"
	count(found([fixture.create("google_service_account_iam_member", {"role": "roles/iam.workloadIdentityUser", "member": sprintf("%s/attribute.repository/acme/infra", [pool])})])) == 0
}

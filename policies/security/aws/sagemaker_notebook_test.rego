package tidelock.security.aws.sagemaker_notebook_test

import data.tidelock.fixture
import data.tidelock.security.aws.sagemaker_notebook

found(changes) := result if {
	result := sagemaker_notebook.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_open if {
	messages([fixture.create("aws_sagemaker_notebook_instance", {})]) == {"direct_internet_access is Enabled.", "root_access is Enabled."}
	messages([fixture.create("aws_sagemaker_domain", {})]) == {"app_network_access_type is PublicInternetOnly."}
}

test_closed if {
	count(found([
		fixture.create("aws_sagemaker_notebook_instance", {"direct_internet_access": "Disabled", "root_access": "Disabled"}),
		fixture.create("aws_sagemaker_domain", {"app_network_access_type": "VpcOnly"}),
	])) == 0
}

package tidelock.security.aws.public_sharing_test

import data.tidelock.fixture
import data.tidelock.security.aws.public_sharing

found(changes) := result if {
	result := public_sharing.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_each_form if {
	messages([fixture.create("aws_ami_launch_permission", {"group": "all"})]) == {"Every AWS account may start machines from the image."}
	messages([fixture.create("aws_db_snapshot", {"shared_accounts": ["all"]})]) == {"Every AWS account may copy the snapshot."}
	messages([fixture.create("aws_ssm_document", {"permissions": {"type": "Share", "account_ids": "All"}})]) == {"Every AWS account may read the document."}
	some f in found([fixture.create("aws_ebs_snapshot_block_public_access", {"state": "unblocked"})])
	f.level == "advisory"
}

test_others_pass if {
	count(found([
		fixture.create("aws_ami_launch_permission", {"account_id": "111122223333"}),
		fixture.create("aws_db_snapshot", {"shared_accounts": ["111122223333"]}),
		fixture.create("aws_ssm_document", {"permissions": null}),
		fixture.create("aws_ec2_image_block_public_access", {"state": "block-new-sharing"}),
	])) == 0
}

package tidelock.security.aws.ebs_encryption_test

import data.tidelock.fixture
import data.tidelock.security.aws.ebs_encryption

found(changes) := result if {
	result := ebs_encryption.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_each_form if {
	messages([fixture.create("aws_ebs_volume", {})]) == {"The disk is not encrypted."}
	count(found([fixture.with_unknown(fixture.create("aws_ebs_volume", {}), {"encrypted": true})])) == 1
	messages([fixture.create("aws_instance", {"root_block_device": [{"volume_size": 8}], "ebs_block_device": [{"device_name": "/dev/sdb", "encrypted": false}]})]) == {
		"The disk of the system is not encrypted.",
		"The disk /dev/sdb is not encrypted.",
	}
	messages([fixture.create("aws_launch_template", {"block_device_mappings": [{"device_name": "/dev/xvda", "ebs": [{"encrypted": "false"}]}]})]) == {"The disk /dev/xvda is not encrypted."}
	messages([fixture.create("aws_ebs_encryption_by_default", {"enabled": false})]) == {"New disks of the account are not encrypted by default."}
}

test_encrypted_ones_pass if {
	count(found([
		fixture.create("aws_ebs_volume", {"encrypted": true}),
		fixture.create("aws_ebs_volume", {"snapshot_id": "snap-1"}),
		fixture.create("aws_instance", {"root_block_device": [{"encrypted": true}], "ebs_block_device": [{"snapshot_id": "snap-1"}]}),
		fixture.with_unknown(fixture.create("aws_instance", {"ebs_block_device": [{"device_name": "a"}]}), {"ebs_block_device": [{"snapshot_id": true}]}),
		fixture.create("aws_launch_template", {"block_device_mappings": [{"ebs": [{"encrypted": "true"}]}, {"ebs": []}]}),
		fixture.create("aws_instance", {}),
	])) == 0
}

test_by_default if {
	count(found([fixture.create("aws_ebs_volume", {}), fixture.noop("aws_ebs_encryption_by_default", {"enabled": true})])) == 0
	count(found([fixture.create("aws_ebs_volume", {}), fixture.create("aws_ebs_encryption_by_default", {})])) == 0
}

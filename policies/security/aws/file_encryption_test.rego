package tidelock.security.aws.file_encryption_test

import data.tidelock.fixture
import data.tidelock.security.aws.file_encryption

found(changes) := result if {
	result := file_encryption.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

volume(transit) := fixture.create("aws_ecs_task_definition", {"volume": [{"name": "data", "efs_volume_configuration": [{"transit_encryption": transit}]}]})

test_plain if {
	messages([fixture.create("aws_efs_file_system", {})]) == {"The file system is not encrypted."}
	messages([volume(null)]) == {"The volume data is mounted without TLS."}
}

test_encrypted if {
	count(found([fixture.create("aws_efs_file_system", {"encrypted": true}), volume("ENABLED"), fixture.create("aws_ecs_task_definition", {"volume": [{"name": "a"}]})])) == 0
}

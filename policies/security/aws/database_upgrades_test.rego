package tidelock.security.aws.database_upgrades_test

import data.tidelock.fixture
import data.tidelock.security.aws.database_upgrades

found(changes) := result if {
	result := database_upgrades.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_off if {
	messages([fixture.create("aws_db_instance", {"auto_minor_version_upgrade": false})]) == {"Minor versions are not taken: auto_minor_version_upgrade is false."}
	count(found([fixture.create("aws_elasticache_replication_group", {"auto_minor_version_upgrade": "false"})])) == 1
}

test_on if {
	count(found([fixture.create("aws_db_instance", {}), fixture.create("aws_db_instance", {"auto_minor_version_upgrade": true})])) == 0
}

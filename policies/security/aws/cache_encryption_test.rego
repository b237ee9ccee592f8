package tidelock.security.aws.cache_encryption_test

import data.tidelock.fixture
import data.tidelock.security.aws.cache_encryption

found(changes) := result if {
	result := cache_encryption.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_plain if {
	messages([fixture.create("aws_elasticache_replication_group", {"at_rest_encryption_enabled": "false"})]) == {"at_rest_encryption_enabled is not true.", "transit_encryption_enabled is not true."}
	messages([fixture.create("aws_memorydb_cluster", {"tls_enabled": false})]) == {"tls_enabled is false."}
	messages([fixture.create("aws_elasticache_replication_group", {"at_rest_encryption_enabled": true, "transit_encryption_enabled": true, "transit_encryption_mode": "preferred"})]) == {"transit_encryption_mode is preferred, so connections without TLS are taken."}
}

test_encrypted if {
	count(found([
		fixture.create("aws_elasticache_replication_group", {"at_rest_encryption_enabled": "true", "transit_encryption_enabled": true}),
		fixture.create("aws_elasticache_replication_group", {"global_replication_group_id": "g"}),
		fixture.create("aws_memorydb_cluster", {}),
	])) == 0
}

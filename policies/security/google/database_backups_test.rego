package tidelock.security.google.database_backups_test

import data.tidelock.fixture
import data.tidelock.security.google.database_backups

found(changes) := result if {
	result := database_backups.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

instance(fields, backup) := fixture.create("google_sql_database_instance", object.union({"database_version": "POSTGRES_16", "settings": [{"backup_configuration": backup}]}, fields))

test_no_backups_are_found if {
	messages([instance({}, [])]) == {"No backups are made: backup_configuration does not set enabled = true."}
	count(found([instance({}, [{"enabled": false}])])) == 1
}

test_no_point_in_time_is_found if {
	messages([instance({}, [{"enabled": true}])]) == {"This database can only go back to its last backup: point_in_time_recovery_enabled is not true."}
	messages([instance({"database_version": "MYSQL_8_0"}, [{"enabled": true, "point_in_time_recovery_enabled": true}])]) == {"This database can only go back to its last backup: binary_log_enabled is not true."}
}

test_alloydb_keeps_backups_unless_told if {
	messages([fixture.create("google_alloydb_cluster", {"continuous_backup_config": [{"enabled": false}]})]) == {"Backups are switched off: continuous_backup_config sets enabled = false."}
	count(found([
		fixture.create("google_alloydb_cluster", {}),
		fixture.create("google_alloydb_cluster", {"cluster_type": "SECONDARY", "continuous_backup_config": [{"enabled": false}]}),
	])) == 0
}

test_backups_replicas_and_copies_pass if {
	count(found([
		instance({}, [{"enabled": true, "point_in_time_recovery_enabled": true}]),
		instance({"database_version": "MYSQL_8_0"}, [{"enabled": true, "binary_log_enabled": true}]),
		instance({"master_instance_name": "orders"}, []),
		fixture.create("google_sql_database_instance", {"clone": [{}]}),
	])) == 0
}

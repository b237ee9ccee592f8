package tidelock.destruction.before_test

import data.tidelock.destruction.backups
import data.tidelock.destruction.force_destroy
import data.tidelock.destruction.forgotten
import data.tidelock.destruction.protection
import data.tidelock.fixture

changed(type, before, after) := fixture.change(type, ["update"], before, after)

unprotected(changes) := {f.msg | some f in found} if found := protection.deny with input as fixture.input_of(changes)

test_protection_switched_off if {
	unprotected([
		changed("aws_db_instance", {"deletion_protection": true}, {"deletion_protection": false}),
		changed("aws_lb", {"enable_deletion_protection": true}, {}),
		changed("aws_cognito_user_pool", {"deletion_protection": "ACTIVE"}, {"deletion_protection": "INACTIVE"}),
		changed("google_project", {"deletion_policy": "PREVENT"}, {"deletion_policy": "DELETE"}),
		fixture.change("aws_dynamodb_table", ["delete", "create"], {"deletion_protection_enabled": true}, {"deletion_protection_enabled": false}),
	]) == {
		"deletion_protection would be switched off for this aws_db_instance.", "enable_deletion_protection would be switched off for this aws_lb.",
		"deletion_protection would be switched off for this aws_cognito_user_pool.", "deletion_policy would be switched off for this google_project.",
		"deletion_protection_enabled would be switched off for this aws_dynamodb_table.",
	}
}

test_protection_kept_or_never_there_passes if {
	unprotected([
		changed("aws_db_instance", {"deletion_protection": true}, {"deletion_protection": true}),
		changed("aws_db_instance", {"deletion_protection": false}, {"deletion_protection": false}),
		changed("aws_db_instance", {"deletion_protection": false}, {"deletion_protection": true}),
		fixture.create("aws_db_instance", {"deletion_protection": false}),
		fixture.with_unknown(changed("aws_db_instance", {"deletion_protection": true}, {}), {"deletion_protection": true}),
		fixture.replace("azurerm_management_lock", {}),
	]) == set()
}

test_locks_that_go if {
	unprotected([fixture.remove("azurerm_management_lock", {})]) == {"This azurerm_management_lock would go, and what it locks could be deleted."}
}

test_labels_allow if {
	changes := [changed("aws_db_instance", {"deletion_protection": true}, {}), fixture.remove("azurerm_management_lock", {})]
	found := protection.deny with input as fixture.input_labelled(changes, ["allow-destroy"])
	count(found) == 0
	forced := force_destroy.deny with input as fixture.input_labelled([fixture.create("aws_s3_bucket", {"force_destroy": true})], ["allow-destroy"])
	count(forced) == 0
}

test_force_destroy if {
	found := force_destroy.deny with input as fixture.input_of([
		fixture.create("aws_s3_bucket", {"force_destroy": true}), changed("aws_ecr_repository", {"force_delete": false}, {"force_delete": true}),
		changed("google_storage_bucket", {"force_destroy": true}, {"force_destroy": true}), fixture.create("aws_db_instance", {"skip_final_snapshot": false}),
		fixture.create("aws_iam_user", {"force_destroy": true}),
	])
	{f.msg | some f in found} == {"force_destroy is on: deleting this aws_s3_bucket would lose what it holds.", "force_delete is on: deleting this aws_ecr_repository would lose what it holds."}
}

shortened(changes) := {f.msg | some f in found} if found := backups.deny with input as fixture.input_of(changes)

test_shorter_backups if {
	shortened([
		changed("aws_db_instance", {"backup_retention_period": 30}, {"backup_retention_period": 0}),
		changed("aws_elasticache_cluster", {"snapshot_retention_limit": 5}, {"snapshot_retention_limit": null}),
		changed("azurerm_key_vault", {"soft_delete_retention_days": 90}, {}),
		changed("azurerm_mssql_database", {"short_term_retention_policy": [{"retention_days": 14}]}, {"short_term_retention_policy": [{"retention_days": 7}]}),
		changed("google_sql_database_instance", {"settings": [{"backup_configuration": [{"transaction_log_retention_days": 7}]}]}, {"settings": [{"backup_configuration": []}]}),
	]) == {
		"backup_retention_period would fall from 30 to 0.", "snapshot_retention_limit would fall from 5 to 0.", "soft_delete_retention_days would fall from 90 to 0.",
		"retention_days would fall from 14 to 7.", "transaction_log_retention_days would fall from 7 to 0.",
	}
}

test_backups_switched_off if {
	shortened([
		changed("aws_s3_bucket_versioning", {"versioning_configuration": [{"status": "Enabled"}]}, {"versioning_configuration": [{"status": "Suspended"}]}),
		changed("google_storage_bucket", {"versioning": [{"enabled": true}]}, {"versioning": []}),
	]) == {"versioning_configuration.status would be switched off.", "versioning.enabled would be switched off."}
}

test_backups_kept_or_not_known_pass if {
	shortened([
		changed("aws_db_instance", {"backup_retention_period": 7}, {"backup_retention_period": 30}),
		changed("aws_db_instance", {"backup_retention_period": null}, {"backup_retention_period": 1}),
		fixture.with_unknown(changed("aws_db_instance", {"backup_retention_period": 7}, {}), {"backup_retention_period": true}),
		fixture.create("aws_db_instance", {"backup_retention_period": 0}),
		changed("azurerm_mssql_database", {"short_term_retention_policy": []}, {"short_term_retention_policy": [{"retention_days": 7}]}),
		changed("google_storage_bucket", {"versioning": [{"enabled": true}]}, {"versioning": [{"enabled": true}]}),
		fixture.with_unknown(changed("google_storage_bucket", {"versioning": [{"enabled": true}]}, {}), {"versioning": true}),
	]) == set()
}

test_forgotten_data_is_told if {
	found := forgotten.deny with input as fixture.input_of([
		fixture.change("aws_s3_bucket", ["forget"], {}, null), fixture.change("aws_db_instance", ["create", "forget"], {}, {}),
		fixture.change("aws_instance", ["forget"], {}, null), fixture.remove("aws_kms_key", {}),
	])
	{f.address | some f in found} == {"aws_s3_bucket.x", "aws_db_instance.x"}
}

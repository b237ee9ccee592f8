package tidelock.security.aws.database_tls_test

import data.tidelock.fixture
import data.tidelock.security.aws.database_tls

found(changes) := result if {
	result := database_tls.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

group(type, name, value) := fixture.create(type, {"parameter": [{"name": name, "value": value}]})

test_off if {
	messages([group("aws_db_parameter_group", "rds.force_ssl", "0")]) == {"TLS is not required: rds.force_ssl is 0."}
	count(found([group("aws_docdb_cluster_parameter_group", "tls", "disabled")])) == 1
	count(found([group("aws_rds_cluster_parameter_group", "require_secure_transport", "OFF")])) == 1
}

test_others_pass if {
	count(found([group("aws_db_parameter_group", "rds.force_ssl", "1"), group("aws_db_parameter_group", "log_statement", "0"), fixture.create("aws_db_parameter_group", {})])) == 0
}

package tidelock.security.azure.database_logging_test

import data.tidelock.fixture
import data.tidelock.security.azure.database_logging

found(changes) := result if {
	result := database_logging.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

parameter(type, name, value) := fixture.create(type, {"name": name, "value": value})

postgres := "azurerm_postgresql_flexible_server_configuration"

mysql := "azurerm_mysql_flexible_server_configuration"

test_switched_off_logs_are_found if {
	every name in {"log_checkpoints", "log_connections", "log_disconnections", "connection_throttle.enable"} {
		count(found([parameter(postgres, name, "off")])) == 1
		count(found([parameter(postgres, name, "on")])) == 0
	}
	messages([parameter(mysql, "audit_log_enabled", "OFF")]) == {"The server writes less than an inquiry needs: audit_log_enabled is off."}
}

test_short_retention_is_found if {
	messages([parameter(postgres, "logfiles.retention_days", "3")]) == {"Log files are gone after 3 days: logfiles.retention_days should be 4 or more."}
	count(found([parameter(postgres, "logfiles.retention_days", "7")])) == 0
}

test_audit_without_connections_is_found if {
	count(found([parameter(mysql, "audit_log_events", "DDL,DML")])) == 1
	count(found([parameter(mysql, "audit_log_events", "CONNECTION,DDL")])) == 0
}

test_other_parameters_pass if {
	count(found([parameter(postgres, "array_nulls", "off")])) == 0
}

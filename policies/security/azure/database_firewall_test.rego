package tidelock.security.azure.database_firewall_test

import data.tidelock.fixture
import data.tidelock.security.azure.database_firewall

found(changes) := result if {
	result := database_firewall.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

between(start, end) := fixture.create("azurerm_mssql_firewall_rule", {"start_ip_address": start, "end_ip_address": end})

test_the_internet_is_denied if {
	messages([between("0.0.0.0", "255.255.255.255")]) == {"The internet may reach the database: the rule goes from 0.0.0.0 to 255.255.255.255."}
	messages([between("1.0.0.0", "127.255.255.255")]) == {"The internet may reach the database: the rule goes from 1.0.0.0 to 127.255.255.255."}
}

test_every_kind_of_server_is_looked_at if {
	every type in {
		"azurerm_sql_firewall_rule", "azurerm_postgresql_firewall_rule", "azurerm_postgresql_flexible_server_firewall_rule",
		"azurerm_mysql_firewall_rule", "azurerm_mysql_flexible_server_firewall_rule", "azurerm_mariadb_firewall_rule",
		"azurerm_synapse_firewall_rule", "azurerm_cosmosdb_postgresql_firewall_rule", "azurerm_mongo_cluster_firewall_rule",
	} {
		count(found([fixture.create(type, {"start_ip_address": "0.0.0.0", "end_ip_address": "255.255.255.255"})])) == 1
	}
	count(found([fixture.create("azurerm_redis_firewall_rule", {"start_ip": "0.0.0.0", "end_ip": "255.255.255.255"})])) == 1
}

test_all_of_azure_is_a_warning if {
	{f.level | some f in found([between("0.0.0.0", "0.0.0.0")])} == {"advisory"}
}

test_named_ranges_pass if {
	count(found([between("198.51.100.8", "198.51.100.15"), between("10.0.0.0", "10.255.255.255"), between(null, null)])) == 0
}

test_range_not_known_yet_passes if {
	rc := fixture.create("azurerm_mssql_firewall_rule", {"start_ip_address": "0.0.0.0"})
	count(found([fixture.with_unknown(rc, {"end_ip_address": true})])) == 0
}

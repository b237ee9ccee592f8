package tidelock.security.azure.edge_logging_test

import data.tidelock.fixture
import data.tidelock.security.azure.edge_logging

found(changes) := result if {
	result := edge_logging.deny with input as fixture.input_of(changes)
}

test_unlogged_edges_are_found if {
	every type in {"azurerm_application_gateway", "azurerm_firewall", "azurerm_cdn_frontdoor_profile", "azurerm_frontdoor", "azurerm_api_management"} {
		count(found([fixture.create(type, {"id": "/a"})])) == 1
	}
}

test_logged_ones_pass if {
	setting := fixture.noop("azurerm_monitor_diagnostic_setting", {"target_resource_id": "/a"})
	count(found([fixture.create("azurerm_firewall", {"id": "/a"}), setting])) == 0
}

package tidelock.azure_test

import data.tidelock.azure
import data.tidelock.fixture

rc := fixture.create("azurerm_x", {"a": "one", "off": false, "gone": null, "block": [{"b": 1}], "empty": ""})

hidden := fixture.with_unknown(rc, {"later": true, "block": [{"c": true}]})

test_value_is_what_the_plan_has if {
	azure.value(rc, ["a"], "two") == "one"
	azure.value(rc, ["off"], true) == false
	azure.value(rc, ["block", 0, "b"], 2) == 1
}

test_value_left_out_is_the_default if {
	azure.value(rc, ["gone"], "two") == "two"
	azure.value(rc, ["absent"], "two") == "two"
	azure.value(rc, ["absent", 0, "b"], 2) == 2
}

test_value_not_known_yet_is_none if {
	not azure.value(hidden, ["later"], "two")
	not azure.value(hidden, ["block", 0, "c"], "two")
}

test_one_of_takes_the_first_that_is_there if {
	azure.one_of(rc, [["gone"], ["a"]], "two") == "one"
	azure.one_of(rc, [["gone"], ["absent"]], "two") == "two"
	not azure.one_of(hidden, [["gone"], ["later"]], "two")
}

test_chosen_takes_unknown_as_left_out if {
	azure.chosen(hidden, [["later"]], "two") == "two"
	azure.chosen(hidden, [["later"], ["a"]], "two") == "one"
	azure.chosen(hidden, [["gone"]], "two") == "two"
}

test_set if {
	azure.set(rc, ["a"])
	azure.set(rc, ["off"])
	azure.set(hidden, ["later"])
	not azure.set(hidden, ["gone"])
	not azure.set(hidden, ["absent"])
	not azure.set(hidden, ["empty"])
}

test_blocks if {
	azure.blocks(rc, "block") == [{"b": 1}]
	azure.blocks(rc, "gone") == []
}

test_legacy_tls if {
	every version in ["1.0", "1.1", "TLS1_0", "TLS10", "Tls", "Tls11", "TLSv1_1", "Disabled", "None", "TLSEnforcementDisabled"] {
		azure.legacy_tls(version)
	}
	every version in ["1.2", "1.3", "TLS1_2", "TLS12", "Tls12", "TLSv1_2", "TLSv1_3"] {
		not azure.legacy_tls(version)
	}
}

test_types_of_services if {
	given := fixture.input_of([
		fixture.create("azurerm_linux_web_app", {}),
		fixture.create("azurerm_logic_app_standard", {}),
		fixture.create("azurerm_windows_virtual_machine", {}),
		fixture.create("azurerm_kubernetes_cluster", {}),
		fixture.noop("azurerm_function_app", {}),
	])
	{found.type | some found in azure.apps} == {"azurerm_linux_web_app", "azurerm_logic_app_standard"} with input as given
	{found.type | some found in azure.machines} == {"azurerm_windows_virtual_machine"} with input as given
	{found.type | some found in azure.clusters} == {"azurerm_kubernetes_cluster"} with input as given
}

test_address_number if {
	azure.address_number("0.0.0.0") == 0
	azure.address_number("0.0.1.1") == 257
	azure.address_number("255.255.255.255") == 4294967295
	not azure.address_number("::1")
	not azure.address_number("10.0.0")
}

test_logged_by_a_diagnostic_setting if {
	vault := fixture.create("azurerm_key_vault", {"id": "/vaults/a", "name": "a"})
	setting := fixture.noop("azurerm_monitor_diagnostic_setting", {"target_resource_id": "/vaults/a"})
	azure.logged(vault) with input as fixture.input_of([vault, setting])
	not azure.logged(vault) with input as fixture.input_of([vault])
}

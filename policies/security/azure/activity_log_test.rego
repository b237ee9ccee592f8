package tidelock.security.azure.activity_log_test

import data.tidelock.fixture
import data.tidelock.security.azure.activity_log

found(changes) := result if {
	result := activity_log.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

setting(categories) := fixture.create("azurerm_monitor_diagnostic_setting", {
	"target_resource_id": "/subscriptions/00000000-0000-0000-0000-000000000000",
	"enabled_log": [{"category": category} | some category in categories],
})

every_category := ["Administrative", "Alert", "Policy", "Security"]

test_missing_categories_are_found if {
	messages([setting(["Administrative", "Security"])]) == {"The activity log is kept without Alert, Policy."}
}

test_whole_settings_pass if {
	count(found([setting(every_category)])) == 0
	count(found([fixture.create("azurerm_monitor_diagnostic_setting", {"target_resource_id": "/subscriptions/a", "enabled_log": [{"category_group": "allLogs"}]})])) == 0
	count(found([fixture.create("azurerm_monitor_diagnostic_setting", {
		"target_resource_id": "/subscriptions/a",
		"log": [{"category": category, "enabled": true} | some category in every_category],
	})])) == 0
}

test_settings_of_other_resources_pass if {
	count(found([fixture.create("azurerm_monitor_diagnostic_setting", {"target_resource_id": "/subscriptions/a/resourceGroups/b"})])) == 0
}

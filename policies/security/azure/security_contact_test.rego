package tidelock.security.azure.security_contact_test

import data.tidelock.fixture
import data.tidelock.security.azure.security_contact

found(changes) := result if {
	result := security_contact.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

contact(after) := fixture.create("azurerm_security_center_contact", after)

test_silent_contacts_are_found if {
	count(found([contact({"alert_notifications": false, "alerts_to_admins": false})])) == 2
	messages([contact({"alert_notifications": true, "alerts_to_admins": false})]) == {"Owners of the subscription are told of no alert: alerts_to_admins is false."}
}

test_others_pass if {
	count(found([contact({"alert_notifications": true, "alerts_to_admins": true})])) == 0
}

package tidelock.security.azure.basic_sku_test

import data.tidelock.fixture
import data.tidelock.security.azure.basic_sku

found(changes) := result if {
	result := basic_sku.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_basic_ones_are_found if {
	messages([fixture.create("azurerm_public_ip", {"sku": "Basic"})]) == {"The address is of the basic kind, which is open unless a security group closes it: sku is Basic."}
	count(found([fixture.create("azurerm_lb", {"sku": "Basic"})])) == 1
}

test_others_pass if {
	count(found([fixture.create("azurerm_public_ip", {"sku": "Standard"}), fixture.create("azurerm_lb", {})])) == 0
}

package tidelock.security.azure.subnet_security_group_test

import data.tidelock.fixture
import data.tidelock.security.azure.subnet_security_group

found(changes) := result if {
	result := subnet_security_group.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

subnet(after) := fixture.create("azurerm_subnet", object.union({"id": "/subnets/a", "name": "app"}, after))

vnet(blocks) := fixture.create("azurerm_virtual_network", {"subnet": blocks})

test_unguarded_subnets_are_found if {
	messages([subnet({})]) == {"No network security group guards the subnet."}
	messages([vnet([{"name": "app", "security_group": ""}])]) == {"No network security group guards the subnet app."}
}

test_guarded_subnets_pass if {
	count(found([subnet({}), fixture.noop("azurerm_subnet_network_security_group_association", {"subnet_id": "/subnets/a"})])) == 0
	count(found([vnet([{"name": "app", "security_group": "/groups/a"}])])) == 0
	count(found([fixture.with_unknown(vnet([{"name": "app"}]), {"subnet": [{"security_group": true}]})])) == 0
}

test_special_subnets_pass if {
	count(found([
		subnet({"name": "GatewaySubnet"}),
		subnet({"delegation": [{"name": "a"}]}),
		vnet([{"name": "AzureBastionSubnet"}]),
		fixture.update("azurerm_virtual_network", {"subnet": [{"name": "app", "security_group": ""}]}),
	])) == 0
}

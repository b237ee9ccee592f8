package tidelock.security.azure.vpn_crypto_test

import data.tidelock.fixture
import data.tidelock.security.azure.vpn_crypto

found(changes) := result if {
	result := vpn_crypto.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

connection(policy) := fixture.create("azurerm_virtual_network_gateway_connection", {"ipsec_policy": [policy]})

test_weak_policies_are_found if {
	messages([connection({"ike_encryption": "DES", "dh_group": "DHGroup14"})]) == {"The tunnel can be broken: ipsec_policy.ike_encryption is DES."}
	count(found([connection({"ipsec_encryption": "None", "ike_integrity": "SHA1", "pfs_group": "PFS1"})])) == 3
}

test_others_pass if {
	count(found([
		connection({"ike_encryption": "AES256", "ike_integrity": "SHA384", "dh_group": "ECP384", "pfs_group": "PFS2048"}),
		fixture.create("azurerm_virtual_network_gateway_connection", {}),
	])) == 0
}

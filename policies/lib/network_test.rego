package tidelock.network_test

import data.tidelock.network

test_public if {
	every source in ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "64.0.0.0/2", "2000::/3", "0::0/0", "*", "Internet", "ANY", "0.0.0.0"] {
		network.public(source)
	}
}

test_not_public if {
	every source in ["10.0.0.0/8", "192.168.0.0/16", "198.51.100.7/32", "fc00::/7", "fd12:3456::/32", "2001:db8::/32", "VirtualNetwork", "AzureLoadBalancer", "sg-1", ""] {
		not network.public(source)
	}
}

test_default_ports_are_open_to_all if {
	network.open_to_all({"from": 80, "to": 80})
	network.open_to_all({"from": 443, "to": 443})
}

test_other_ports_are_not if {
	not network.open_to_all({"from": 22, "to": 22})
	not network.open_to_all({"from": 80, "to": 443})
	not network.open_to_all({"from": 0, "to": 65535})
	not network.open_to_all({"from": 443, "to": 80})
	not network.open_to_all({"from": null, "to": 443})
	not network.open_to_all({"from": 443, "to": null})
	not network.open_to_all({"from": "443", "to": "443"})
}

test_ports_by_setting if {
	settings := {"settings": {"security": {"public_ports": [8080, 8081]}}}
	network.open_to_all({"from": 8080, "to": 8081}) with input as settings
	not network.open_to_all({"from": 8080, "to": 8082}) with input as settings
	not network.open_to_all({"from": 80, "to": 80}) with input as settings
}

test_parse if {
	network.parse("22") == {"from": 22, "to": 22}
	network.parse("80-443") == {"from": 80, "to": 443}
	network.parse("80 - 443") == {"from": 80, "to": 443}
	not network.parse("*")
	not network.parse("-1")
	not network.parse("")
}

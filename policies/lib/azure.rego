# METADATA
# title: Reading Azure's resources
# description: >-
#   What the rules about Azure share: attributes by path, with the provider's
#   defaults and names that changed between its major versions, and the types
#   that one service has.
package tidelock.azure

import data.tidelock.plan
import data.tidelock.references

# of(types) gives what the plan makes of the types.
of(types) := [rc | some type in types; some rc in plan.made[type]]

# value(rc, path, otherwise) gives an attribute by its path, blocks by their
# place: ["site_config", 0, "ftps_state"]. What is left out has the provider's
# default, otherwise. What only the apply will tell has no value, so that a rule
# which asks for it finds nothing.
value(rc, path, otherwise) := given if {
	given := object.get(rc.change.after, path, null)
	given != null
} else := otherwise if {
	object.get(plan.unknown(rc), path, false) != true
}

# one_of is value for an attribute whose name changed: the first path that is
# there counts.
one_of(rc, paths, otherwise) := there[0] if {
	there := [given | some path in paths; given := object.get(rc.change.after, path, null); given != null]
	count(there) > 0
} else := otherwise if {
	every path in paths {
		object.get(plan.unknown(rc), path, false) != true
	}
}

# chosen is one_of for what the provider fills in where the configuration is
# silent, as it does with each of two names while it knows both. A plan marks it
# as unknown then, so unknown counts as left out.
chosen(rc, paths, otherwise) := there[0] if {
	there := [given | some path in paths; given := object.get(rc.change.after, path, null); given != null]
	count(there) > 0
} else := otherwise

# set(rc, path) holds for an attribute that the configuration sets, even to what
# only the apply will tell, as the ID of a new resource is. It is of no use for
# attributes that the provider fills in.
set(rc, path) if not object.get(rc.change.after, path, null) in {null, ""}

set(rc, path) if object.get(plan.unknown(rc), path, false) == true

# blocks(rc, name) gives the blocks of that name; none where the provider fills
# them in.
blocks(rc, name) := plan.list(rc.change.after, name)

# legacy_tls holds for the names that Azure's services have for a minimum version
# of TLS below 1.2, and for no minimum at all.
legacy_tls(version) if {
	lower(version) in {
		"1.0", "1.1", "tls1_0", "tls1_1", "tls10", "tls11", "tls", "tlsv1", "tlsv1_0", "tlsv1_1", "tlsv1.1",
		"disabled", "none", "tlsenforcementdisabled",
	}
}

# The types of App Service; azurerm_app_service and azurerm_function_app are those
# of azurerm 3 and 4.
web_apps := of({
	"azurerm_linux_web_app", "azurerm_linux_web_app_slot", "azurerm_windows_web_app", "azurerm_windows_web_app_slot",
	"azurerm_app_service", "azurerm_app_service_slot",
})

function_apps := of({
	"azurerm_linux_function_app", "azurerm_linux_function_app_slot", "azurerm_windows_function_app",
	"azurerm_windows_function_app_slot", "azurerm_function_app_flex_consumption", "azurerm_function_app",
	"azurerm_function_app_slot", "azurerm_logic_app_standard",
})

apps := array.concat(web_apps, function_apps)

# machines: virtual machines and the sets that make them.
machines := of({
	"azurerm_linux_virtual_machine", "azurerm_windows_virtual_machine", "azurerm_linux_virtual_machine_scale_set",
	"azurerm_windows_virtual_machine_scale_set", "azurerm_orchestrated_virtual_machine_scale_set",
})

clusters := of({"azurerm_kubernetes_cluster"})

# address_number gives an IPv4 address as a number, so that a range can be
# measured.
address_number(address) := (((to_number(a) * 16777216) + (to_number(b) * 65536)) + (to_number(c) * 256)) + to_number(d) if {
	regex.match(`^\d{1,3}(\.\d{1,3}){3}$`, address)
	[a, b, c, d] := split(address, ".")
}

# logged(rc) holds where the plan shows a diagnostic setting that sends the
# resource's logs somewhere.
logged(rc) if count(_logs[rc.type][rc.address]) > 0

_logs[type] := attached if {
	some type in plan.types
	attached := references.attached("azurerm_monitor_diagnostic_setting", "target_resource_id", type)
}

# METADATA
# scope: package
# title: Kubernetes API open to the internet (Azure)
# description: Finds AKS clusters whose API server every address may reach.
# custom:
#   severity: high
#   level: advisory
#   why: >-
#     The API server rules the whole cluster. Open to all, one leaked credential or one new
#     weakness is enough.
#   mend: >-
#     Set private_cluster_enabled = true, or name the addresses in
#     api_server_access_profile.authorized_ip_ranges.
#   controls:
#     soc2: ["CC6.6"]
#     iso27001_2022: ["A.8.20"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_kubernetes_cluster" "main" {
#           name                    = "main"
#           private_cluster_enabled = false
#         }
#     good:
#       hcl: |
#         resource "azurerm_kubernetes_cluster" "main" {
#           name = "main"
#           api_server_access_profile {
#             authorized_ip_ranges = ["198.51.100.0/24"]
#           }
#         }
package tidelock.security.azure.aks_public_api

import data.tidelock.azure
import data.tidelock.network

deny contains {"address": rc.address, "msg": "Every address may reach the API server: private_cluster_enabled is false and authorized_ip_ranges names none."} if {
	some rc in public
	count(ranges(rc)) == 0
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in public
	some source in ranges(rc)
	network.public(source)
	message := sprintf("Every address may reach the API server: %s is among authorized_ip_ranges.", [source])
}

public := [rc | some rc in azure.clusters; azure.value(rc, ["private_cluster_enabled"], false) == false]

# Ranges that only the apply will tell are taken to name somebody. The older name
# is that of azurerm 3, which marks it as unknown where it is left out.
ranges(rc) := azure.value(rc, ["api_server_access_profile", 0, "authorized_ip_ranges"], []) if {
	count(azure.blocks(rc, "api_server_access_profile")) > 0
}

ranges(rc) := azure.chosen(rc, [["api_server_authorized_ip_ranges"]], []) if {
	count(azure.blocks(rc, "api_server_access_profile")) == 0
}

# METADATA
# scope: package
# title: Front Door or CDN without TLS (Azure)
# description: >-
#   Finds routes, endpoints and domains of Front Door and CDN that answer over plain HTTP or old
#   TLS.
# custom:
#   severity: medium
#   level: advisory
#   why: >-
#     Visitors are served in clear text, or the way from the edge to the origin is: whoever stands
#     between reads and changes it.
#   mend: >-
#     Leave https_redirect_enabled at true, set forwarding_protocol = "HttpsOnly", is_http_allowed
#     = false on CDN endpoints, and TLS 1.2 on domains.
#   controls:
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   examples:
#     bad:
#       hcl: |
#         resource "azurerm_cdn_frontdoor_route" "shop" {
#           name                   = "shop"
#           supported_protocols    = ["Http", "Https"]
#           https_redirect_enabled = false
#           forwarding_protocol    = "HttpsOnly"
#         }
#     good:
#       hcl: |
#         resource "azurerm_cdn_frontdoor_route" "shop" {
#           name                   = "shop"
#           supported_protocols    = ["Http", "Https"]
#           https_redirect_enabled = true
#           forwarding_protocol    = "HttpsOnly"
#         }
package tidelock.security.azure.cdn_tls

import data.tidelock.azure

deny contains {"address": rc.address, "msg": "Visitors are served over plain HTTP: supported_protocols has Http, and https_redirect_enabled is false."} if {
	some rc in azure.of({"azurerm_cdn_frontdoor_route"})
	"Http" in azure.value(rc, ["supported_protocols"], [])
	azure.value(rc, ["https_redirect_enabled"], true) == false
}

deny contains {"address": rc.address, "msg": "The origin is asked over plain HTTP: forwarding_protocol is HttpOnly."} if {
	some rc in azure.of({"azurerm_cdn_frontdoor_route"})
	azure.value(rc, ["forwarding_protocol"], "MatchRequest") == "HttpOnly"
}

deny contains {"address": rc.address, "msg": "Visitors are served over plain HTTP: is_http_allowed is not false."} if {
	some rc in azure.of({"azurerm_cdn_endpoint"})
	azure.value(rc, ["is_http_allowed"], true) == true
	not redirects(rc)
}

deny contains {"address": rc.address, "msg": message} if {
	some [type, path] in domains
	some rc in azure.of({type})
	version := azure.value(rc, path, "TLS12")
	azure.legacy_tls(version)
	message := sprintf("Old TLS is accepted: %s is %q.", [path[count(path) - 1], version])
}

# A delivery rule may send plain HTTP on to HTTPS.
redirects(rc) if {
	some rule in azure.blocks(rc, "delivery_rule")
	some action in rule.url_redirect_action
	action.protocol == "Https"
}

domains := [
	["azurerm_cdn_frontdoor_custom_domain", ["tls", 0, "minimum_tls_version"]],
	["azurerm_cdn_frontdoor_custom_domain", ["tls", 0, "minimum_version"]],
	["azurerm_cdn_endpoint_custom_domain", ["cdn_managed_https", 0, "tls_version"]],
	["azurerm_cdn_endpoint_custom_domain", ["user_managed_https", 0, "tls_version"]],
]

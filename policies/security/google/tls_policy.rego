# METADATA
# scope: package
# title: Load balancer with old TLS (Google Cloud)
# description: >-
#   Finds SSL policies that allow old versions or weak ciphers, and proxies without a policy.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["3.9"]
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   why: >-
#     Unless told otherwise, a load balancer takes TLS 1.0 and ciphers without forward secrecy,
#     which audits and payment standards forbid.
#   mend: >-
#     Make a google_compute_ssl_policy with min_tls_version = "TLS_1_2" and profile = "MODERN" or
#     "RESTRICTED", and name it in the proxy's ssl_policy.
#   examples:
#     bad:
#       hcl: |
#         resource "google_compute_ssl_policy" "web" {
#           name            = "web"
#           profile         = "MODERN"
#           min_tls_version = "TLS_1_0"
#         }
#     good:
#       hcl: |
#         resource "google_compute_ssl_policy" "web" {
#           name            = "web"
#           profile         = "MODERN"
#           min_tls_version = "TLS_1_2"
#         }
#         resource "google_compute_target_https_proxy" "web" {
#           name       = "web"
#           url_map    = "web"
#           ssl_policy = "web"
#         }
package tidelock.security.google.tls_policy

import data.tidelock.google

deny contains {"address": rc.address, "msg": "Clients may use TLS 1.0 and weak ciphers: ssl_policy names no policy."} if {
	some rc in google.of({"google_compute_target_https_proxy", "google_compute_region_target_https_proxy", "google_compute_target_ssl_proxy"})
	not google.given(rc, ["ssl_policy"])
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in policies
	is := google.value(rc, ["min_tls_version"], "TLS_1_0")
	is in {"TLS_1_0", "TLS_1_1"}

	# These two have no cipher that older versions could use.
	not google.value(rc, ["profile"], "COMPATIBLE") in {"RESTRICTED", "FIPS_202205"}
	message := sprintf("Clients may use old TLS: min_tls_version is %s.", [is])
}

deny contains {"address": rc.address, "msg": "Clients may use weak ciphers: profile is COMPATIBLE."} if {
	some rc in policies
	google.value(rc, ["profile"], "COMPATIBLE") == "COMPATIBLE"
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in policies
	google.value(rc, ["profile"], "COMPATIBLE") == "CUSTOM"
	weak := sort([cipher | some cipher in google.blocks(rc, ["custom_features"]); startswith(cipher, "TLS_RSA_WITH_")])
	count(weak) > 0
	message := sprintf("Clients may use ciphers without forward secrecy: %s.", [concat(", ", weak)])
}

policies := google.of({"google_compute_ssl_policy", "google_compute_region_ssl_policy"})

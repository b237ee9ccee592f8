# METADATA
# scope: package
# title: Application over plain HTTP
# description: Finds handlers of App Engine and functions that answer over HTTP.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["4.10"]
#     soc2: ["CC6.7"]
#     iso27001_2022: ["A.8.24"]
#   why: >-
#     What goes over HTTP can be read and changed by everyone on the way, cookies and passwords
#     first.
#   mend: >-
#     Set security_level = "SECURE_ALWAYS" for each handler, and https_trigger_security_level =
#     "SECURE_ALWAYS" for functions.
#   examples:
#     bad:
#       hcl: |
#         resource "google_app_engine_standard_app_version" "web" {
#           service = "default"
#           runtime = "python312"
#           handlers {
#             url_regex      = ".*"
#             security_level = "SECURE_OPTIONAL"
#           }
#         }
#     good:
#       hcl: |
#         resource "google_app_engine_standard_app_version" "web" {
#           service = "default"
#           runtime = "python312"
#           handlers {
#             url_regex      = ".*"
#             security_level = "SECURE_ALWAYS"
#           }
#         }
package tidelock.security.google.serverless_https

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": message} if {
	some rc in google.of({"google_app_engine_standard_app_version", "google_app_engine_flexible_app_version"})
	some i, handler in google.blocks(rc, ["handlers"])
	is := google.value(rc, ["handlers", i, "security_level"], "SECURE_DEFAULT")
	is != "SECURE_ALWAYS"
	message := sprintf("The handler of %s answers over HTTP: security_level is %s.", [plan.text(handler, "url_regex", "all paths"), is])
}

deny contains {"address": rc.address, "msg": "This function answers over HTTP: https_trigger_security_level is SECURE_OPTIONAL."} if {
	some rc in google.of({"google_cloudfunctions_function"})
	google.value(rc, ["https_trigger_security_level"], "SECURE_ALWAYS") == "SECURE_OPTIONAL"
}

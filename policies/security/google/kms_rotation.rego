# METADATA
# scope: package
# title: Key that is never changed (Google Cloud)
# description: Finds keys for encryption without rotation, or with one of more than 90 days.
# custom:
#   severity: medium
#   level: advisory
#   controls:
#     cis_gcp_3.0: ["1.10"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.8.24"]
#   why: >-
#     The longer one version of a key is used, the more a leak of it opens. Rotation makes new
#     versions by itself and keeps the old ones for reading.
#   mend: >-
#     Set rotation_period = "7776000s" (90 days) or less.
#   examples:
#     bad:
#       hcl: |
#         resource "google_kms_crypto_key" "sales" {
#           name     = "sales"
#           key_ring = "projects/acme/locations/eu/keyRings/data"
#         }
#     good:
#       hcl: |
#         resource "google_kms_crypto_key" "sales" {
#           name            = "sales"
#           key_ring        = "projects/acme/locations/eu/keyRings/data"
#           rotation_period = "7776000s"
#         }
package tidelock.security.google.kms_rotation

import data.tidelock.google
import data.tidelock.plan

deny contains {"address": rc.address, "msg": "This key is never changed: it has no rotation_period."} if {
	some rc in keys
	not google.given(rc, ["rotation_period"])
}

deny contains {"address": rc.address, "msg": message} if {
	some rc in keys
	period := plan.text(rc.change.after, "rotation_period", "")
	to_number(trim_suffix(period, "s")) > 7776000
	message := sprintf("This key is changed too seldom: rotation_period is %s, more than 90 days.", [period])
}

# Only keys for symmetric encryption whose versions Google makes can rotate.
keys := [rc |
	some rc in google.of({"google_kms_crypto_key"})
	google.value(rc, ["purpose"], "ENCRYPT_DECRYPT") == "ENCRYPT_DECRYPT"
	google.value(rc, ["import_only"], false) == false
	not startswith(google.value(rc, ["version_template", 0, "protection_level"], "SOFTWARE"), "EXTERNAL")
]

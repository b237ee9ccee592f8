# METADATA
# scope: package
# title: Key open to everyone (Google Cloud)
# description: Denies grants to everyone on keys and key rings of Cloud KMS.
# custom:
#   severity: critical
#   level: mandatory
#   controls:
#     cis_gcp_3.0: ["1.9"]
#     soc2: ["CC6.1"]
#     iso27001_2022: ["A.5.15", "A.8.24"]
#   why: >-
#     Whoever may use the key may decrypt everything that it protects, or sign in your name.
#   mend: >-
#     Grant the role to the service accounts that use the key.
#   examples:
#     bad:
#       hcl: |
#         resource "google_kms_crypto_key_iam_member" "use" {
#           crypto_key_id = "projects/acme/locations/eu/keyRings/data/cryptoKeys/sales"
#           role          = "roles/cloudkms.cryptoKeyDecrypter"
#           member        = "allUsers"
#         }
#     good:
#       hcl: |
#         resource "google_kms_crypto_key_iam_member" "use" {
#           crypto_key_id = "projects/acme/locations/eu/keyRings/data/cryptoKeys/sales"
#           role          = "roles/cloudkms.cryptoKeyDecrypter"
#           member        = "serviceAccount:app@acme.iam.gserviceaccount.com"
#         }
package tidelock.security.google.kms_public

import data.tidelock.google

deny contains {"address": grant.address, "msg": message} if {
	some grant in google.public({"google_kms_crypto_key", "google_kms_key_ring"})
	message := sprintf("%s has %s.", [grant.who, grant.role])
}
